package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// commit is a batch that readers see and that is on its way to the disk.
type commit struct {
	written *state.Batch
	head    state.Head
	report  Commit
	events  int
	bytes   int
	began   time.Time
}

// write puts the outcome of a batch into one atomic write, applies it and hands it to the syncer. The next batch may
// be judged at once: it reads what this one wrote.
func (p *Pipeline) write(b *batch, w *state.Batch, began time.Time) error {
	c := &commit{written: w}
	events := p.inOrder(b)
	if err := p.writeRecords(b, w); err != nil {
		return err
	}
	if err := p.writeEvents(b, w, events, c); err != nil {
		return err
	}
	b.head.LastAudience, b.head.LastSchema = p.catalogue.lastID, p.catalogue.lastSchema
	if g := p.catalogue.current(); g != nil {
		b.head.Generation = g.Generation
	}
	if err := w.SetHead(b.head); err != nil {
		return err
	}
	c.head, c.began = b.head, time.Now()
	c.report = p.report(b, events, time.Since(began), w.Size())
	if err := w.Apply(); err != nil {
		return err
	}
	p.head = b.head
	p.outbox.add(int64(c.events), int64(c.bytes))
	p.inForce.Store(p.catalogue.current())
	p.applied.set(b.head)
	p.timer.ring()
	for i := range b.transactions {
		for j := range b.transactions[i].Changes {
			if change := &b.transactions[i].Changes[j]; change.Op == event.Token {
				p.position.pass(change.Token, b.transactions[i].Commit)
			}
		}
	}
	p.spare.give(b.subjects)
	// Not selected against ctx: what readers see must reach the disk. The syncer takes everything until this side closes.
	p.batches <- c
	return nil
}

// inOrder returns the events of all subjects, which own them, in the order of the outbox and numbers them.
func (p *Pipeline) inOrder(b *batch) []*pending {
	n := 0
	for _, s := range b.subjects {
		n += len(s.events)
	}
	events := make([]*pending, 0, n)
	for _, s := range b.subjects {
		for i := range s.events {
			events = append(events, &s.events[i])
		}
	}
	slices.SortStableFunc(events, func(x, y *pending) int {
		if c := x.order.compare(y.order); c != 0 {
			return c
		}
		return strings.Compare(x.event.User, y.event.User)
	})
	for _, e := range events {
		b.head.Sequence++
		e.event.Sequence = b.head.Sequence
	}
	return events
}

func (p *Pipeline) writeRecords(b *batch, w *state.Batch) error {
	for _, s := range b.subjects {
		if b.once {
			p.cache.put(s.user, nil)
		} else {
			p.cache.put(s.user, s.encoded)
		}
		if !s.changed() {
			continue
		}
		if err := w.SetRecord(s.user, s.encoded); err != nil {
			return err
		}
		if err := w.MoveTimer(s.user, s.flip, s.record.Flip); err != nil {
			return err
		}
		for _, r := range s.recorded {
			if err := w.SetRecorded(r.audience, s.user, r.tenant, r.present); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Pipeline) writeEvents(b *batch, w *state.Batch, events []*pending, c *commit) error {
	p.sizes.mu.Lock()
	defer p.sizes.mu.Unlock()
	moved := make(map[evaluator.AudienceID]struct{})
	for _, pending := range events {
		e := &pending.event
		entered := e.Type == event.Entered
		size, err := w.Publish(e)
		if err != nil {
			return err
		}
		c.events, c.bytes = c.events+1, c.bytes+size
		if err := w.SetMember(pending.audience, e.User, e.Tenant, entered); err != nil {
			return err
		}
		if entered {
			p.sizes.members[pending.audience]++
		} else {
			p.sizes.members[pending.audience]--
		}
		moved[pending.audience] = struct{}{}
	}
	for id := range moved {
		if err := w.SetSize(id, p.sizes.members[id]); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pipeline) report(b *batch, events []*pending, judging time.Duration, size int) Commit {
	r := Commit{
		Transactions: len(b.transactions), Changes: b.changes, Subjects: len(b.subjects), Judging: judging, Batch: size,
		Position: b.head.Position, Sequence: b.head.Sequence, Committed: b.head.Committed, Disagreed: b.disagreements.Load(),
		Visited: b.visited.Load(),
	}
	for i := range b.transactions {
		r.Bytes += b.transactions[i].Bytes
	}
	for _, pending := range events {
		e := &pending.event
		if e.Cause == event.CauseTimer && e.CommittedAt > e.OccurredAt {
			r.TimerDelays = append(r.TimerDelays, time.Duration(e.CommittedAt-e.OccurredAt)*time.Microsecond)
		}
		r.tally(e)
	}
	return r
}

func (c *Commit) tally(e *event.Event) {
	for i := range c.Events {
		if t := &c.Events[i]; t.Type == e.Type && t.Cause == e.Cause {
			t.Count++
			return
		}
	}
	c.Events = append(c.Events, Tally{e.Type, e.Cause, 1})
}

// sync waits for batches to reach the disk, in order, and lets go of what had to wait for that: the acknowledgement to
// the source and the events to the sinks. It ends when the channel is closed; after a failure it only empties it.
func (p *Pipeline) sync(failed func(error)) error {
	var failure error
	for c := range p.batches {
		err := c.written.Wait()
		switch {
		case failure != nil:
		case err != nil:
			failure = fmt.Errorf("commit: %w", err)
			failed(failure)
		default:
			p.synced(c)
		}
	}
	return failure
}

func (p *Pipeline) synced(c *commit) {
	c.report.Syncing = time.Since(c.began)
	p.durable.set(c.head)
	if c.head.End > 0 && !c.head.Snapshot.Running {
		p.source.Acknowledge(c.head.End)
	}
	p.observer.Committed(&c.report)
}
