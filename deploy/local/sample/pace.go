package sample

import (
	"context"
	"sync"
	"time"
)

// pace spreads transactions evenly over time. Whoever is late goes at once, so that a pause is made up for and the rate
// holds on average; but no more than mostCatchUp of it, since an outage of an hour is not to be followed by an hour's
// changes in one burst.
type pace struct {
	perSecond float64 // 0: as many as possible
	began     time.Time

	mu      sync.Mutex
	forgone time.Duration // by how much the plan was put off, all in all
}

const mostCatchUp = time.Second

// wait returns when the nth transaction, from 0, is due, or with an error when ctx ends.
func (p *pace) wait(ctx context.Context, n int64) error {
	left := p.left(time.Now(), n)
	if left <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// left is how long from now the nth transaction is due; not above 0 when it is.
func (p *pace) left(now time.Time, n int64) time.Duration {
	if p.perSecond <= 0 {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	due := p.began.Add(time.Duration(float64(n)/p.perSecond*float64(time.Second)) + p.forgone)
	if late := now.Sub(due); late > mostCatchUp {
		p.forgone += late - mostCatchUp
		return -mostCatchUp
	}
	return due.Sub(now)
}
