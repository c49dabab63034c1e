package pipeline

import (
	"context"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// queue is what was read and not yet worked.
type queue struct {
	pipeline *Pipeline
	incoming <-chan []event.Transaction
	chunks   [][]event.Transaction
	changes  int
	closed   bool
}

func (q *queue) empty() bool { return len(q.chunks) == 0 }

func (q *queue) first() *event.Transaction { return &q.chunks[0][0] }

func (q *queue) drop() {
	q.changes -= len(q.chunks[0][0].Changes)
	if q.chunks[0] = q.chunks[0][1:]; len(q.chunks[0]) == 0 {
		q.chunks = q.chunks[1:]
	}
}

// fill waits for something to work and then takes what else is there, up to a batch. With busy set it does not wait,
// because there is other work. It returns false when the source has ended.
func (q *queue) fill(ctx context.Context, busy bool) (bool, error) {
	if q.closed {
		return false, nil
	}
	if !busy {
		q.pipeline.busy.Store(false)
		select {
		case chunk, ok := <-q.incoming:
			if !ok {
				return false, nil
			}
			q.add(chunk)
		case <-ctx.Done():
			return false, context.Cause(ctx)
		}
	}
	for q.changes < q.pipeline.options.BatchLimit {
		select {
		case chunk, ok := <-q.incoming:
			if !ok {
				q.closed = true
				return len(q.chunks) > 0, nil
			}
			q.add(chunk)
			continue
		default:
		}
		break
	}
	if q.empty() { // other work is no reason for timers to wait
		q.pipeline.busy.Store(false)
	}
	return true, nil
}

func (q *queue) add(chunk []event.Transaction) {
	q.pipeline.busy.Store(true)
	if len(chunk) == 0 {
		return
	}
	q.chunks = append(q.chunks, chunk)
	for i := range chunk {
		q.changes += len(chunk[i].Changes)
	}
}

// cut takes transactions off the queue into a batch, up to the limits of a batch and up to the next transaction that has
// to begin one, and adds the timers that the batch's clock passes.
func (p *Pipeline) cut(q *queue, w *state.Batch) (*batch, error) {
	b := p.newBatch()
	if err := p.install(b, q.first(), w); err != nil {
		return nil, err
	}
	due, limit, err := p.dueWithin(b, q)
	if err != nil {
		return nil, err
	}
	bytes := 0
	for !q.empty() && b.changes < p.options.BatchLimit && bytes < p.options.BatchBytes {
		t := q.first()
		now := max(t.Time, b.head.Clock)
		if len(b.transactions) > 0 && (isLarge(t) || now > limit || p.mustBegin(t) || anyMoves(t)) {
			break
		}
		if t.Commit > b.head.Position {
			if err := p.include(b, t, now, w); err != nil {
				return nil, err
			}
			bytes += t.Bytes
		}
		q.drop()
	}
	b.horizon = horizon{instant: b.head.Clock, whole: true}
	for _, timer := range due {
		if timer.due <= b.head.Clock {
			b.subject(timer.user)
		}
	}
	return b, nil
}

// include puts one transaction into a batch.
func (p *Pipeline) include(b *batch, t *event.Transaction, now evaluator.Instant, w *state.Batch) error {
	k := len(b.transactions)
	b.transactions = append(b.transactions, *t)
	b.nows = append(b.nows, now)
	b.head.Position, b.head.End, b.head.Committed, b.head.Clock = t.Commit, t.End, t.Time, now
	changes := t.Changes
	if t.Commit > b.head.Known && anyMoves(t) {
		var err error
		if changes, err = p.carried(b, t); err != nil {
			return err
		}
	}
	for i := range changes {
		if err := p.touch(b, k, uint32(i), &changes[i], w); err != nil {
			return err
		}
	}
	if (b.head.Known > 0 || len(b.head.Resumed) > 0) && !b.snapshot {
		forgetRanges(&b.head)
	}
	return nil
}

// touch notes one change with the subjects it concerns.
func (p *Pipeline) touch(b *batch, k int, ordinal uint32, c *event.Change, w *state.Batch) error {
	t := touch{transaction: k, ordinal: ordinal, change: c, op: c.Op}
	b.changes++
	switch c.Op {
	case event.Upsert:
		if c.OldUser != "" && c.OldUser != c.User {
			gone := t
			gone.op = event.Delete
			b.touch(c.OldUser, gone)
		}
		b.touch(c.User, t)
	case event.Delete:
		b.touch(c.User, t)
	case event.MemberAdd, event.MemberRemove:
		var err error
		if t.audience, err = p.catalogue.id(c.Member.Audience, w); err != nil {
			return err
		}
		b.touch(c.Member.User, t)
	}
	return nil
}

// mustBegin reports whether a transaction brings a new generation, which begins a batch.
func (p *Pipeline) mustBegin(t *event.Transaction) bool {
	g := p.catalogue.current()
	for i := range t.Changes {
		c := &t.Changes[i]
		if c.Op == event.Define || c.Op == event.Upsert && c.Schema != g.schema && !c.Schema.Identical(g.schema) && !known(&p.head, c.User, t.Commit) {
			return true
		}
	}
	return false
}

// install brings the definitions and the shape of the users table that a transaction carries into force.
func (p *Pipeline) install(b *batch, t *event.Transaction, w *state.Batch) error {
	if !p.mustBegin(t) {
		return nil
	}
	g := p.catalogue.current()
	var definitions []event.Definition
	schema := g.schema
	for i := range t.Changes {
		switch c := &t.Changes[i]; c.Op {
		case event.Define:
			definitions = append(definitions, *c.Definition)
		case event.Upsert:
			if !known(&p.head, c.User, t.Commit) {
				schema = c.Schema
			}
		}
	}
	return p.advance(b, t, schema, definitions, w)
}

// advance makes the next generation and starts the scan that brings every record to it.
func (p *Pipeline) advance(b *batch, t *event.Transaction, schema *evaluator.Schema, definitions []event.Definition, w *state.Batch) error {
	g := p.catalogue.current()
	e := state.Epoch{
		Now: max(t.Time, b.head.Clock), Committed: t.Time, Position: event.Position{LSN: t.Commit},
		Reshaped: g != nil && !schema.Identical(g.schema),
	}
	refused, err := p.catalogue.advance(e, schema, definitions, w)
	if err != nil {
		return err
	}
	for _, r := range refused {
		p.log.Error("a committed definition was refused; the version before keeps serving",
			"audience", r.definition.Audience, "version", r.definition.Version, "error", r.err)
		p.observer.Failed(&Failure{Kind: "definition", Err: r.err})
	}
	b.head.Backfill = state.Progress{Running: true}
	return nil
}
