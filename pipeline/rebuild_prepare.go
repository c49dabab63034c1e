package pipeline

import (
	"context"
	"fmt"

	"muster/evaluator"
	"muster/pipeline/state"
)

// preparation is PrepareRebuild at work. It writes in batches; only the memo makes them one.
type preparation struct {
	store *state.Store
	head  state.Head
	batch *state.Batch
	ids   map[string]evaluator.AudienceID
}

// generation is the one that the snapshot's definitions will be: records are judged by it next.
func (p *preparation) generation() uint64 { return p.head.Generation + 1 }

// flush makes what was written so far visible and durable, once it is worth it.
func (p *preparation) flush(least int) error {
	if p.batch.Size() < least {
		return nil
	}
	if err := p.batch.Apply(); err != nil {
		return err
	}
	err := p.batch.Wait()
	p.batch = p.store.NewBatch()
	return err
}

func (p *preparation) clear(context.Context) error {
	if err := p.batch.ClearDerived(); err != nil {
		return err
	}
	return p.flush(0)
}

// strip makes every user absent. It reads a snapshot of the state, since it writes what it reads.
func (p *preparation) strip(ctx context.Context) error {
	var encoded []byte
	return p.records(ctx, func(user string, r *state.Record) error {
		r.Strip(p.generation())
		encoded = nil
		if !r.Empty() || len(r.Waits) > 0 {
			encoded = r.Append(nil)
		}
		return p.batch.SetRecord(user, encoded)
	})
}

// records calls visit with every record; what it writes is flushed in between and at the end.
func (p *preparation) records(ctx context.Context, visit func(user string, r *state.Record) error) error {
	snapshot := p.store.Snapshot()
	var r state.Record
	err := snapshot.Users("", func(user string, encoded []byte) (bool, error) {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		if err := r.Decode(encoded); err != nil {
			return false, fmt.Errorf("user %q: %w", user, err)
		}
		if err := visit(user, &r); err != nil {
			return false, err
		}
		return true, p.flush(prepareBytes)
	})
	if cerr := snapshot.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return p.flush(0)
}

// definitions forgets every version of every audience: the snapshot has them. The audiences keep their ids.
func (p *preparation) definitions(context.Context) error {
	list, err := p.store.Audiences()
	if err != nil {
		return err
	}
	for i := range list {
		list[i].Versions = nil
		p.ids[list[i].Key] = list[i].ID
		if err := p.batch.SetAudience(&list[i]); err != nil {
			return err
		}
	}
	return p.flush(0)
}

func (p *preparation) id(key string) (evaluator.AudienceID, error) {
	if id, ok := p.ids[key]; ok {
		return id, nil
	}
	p.head.LastAudience++
	p.ids[key] = p.head.LastAudience
	return p.head.LastAudience, p.batch.SetAudience(&state.Audience{ID: p.head.LastAudience, Key: key})
}

// overlay takes up what the caller knows of the memberships that were published.
func (p *preparation) overlay(ctx context.Context, baseline *Baseline) error {
	if baseline == nil {
		return nil
	}
	changed := make(map[string]*state.Record)
	write := func() error {
		for user, r := range changed {
			if err := p.batch.SetRecord(user, r.Append(nil)); err != nil {
				return err
			}
		}
		clear(changed)
		return p.flush(0)
	}
	n := 0
	for m, err := range baseline.Memberships {
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
		if err := p.take(changed, &m); err != nil {
			return err
		}
		if n++; n%prepareOverlaid == 0 {
			if err := write(); err != nil {
				return err
			}
		}
	}
	return write()
}

func (p *preparation) take(changed map[string]*state.Record, m *Published) error {
	id, err := p.id(m.Audience)
	if err != nil {
		return err
	}
	r := changed[m.User]
	if r == nil {
		r = new(state.Record)
		if _, _, err := p.store.Record(m.User, r, nil); err != nil {
			return fmt.Errorf("user %q: %w", m.User, err)
		}
		r.Strip(p.generation())
		changed[m.User] = r
	}
	have := r.Ensure(id, m.Tenant)
	if m.Count < have.Count { // never reset
		return nil
	}
	have.In, have.Version, have.Count, have.EnteredAt, have.Cause = m.In, m.Version, m.Count, m.EnteredAt, m.Cause
	have.Triggered = have.Triggered || m.Triggered
	return nil
}

// index makes the lists and counts of members.
func (p *preparation) index(ctx context.Context) error {
	sizes := make(map[evaluator.AudienceID]int64)
	err := p.records(ctx, func(user string, r *state.Record) error {
		for i := range r.Memberships {
			m := &r.Memberships[i]
			if !m.In {
				continue
			}
			sizes[m.Audience]++
			if err := p.batch.SetMember(m.Audience, user, m.Tenant, true); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id, n := range sizes {
		if err := p.batch.SetSize(id, n); err != nil {
			return err
		}
	}
	return p.flush(0)
}

// finish puts the head at no position, from where the snapshot begins.
func (p *preparation) finish(baseline *Baseline) error {
	h := state.Head{
		Sequence: p.head.Sequence, Clock: p.head.Clock, Generation: p.head.Generation, LastAudience: p.head.LastAudience, LastSchema: p.head.LastSchema,
	}
	if baseline != nil {
		h.Sequence = max(h.Sequence, baseline.Sequence)
		if err := p.batch.ClearOutbox(); err != nil {
			return err
		}
		for _, sink := range baseline.Sinks { // with the head, or a crash in between leaves cursors at events that are gone
			if err := p.batch.SetCursor(sink, state.Cursor{Delivered: h.Sequence, Begun: h.Sequence}); err != nil {
				return err
			}
		}
	}
	if err := p.batch.SetHead(h); err != nil {
		return err
	}
	return p.close(p.flush(0))
}

func (p *preparation) close(err error) error {
	if derr := p.batch.Discard(); err == nil {
		err = derr
	}
	return err
}
