package pipeline

import (
	"context"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// timerLimit is the most timers that fire in one batch, so that millions due at once (a date at midnight) take bounded
// memory and let other work in between.
const timerLimit = 4096

// dueTimer is one pending timer.
type dueTimer struct {
	due  evaluator.Instant
	user string
}

// due reads the timers through an instant, at most limit of them; more reports that there are others.
func (p *Pipeline) due(through evaluator.Instant, limit int) (list []dueTimer, more bool, err error) {
	err = p.store.Due(p.head.Clock, through, func(due evaluator.Instant, user string) bool {
		if more = len(list) == limit; more {
			return false
		}
		list = append(list, dueTimer{due, user})
		return true
	})
	return list, more, err
}

// fireBefore fires timers that are due before transaction t, in batches of their own, until what is left fits into t's
// batch. They are dated by their instants and bear t's position, as the commit that passed them.
func (p *Pipeline) fireBefore(ctx context.Context, t *event.Transaction, now evaluator.Instant) error {
	for {
		// Those at the instant of the commit itself come with t, which may change their users.
		list, more, err := p.due(now-1, timerLimit)
		if err != nil || !more {
			return err
		}
		if err := p.fire(ctx, t, list); err != nil {
			return err
		}
	}
}

// fireThrough fires every timer that is due through an instant, as passed by transaction t.
func (p *Pipeline) fireThrough(ctx context.Context, t *event.Transaction, through evaluator.Instant) error {
	for {
		list, _, err := p.due(through, timerLimit)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := p.fire(ctx, t, list); err != nil {
			return err
		}
	}
}

// fire works a batch of nothing but timers, which transaction t passes. The clock goes no further than the last of them.
func (p *Pipeline) fire(ctx context.Context, t *event.Transaction, list []dueTimer) error {
	if err := p.outbox.room(ctx, p.options.OutboxLimit); err != nil {
		return err
	}
	last := list[len(list)-1]
	return p.work(ctx, func(*state.Batch) (*batch, error) {
		b := p.newBatch()
		empty := *t
		empty.Changes, empty.Bytes = nil, 0
		b.transactions = []event.Transaction{empty}
		b.nows = []evaluator.Instant{last.due}
		b.previous = min(b.previous, list[0].due-1) // an instant that was cut in two is passed by t as a whole
		b.horizon = horizon{instant: last.due, user: last.user}
		b.head.Clock = last.due
		for _, timer := range list {
			b.subject(timer.user)
		}
		return b, nil
	})
}

// dueWithin returns the timers that the transactions of the queue may pass, and the latest clock a batch may have
// for those to be all.
func (p *Pipeline) dueWithin(b *batch, q *queue) (list []dueTimer, limit evaluator.Instant, err error) {
	latest := max(q.first().Time, b.head.Clock)
	for _, chunk := range q.chunks {
		for i := range chunk {
			latest = max(latest, chunk[i].Time)
		}
	}
	list, more, err := p.due(latest, 2*timerLimit)
	if err != nil {
		return nil, 0, err
	}
	if !more {
		return list, evaluator.Infinity, nil
	}
	// The last instant read may have more timers than were read.
	return list, list[len(list)-1].due - 1, nil
}
