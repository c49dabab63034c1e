package app

import (
	"context"
	"errors"
	"testing"
)

// refusing is a sink that does not recover until it is told to.
type refusing struct {
	historian
	err error
}

func (r *refusing) Recover(context.Context) error { return r.err }

// TestTheRecorderWaitsForTheTables holds that nobody else touches ClickHouse before the pipeline's sink has prepared it.
func TestTheRecorderWaitsForTheTables(t *testing.T) {
	t.Parallel()
	isReady := func(ready <-chan struct{}) bool {
		select {
		case <-ready:
			return true
		default:
			return false
		}
	}
	sink := &refusing{err: errors.New("away")}
	announced, ready := announce(sink)
	if err := announced.Recover(t.Context()); !errors.Is(err, sink.err) || isReady(ready) {
		t.Errorf("a sink that failed: error %v, ready %t", err, isReady(ready))
	}
	sink.err = nil
	for range 2 { // it recovers again after each interruption
		if err := announced.Recover(t.Context()); err != nil || !isReady(ready) {
			t.Errorf("a sink that recovered: error %v, ready %t", err, isReady(ready))
		}
	}
}
