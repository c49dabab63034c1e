package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// A change of the users table's shape can change rows without a word in the log: ALTER TYPE ... USING, a volatile default,
// a column that comes out of hiding. The source says so (evaluator.Schema.Rewrites), with the first change after it, and the
// table is read again before that change is worked:
//
//	transaction of another count ─▶ the want is noted in the head ─▶ the stream stops ─▶ a snapshot of the users
//	      ─▶ who was not in it is gone ─▶ the stream goes on at that very transaction
//
// The rows are then as of the snapshot, which is later than the position. Row changes up to there are known already and
// are skipped (Head.Known), everything else in those transactions is not. Events are dated at the transaction that
// brought the new shape, with cause definition and no trigger; who is gone exits by delete.
//
// The want stays in the head until all of it is done, and a crash, or a source that goes away, begins it anew. So each attempt makes a generation of its
// own: a user was seen by the attempt at hand exactly if its record is of that generation.

// errReread ends a stream so that the users table can be read again.
var errReread = errors.New("the users table has to be read again")

// follow streams, and reads the users table again whenever that must come in between.
func (p *Pipeline) follow(ctx context.Context) error {
	for {
		if err := p.patiently(ctx, "reading the users table again", func() error { return p.reread(ctx) }); err != nil {
			return fmt.Errorf("read the users table again: %w", err)
		}
		if err := p.stream(ctx, make(chan []event.Transaction, 4)); !errors.Is(err, errReread) {
			return err
		}
	}
}

// rewritten reports whether a transaction brings rows of a table whose other rows changed unseen.
func (p *Pipeline) rewritten(t *event.Transaction) bool {
	g := p.catalogue.current()
	return slices.ContainsFunc(t.Changes, func(c event.Change) bool {
		return c.Op == event.Upsert && c.Schema != g.schema && c.Schema.Rewrites != g.schema.Rewrites && !known(&p.head, c.User, t.Commit)
	})
}

// wantReread notes that the users table must be read again before transaction t, at t's now. Timers due before that fire
// first, on the rows as they were.
func (p *Pipeline) wantReread(ctx context.Context, t *event.Transaction) error {
	now := max(t.Time, p.head.Clock)
	if err := p.fireThrough(ctx, t, now-1); err != nil {
		return err
	}
	p.log.Info("rows of the users table changed without a word in the log, by an ALTER TABLE or the like; reading it again", "commit", t.Commit)
	err := p.work(ctx, func(*state.Batch) (*batch, error) {
		b := p.newBatch()
		b.head.Reread = state.Reread{Wanted: true, Now: now, Committed: t.Time, Position: t.Commit}
		return b, nil
	})
	if err != nil {
		return err
	}
	return errReread
}

// reread reads the users table if that is wanted.
func (p *Pipeline) reread(ctx context.Context) error {
	if !p.head.Reread.Wanted {
		return nil
	}
	source, ok := p.source.(Snapshotter)
	if !ok {
		return ErrNoSnapshotter
	}
	p.phase.Store(int32(Rereading))
	var last event.SnapshotChunk
	begun := false
	err := source.Snapshot(ctx, event.SnapshotResume{Started: true, Members: true}, func(ctx context.Context, chunk event.SnapshotChunk) error {
		if err := p.outbox.room(ctx, p.options.OutboxLimit); err != nil {
			return err
		}
		first := !begun
		begun, last = true, chunk
		return p.work(ctx, func(w *state.Batch) (*batch, error) { return p.rereadChunk(&chunk, first, w) })
	})
	if err != nil {
		return err
	}
	gone, err := p.dropGone(ctx)
	if err != nil {
		return err
	}
	p.log.Info("the users table has been read again", "users", last.Rows, "gone", gone, "as_of", last.Consistent)
	return p.work(ctx, func(*state.Batch) (*batch, error) {
		b := p.newBatch()
		b.head.Reread = state.Reread{}
		b.head.Known = max(b.head.Known, last.Consistent)
		b.head.Resumed = nil
		b.head.Backfill = state.Progress{Running: true} // for records without a row
		return b, nil
	})
}

// rereadChunk builds the batch of one chunk; the first brings the shape of all into force.
func (p *Pipeline) rereadChunk(c *event.SnapshotChunk, first bool, w *state.Batch) (*batch, error) {
	b := p.newBatch()
	b.reread = true
	if first {
		wanted := &b.head.Reread
		e := state.Epoch{Now: wanted.Now, Committed: wanted.Committed, Position: event.Position{LSN: wanted.Position}, Reshaped: true}
		if _, err := p.catalogue.advance(e, c.Schema, nil, w); err != nil {
			return nil, err
		}
		b.head.Backfill = state.Progress{}
	}
	for i := range c.Users {
		u := &c.Users[i]
		change := &event.Change{Op: event.Upsert, User: u.ID, Schema: c.Schema, Row: u.Row}
		b.subject(u.ID).touches = []touch{{op: event.Upsert, change: change}}
		b.changes++
	}
	return b, nil
}

// dropGone deletes every user that the state has and the table has not: what was read is of the current generation.
func (p *Pipeline) dropGone(ctx context.Context) (gone int, err error) {
	current := p.catalogue.current().Generation
	return p.sweepAll(ctx, func(b *batch) { b.reread = true }, func(b *batch, user string, r *state.Record) {
		if r.Present && r.Generation < current {
			b.subject(user).touches = []touch{{op: event.Delete}}
		}
	})
}

// reread gives a subject the row that was read, or takes its row away, and brings it to the generation that began with
// that. Generations in between are passed over: they would judge a row that is none any more.
func (w *worker) reread(s *subject) error {
	g, r := w.catalogue.current(), &s.record
	if s.touches[0].op == event.Delete {
		return w.vanish(s, g)
	}
	tuple := s.touches[0].change.Row
	r.Present, r.Tuple, r.Schema = true, tuple, g.Epoch.Schema
	in, err := w.input(1, s, g, g.Now)
	if err != nil {
		return err
	}
	m := w.momentOf(s, g, event.CauseDefinition)
	previous := w.catalogue.at(r.Generation)
	r.Generation = g.Generation
	w.rematch(m, previous, in)
	w.converge(m, in, in.Row)
	return nil
}

// vanish deletes a subject's row.
func (w *worker) vanish(s *subject, g *generation) error {
	r := &s.record
	var row evaluator.Row
	if err := row.Reset(w.catalogue.schemas[r.Schema], r.Tuple); err != nil {
		return fmt.Errorf("user %q: %w", s.user, err)
	}
	r.Present, r.Tuple, r.Generation = false, nil, g.Generation
	in, err := w.input(1, s, g, g.Now)
	if err != nil {
		return err
	}
	w.leave(w.momentOf(s, g, event.CauseDelete), in, &row)
	return nil
}

// momentOf is the moment at which a subject comes to a generation.
func (w *worker) momentOf(s *subject, g *generation, cause event.Cause) *moment {
	m := w.moment(s, g, w.batch.rankOfGeneration(g), g.Now)
	m.order.instant = g.Now
	m.event.Position, m.event.CommittedAt = g.Position, g.Committed
	m.own, m.settled = cause, true
	return m
}
