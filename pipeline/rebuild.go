package pipeline

import (
	"context"
	"errors"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// A rebuild makes the state anew from the source's tables and publishes only how that differs from what was published
// before. It works on the state directory in place, in steps that a crash may interrupt anywhere:
//
//	prepare   every user becomes absent; what it is and was a member of, what its entries triggered, the outbox and the
//	          cursors stay: that is what was published. Where the state does not know that, the caller says it
//	snapshot  as the first one, but each user's memberships are brought from what was published to what its row says
//	sweep     who was published as a member and was not in the snapshot is gone: it exits
//
// The sequence, the entry counts and the triggers used go on. A memo in the state says how far the rebuild is; a worker
// that finds it prepared goes on with it, one that finds it begun refuses, for what was published is only half there.

const (
	rebuildMemo     = "rebuild"
	rebuildBegun    = "begun"
	rebuildPending  = "prepared"
	prepareBytes    = 4 << 20
	prepareOverlaid = 10_000 // memberships taken up in one batch
)

// ErrRebuildBegun is returned by Run for a state that a rebuild has begun to prepare and not finished.
var ErrRebuildBegun = errors.New("a rebuild of this state was interrupted while it prepared; run `muster rebuild -c FILE` again, which goes on with it")

// Published is one membership as the last event of it says.
type Published struct {
	Audience, User, Tenant string
	In                     bool
	Triggered              bool // an entry is known to have triggered
	Version                uint32
	Count                  uint64
	EnteredAt              evaluator.Instant
	Cause                  event.Cause
}

// Baseline is what was published, where the state does not know it, or not to the last.
type Baseline struct {
	// Sequence is the last that was given out. Every sink has everything up to it.
	Sequence uint64
	Sinks    []string // names of the sinks
	// Memberships yields every membership there is or was. It replaces what the state knows of each, but for triggers, which
	// the state adds to.
	Memberships func(yield func(Published, error) bool)
}

// PrepareRebuild makes a state ready to be rebuilt by the next Run. With a nil baseline the state's own memberships are
// what was published. Its error leaves a state that PrepareRebuild can be called on again, and nothing else.
func PrepareRebuild(ctx context.Context, store *state.Store, baseline *Baseline) error {
	if err := store.SetMemo(rebuildMemo, []byte(rebuildBegun)); err != nil {
		return err
	}
	head, err := store.Head()
	if err != nil {
		return err
	}
	p := preparation{store: store, head: head, batch: store.NewBatch(), ids: make(map[string]evaluator.AudienceID)}
	for _, step := range []func(context.Context) error{
		p.clear, p.strip, p.definitions, func(ctx context.Context) error { return p.overlay(ctx, baseline) }, p.index,
	} {
		if err := step(ctx); err != nil {
			return errors.Join(err, p.batch.Discard())
		}
	}
	if err := p.finish(baseline); err != nil {
		return err
	}
	return store.SetMemo(rebuildMemo, []byte(rebuildPending))
}

// rebuildPrepared reports whether the state waits for the snapshot or the sweep of a rebuild.
func rebuildPrepared(view *state.View) (bool, error) {
	memo, err := view.Memo(rebuildMemo)
	if err == nil && string(memo) == rebuildBegun {
		err = ErrRebuildBegun
	}
	return string(memo) == rebuildPending, err
}

// reconcile brings what was published of a user to what its row says. A wait that was on goes on as long as its reason is
// there; nothing begins to wait.
func (w *worker) reconcile(m *moment, in *evaluator.Input) {
	if in.Row == nil { // a recorded member; its user may come yet
		return
	}
	m.own, m.settled = event.CauseRebuild, true
	w.rematch(m, m.generation, in)
	w.converge(m, in, in.Row)
}

// sweep ends the memberships of a user that the snapshot did not have.
func (w *worker) sweep(s *subject) {
	m := w.moment(s, w.catalogue.current(), 0, w.batch.head.Clock)
	m.own, m.settled = event.CauseRebuild, true
	w.leave(m, &evaluator.Input{User: s.user, Now: w.batch.head.Clock}, nil)
}

// sweep is the last step of a rebuild. It begins anew after a crash: who has exited is not found again.
func (p *Pipeline) sweep(ctx context.Context) error {
	if !p.rebuilding {
		return nil
	}
	absent := func(b *batch, user string, r *state.Record) { // and was published as a member
		if !r.Present && (r.Member() || len(r.Waits) > 0) {
			b.subject(user)
		}
	}
	if _, err := p.sweepAll(ctx, func(b *batch) { b.rebuild = true }, absent); err != nil {
		return err
	}
	if err := p.store.SetMemo(rebuildMemo, nil); err != nil {
		return err
	}
	p.rebuilding = false
	p.log.Info("rebuild complete", "sequence", p.head.Sequence)
	return nil
}
