package kafka

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	backoffLeast = 10 * time.Millisecond
	backoffMost  = 2 * time.Second
)

// backoff grows pauses from backoffLeast to most, each shortened at random by up to half so that clients do not come
// back in step.
type backoff struct{ most, last time.Duration }

func (b *backoff) wait(ctx context.Context) error {
	b.last = min(max(2*b.last, backoffLeast), b.most)
	return pause(ctx, b.last/2+rand.N(b.last/2+1))
}

func (b *backoff) reset() { b.last = 0 }

// pause waits for d, or returns the context's error when that ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
