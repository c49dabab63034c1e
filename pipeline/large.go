package pipeline

import (
	"context"
	"errors"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// A transaction that comes in parts, or that empties a table, may concern every user there is. It is staged on disk,
// by user, and then applied in parts of bounded size, each an atomic batch that remembers how far it came. Memory stays
// bounded, a user is still judged once by the row as committed, and a crash goes on at the next part. The transaction is
// acknowledged after the last part.

// isLarge reports whether a transaction has to be staged.
func isLarge(t *event.Transaction) bool {
	if t.More {
		return true
	}
	for i := range t.Changes {
		if op := t.Changes[i].Op; op == event.Truncate || op == event.MembersTruncate {
			return true
		}
	}
	return false
}

// staging collects the changes of one large transaction.
type staging struct {
	pipeline    *Pipeline
	batch       *state.Batch
	commit      event.LSN
	ordinal     uint32
	schema      *evaluator.Schema // of the last row
	definitions []event.Definition
	tokens      []string
}

// large works the large transaction at the front of the queue, of which more parts may have to be read.
func (p *Pipeline) large(ctx context.Context, q *queue) error {
	first := *q.first()
	now := max(first.Time, p.head.Clock)
	if err := p.fireThrough(ctx, &first, now-1); err != nil {
		return err
	}
	// What a crash left half staged is read again from the start.
	clear := p.store.NewBatch()
	if err := errors.Join(clear.ClearStaged(), clear.CommitStaged()); err != nil {
		return err
	}
	s := &staging{pipeline: p, batch: p.store.NewBatch(), commit: first.Commit}
	if g := p.catalogue.current(); g != nil {
		s.schema = g.schema
	}
	for {
		t := *q.first()
		if err := s.stage(&t); err != nil {
			return errors.Join(err, s.batch.Discard())
		}
		q.drop()
		if !t.More {
			break
		}
		for q.empty() {
			more, err := q.fill(ctx, false)
			if err == nil && !more {
				err = ErrStopped
			}
			if err != nil {
				return errors.Join(err, s.batch.Discard())
			}
		}
	}
	if err := s.batch.CommitStaged(); err != nil {
		return err
	}
	if g := p.catalogue.current(); s.schema.Rewrites != g.schema.Rewrites {
		return p.wantReread(ctx, &first)
	}
	if err := p.beginStaged(ctx, &first, s); err != nil {
		return err
	}
	if err := p.applyStaged(ctx); err != nil {
		return err
	}
	for _, token := range s.tokens {
		p.position.pass(token, first.Commit)
	}
	return nil
}

// stage writes one part into the staging area.
func (s *staging) stage(t *event.Transaction) error {
	for i := range t.Changes {
		if err := s.change(&t.Changes[i]); err != nil {
			return err
		}
		s.ordinal++
		if s.batch.Size() > 4<<20 {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *staging) flush() error {
	if err := s.batch.CommitStaged(); err != nil {
		return err
	}
	s.batch = s.pipeline.store.NewBatch()
	return nil
}

func (s *staging) change(c *event.Change) error {
	staged := state.StagedChange{Ordinal: s.ordinal, Op: c.Op}
	if s.commit <= s.pipeline.head.Known && (c.Op == event.Upsert || c.Op == event.Delete || c.Op == event.Truncate) {
		return nil // and what shape the rows had then is of no interest
	}
	switch c.Op {
	case event.Upsert:
		if c.OldUser != "" && c.OldUser != c.User {
			if moves(c) {
				tuple, err := s.carry(c)
				if err != nil {
					return err
				}
				moved := *c
				moved.Row, c = tuple, &moved
			}
			gone := state.StagedChange{Ordinal: s.ordinal, Op: event.Delete}
			if err := s.batch.Stage(c.OldUser, gone); err != nil {
				return err
			}
		}
		var err error
		if staged.Schema, err = s.pipeline.catalogue.schemaID(c.Schema, s.batch); err != nil {
			return err
		}
		if !known(&s.pipeline.head, c.User, s.commit) {
			s.schema = c.Schema
		}
		staged.Tuple = c.Row
		return s.batch.Stage(c.User, staged)
	case event.Delete:
		return s.batch.Stage(c.User, staged)
	case event.MemberAdd, event.MemberRemove:
		id, err := s.pipeline.catalogue.id(c.Member.Audience, s.batch)
		if err != nil {
			return err
		}
		staged.Audience, staged.Tenant, staged.AddedAt = id, c.Member.Tenant, c.Member.AddedAt
		return s.batch.Stage(c.Member.User, staged)
	case event.Truncate:
		return s.everyone(func(user string, r *state.Record) error {
			return s.batch.Stage(user, state.StagedChange{Ordinal: s.ordinal, Op: event.Delete})
		})
	case event.MembersTruncate:
		return s.everyone(s.forget)
	case event.Define:
		s.definitions = append(s.definitions, *c.Definition)
	case event.Token:
		s.tokens = append(s.tokens, c.Token)
	}
	return nil
}

// everyone calls do with every user that is in the state or was staged before by this transaction.
func (s *staging) everyone(do func(user string, r *state.Record) error) error {
	if err := s.flush(); err != nil { // so that what was staged before is seen
		return err
	}
	view := s.pipeline.store.Snapshot()
	var r state.Record
	each := func(user string) error {
		if s.batch.Size() > 4<<20 {
			if err := s.flush(); err != nil {
				return err
			}
		}
		return do(user, &r)
	}
	err := view.Users("", func(user string, encoded []byte) (bool, error) {
		if err := r.Decode(encoded); err != nil {
			return false, err
		}
		return true, each(user)
	})
	if err == nil {
		last := ""
		err = view.Staged("", func(user string, _ state.StagedChange) (bool, error) {
			if user == last {
				return true, nil
			}
			last = user
			if _, _, err := view.Record(user, &r, nil); err != nil {
				return false, err
			}
			return true, each(user)
		})
	}
	return errors.Join(err, view.Close())
}

// forget stages the removal of every static member of a user.
func (s *staging) forget(user string, _ *state.Record) error {
	return s.batch.Stage(user, state.StagedChange{Ordinal: s.ordinal, Op: event.MembersTruncate})
}

// beginStaged makes the staged transaction the one that is being applied, together with the definitions it carries.
func (p *Pipeline) beginStaged(ctx context.Context, first *event.Transaction, s *staging) error {
	return p.work(ctx, func(w *state.Batch) (*batch, error) {
		b := p.newBatch()
		if g := p.catalogue.current(); len(s.definitions) > 0 || !s.schema.Identical(g.schema) {
			if err := p.advance(b, first, s.schema, s.definitions, w); err != nil {
				return nil, err
			}
		}
		b.head.Staged = state.Staged{
			Running: true, Time: first.Time, End: first.End,
			Transaction: event.Position{LSN: first.Commit, Index: s.ordinal},
		}
		return b, nil
	})
}

// resumeStaged goes on with a large transaction that a restart interrupted.
func (p *Pipeline) resumeStaged(ctx context.Context) error {
	if !p.head.Staged.Running {
		return nil
	}
	p.log.Info("going on with a large transaction", "commit", p.head.Staged.Transaction.LSN, "after_user", p.head.Staged.After)
	return p.applyStaged(ctx)
}

// applyStaged works the staged changes in parts, then moves the position past the transaction.
func (p *Pipeline) applyStaged(ctx context.Context) error {
	for p.head.Staged.Running {
		if err := p.outbox.room(ctx, p.options.OutboxLimit); err != nil {
			return err
		}
		if err := p.work(ctx, p.stagedPart); err != nil {
			return err
		}
	}
	// Timers due at the very instant of the transaction, of users it did not touch.
	passed := event.Transaction{Commit: p.head.Position, End: p.head.End, Time: p.head.Committed}
	return p.fireThrough(ctx, &passed, p.head.Clock)
}

// stagedPart builds the batch of the next users of the staged transaction.
func (p *Pipeline) stagedPart(w *state.Batch) (*batch, error) {
	b := p.newBatch()
	b.once = true
	staged := &b.head.Staged
	now := max(staged.Time, b.head.Clock)
	// Between the parts the clock stands just before the transaction, so that timers at its very instant stay pending
	// for users that a later part may touch.
	b.transactions = []event.Transaction{{Commit: staged.Transaction.LSN, End: staged.End, Time: staged.Time}}
	b.nows = []evaluator.Instant{now}
	b.horizon = horizon{instant: now, whole: true}
	bytes, last, complete := 0, "", true
	err := p.store.Staged(staged.After, func(user string, c state.StagedChange) (bool, error) {
		if user != last && (b.changes >= p.options.BatchLimit || bytes >= p.options.BatchBytes) {
			complete = false
			return false, nil
		}
		last = user
		bytes += len(c.Tuple) + 64
		b.changes++
		b.touch(user, p.unstage(user, c))
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	if !complete {
		staged.After = last
		return b, nil
	}
	b.head.Position, b.head.End, b.head.Committed, b.head.Clock = staged.Transaction.LSN, staged.End, staged.Time, now
	b.head.Staged = state.Staged{}
	forgetRanges(&b.head)
	return b, w.ClearStaged()
}

func (p *Pipeline) unstage(user string, c state.StagedChange) touch {
	change := &event.Change{Op: c.Op, User: user, Row: c.Tuple, Schema: p.catalogue.schemas[c.Schema]}
	if c.Op == event.MemberAdd || c.Op == event.MemberRemove {
		change.Member = &event.Member{User: user, Tenant: c.Tenant, AddedAt: c.AddedAt}
	}
	return touch{ordinal: c.Ordinal, change: change, op: c.Op, audience: c.Audience}
}
