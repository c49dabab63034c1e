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
		list, more, err := p.due(now, timerLimit)
		if err != nil || !more {
			return err
		}
		last := list[len(list)-1]
		if err := p.fire(ctx, t, list, horizon{instant: last.due, user: last.user}); err != nil {
			return err
		}
	}
}

// fire works a batch of nothing but timers, up to a horizon at or before the clock of transaction t.
func (p *Pipeline) fire(ctx context.Context, t *event.Transaction, list []dueTimer, h horizon) error {
	return p.work(ctx, func(*state.Batch) (*batch, error) {
		b := p.newBatch()
		empty := *t
		empty.Changes, empty.Bytes = nil, 0
		b.transactions = []event.Transaction{empty}
		b.nows = []evaluator.Instant{h.instant}
		b.horizon = h
		b.head.Clock = h.instant
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
