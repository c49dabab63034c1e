package clickhouse

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	firstPause = 50 * time.Millisecond
	lastPause  = 10 * time.Second
)

// pause is how long to wait after the given number of failures in a row: doubled each time up to a limit, and a random
// part of up to a half taken off, so that many workers do not come back at the same moment.
func pause(failures int) time.Duration {
	d := lastPause
	if doublings := failures - 1; doublings < 8 {
		d = min(firstPause<<doublings, lastPause)
	}
	return d - rand.N(d/2)
}

// wait returns after d, or early with the context's error.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
