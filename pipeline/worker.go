package pipeline

import (
	"bytes"
	"fmt"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// worker takes subjects through a batch. It has scratch space of its own, so a pool of workers shares nothing but what
// is immutable.
type worker struct {
	environment string
	view        *state.View
	cache       *recordCache
	catalogue   *catalogue
	judges      map[uint64]Judge // by generation

	batch    *batch
	rows     [2]evaluator.Row
	inputs   [2]evaluator.Input
	given    [2][]evaluator.Given
	diff     evaluator.Diff
	match    evaluator.Match
	turns    []turn
	verdicts []verdict
	fresh    []state.Recorded // static members recorded by the step at hand

	fitting, fittedTo *evaluator.Schema // the schema last found to equal that of a generation
}

// work brings one subject from its stored record to the end of the batch: definitions that came into force, timers that
// fell due and changes of its row, each judged at its own instant, in order.
func (w *worker) work(s *subject) error {
	if err := w.load(s); err != nil {
		return err
	}
	if w.batch.rebuild && !w.batch.snapshot {
		w.sweep(s)
		w.finish(s)
		return nil
	}
	if w.batch.reread {
		if err := w.reread(s); err != nil {
			return err
		}
		w.finish(s)
		return nil
	}
	for i := 0; i < len(s.touches); {
		k := s.touches[i].transaction
		end := i + 1
		for end < len(s.touches) && s.touches[end].transaction == k {
			end++
		}
		// At the instant of the commit itself the new row is judged and nothing is said of the old, unless an earlier
		// commit of the same instant has passed the timer already.
		if err := w.advance(s, max(w.batch.nows[k]-1, w.batch.nowBefore(k))); err != nil {
			return err
		}
		if err := w.step(s, k, s.touches[i:end]); err != nil {
			return err
		}
		i = end
	}
	if err := w.advance(s, w.batch.horizonOf(s.user)); err != nil {
		return err
	}
	w.finish(s)
	return nil
}

func (w *worker) load(s *subject) error {
	s.record = state.Record{Memberships: s.record.Memberships, Recorded: s.record.Recorded, Waits: s.record.Waits}
	if s.stored = w.cache.get(s.user); s.stored != nil {
		if err := s.record.Decode(s.stored); err != nil {
			return fmt.Errorf("user %q: %w", s.user, err)
		}
		s.flip = s.record.Flip
		return nil
	}
	found, stored, err := w.view.Record(s.user, &s.record, nil)
	if err != nil {
		return fmt.Errorf("user %q: %w", s.user, err)
	}
	s.flip = s.record.Flip
	if found {
		s.stored = stored
	} else {
		s.record.Generation = w.catalogue.current().Generation
	}
	return nil
}

// finish encodes the outcome, or notes that nothing needs to be written.
func (w *worker) finish(s *subject) {
	if s.record.Empty() {
		s.encoded = nil
		return
	}
	s.encoded = s.record.Append(s.encoded[:0])
	if s.stored != nil && bytes.Equal(s.encoded, s.stored) {
		s.encoded = s.stored
	}
}

// changed reports whether the subject's record must be written.
func (s *subject) changed() bool {
	if s.encoded == nil || s.stored == nil {
		return s.encoded != nil || s.stored != nil
	}
	return &s.encoded[0] != &s.stored[0]
}

// advance lets time pass up to and including limit: whichever comes first of the next generation and the next flip.
func (w *worker) advance(s *subject, limit evaluator.Instant) error {
	for {
		next := w.catalogue.following(s.record.Generation)
		switch {
		case next != nil && next.Now <= s.record.Flip:
			if err := w.enterGeneration(s, next); err != nil {
				return err
			}
		case s.record.Flip <= limit && s.record.Flip != evaluator.NoInstant:
			if err := w.fire(s); err != nil {
				return err
			}
		case next != nil:
			if err := w.enterGeneration(s, next); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// judge returns the worker's judge of a generation.
func (w *worker) judge(g *generation) Judge {
	j := w.judges[g.Generation]
	if j == nil {
		j = g.newJudge()
		w.judges[g.Generation] = j
	}
	return j
}

// input fills the worker's i-th input with the subject's present state at now.
func (w *worker) input(i int, s *subject, g *generation, now evaluator.Instant) (*evaluator.Input, error) {
	in := &w.inputs[i]
	in.User, in.Now, in.Row = s.user, now, nil
	if s.record.Present {
		if err := w.rows[i].Reset(g.schema, s.record.Tuple); err != nil {
			return nil, fmt.Errorf("user %q: %w", s.user, err)
		}
		in.Row = &w.rows[i]
	}
	w.given[i] = g.given(w.given[i][:0], &s.record)
	in.Given = w.given[i]
	return in, nil
}

// fire judges a subject at the instant its timer is set for.
func (w *worker) fire(s *subject) error {
	g := w.catalogue.at(s.record.Generation)
	at := s.record.Flip
	before, err := w.input(0, s, g, at-1)
	if err != nil {
		return err
	}
	after := &w.inputs[1]
	w.given[1] = append(w.given[1][:0], w.given[0]...)
	*after = evaluator.Input{User: before.User, Row: before.Row, Now: at, Given: w.given[1]}
	m := w.moment(s, g, w.batch.rankAt(at), at)
	m.order.instant = at
	m.own = event.CauseTimer
	w.compare(m, before, after, after.Row)
	return nil
}

// enterGeneration judges a subject by a generation that came into force after it was judged last.
func (w *worker) enterGeneration(s *subject, g *generation) error {
	if w.batch.rebuild && !s.record.Present { // what was published before the rebuild; its row, or the end of it, decides
		s.record.Generation = g.Generation
		return nil
	}
	if err := w.reshape(s, g); err != nil {
		return err
	}
	in, err := w.input(1, s, g, g.Now)
	if err != nil {
		return err
	}
	m := w.momentOf(s, g, event.CauseDefinition)
	previous := w.catalogue.at(s.record.Generation)
	s.record.Generation = g.Generation
	w.rematch(m, previous, in)
	w.converge(m, in, in.Row)
	return nil
}

// reshape turns the stored row into one of the generation's schema.
func (w *worker) reshape(s *subject, g *generation) error {
	if !s.record.Present || s.record.Schema == g.Epoch.Schema {
		return nil
	}
	tuple, err := s.record.Tuple.Reshape(w.catalogue.schemas[s.record.Schema], g.schema)
	if err != nil {
		return fmt.Errorf("user %q: %w", s.user, err)
	}
	s.record.Tuple, s.record.Schema = tuple, g.Epoch.Schema
	return nil
}

// step applies what one transaction did to a subject and judges it once, by the row as committed.
func (w *worker) step(s *subject, k int, touches []touch) error {
	g := w.catalogue.at(s.record.Generation)
	now, previous := w.batch.nows[k], w.batch.nowBefore(k)
	before, err := w.input(0, s, g, max(now-1, previous))
	if err != nil {
		return err
	}
	rowTouched, err := w.apply(s, g, touches)
	if err != nil {
		return err
	}
	after, err := w.input(1, s, g, now)
	if err != nil {
		return err
	}
	m := w.moment(s, g, k+1, now)
	m.order.instant, m.order.ordinal = evaluator.Infinity, touches[0].ordinal
	m.event.Position.Index = touches[0].ordinal
	switch {
	case w.batch.rebuild:
		w.reconcile(m, after)
		return nil
	case w.batch.snapshot:
		m.own, m.settled = event.CauseSnapshot, true
	case before.Row != nil && after.Row == nil:
		m.own, m.settled = event.CauseDelete, true
		w.leave(m, after, before.Row)
		return nil
	case rowTouched:
		m.own = event.CauseChange
	default:
		m.own = event.CauseTimer // a member-only change: a leaf can only have flipped by time, at this very instant
	}
	m.statics(before.Row == nil, w.fresh, before.Given, after.Given, after.Row)
	w.compare(m, before, after, after.Row)
	return nil
}

// fits reports whether a row's schema is the generation's. Schemas that come from the log are the same pointer for as long
// as the table keeps its shape.
func (w *worker) fits(schema *evaluator.Schema, g *generation) bool {
	if schema == g.schema || schema == w.fitting && w.fittedTo == g.schema {
		return true
	}
	if !schema.Equal(g.schema) {
		return false
	}
	w.fitting, w.fittedTo = schema, g.schema
	return true
}

// apply makes the record what the transaction left behind and reports whether the row itself was touched.
func (w *worker) apply(s *subject, g *generation, touches []touch) (rowTouched bool, err error) {
	w.fresh = w.fresh[:0]
	r := &s.record
	for _, t := range touches {
		switch t.op {
		case event.Upsert:
			rowTouched = true
			tuple := t.change.Row
			if !w.fits(t.change.Schema, g) { // of a transaction that changed the table's shape in its middle
				if tuple, err = tuple.Reshape(t.change.Schema, g.schema); err != nil {
					return false, fmt.Errorf("user %q: %w", s.user, err)
				}
			}
			if r.Present {
				if tuple, err = tuple.FillUnchanged(r.Tuple); err != nil {
					return false, fmt.Errorf("user %q: %w", s.user, err)
				}
			}
			r.Present, r.Tuple, r.Schema = true, tuple, g.Epoch.Schema
		case event.Delete:
			rowTouched = true
			r.Present, r.Tuple = false, nil
		case event.MemberAdd:
			m := state.Recorded{Audience: t.audience, Tenant: t.change.Member.Tenant, AddedAt: t.change.Member.AddedAt}
			if r.Record(m) {
				w.fresh = append(w.fresh, m)
				s.recorded = append(s.recorded, recording{m.Audience, m.Tenant, true})
			}
		case event.MemberRemove:
			if r.Forget(t.audience, t.change.Member.Tenant) {
				s.recorded = append(s.recorded, recording{t.audience, t.change.Member.Tenant, false})
			}
		case event.MembersTruncate:
			for _, m := range r.Recorded {
				s.recorded = append(s.recorded, recording{m.Audience, m.Tenant, false})
			}
			r.Recorded = r.Recorded[:0]
		}
	}
	return rowTouched, nil
}
