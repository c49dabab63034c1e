package pipeline

import (
	"context"
	"sync/atomic"
	"time"

	"muster/evaluator"
	"muster/pipeline/state"
)

// clock estimates the source's clock from what it last said. Only the estimate of when to ask depends on it: whether an
// instant has passed is for the source to say.
type clock struct{ offset atomic.Int64 } // microseconds to add to this machine's clock

// learn takes in what the source's clock said at some moment between asked and now. That bounds the offset from both
// sides; an estimate within the bounds is as good as any and stays.
func (c *clock) learn(source evaluator.Instant, asked time.Time) {
	least := int64(source - evaluator.InstantOf(time.Now()))
	most := int64(source - evaluator.InstantOf(asked))
	c.offset.Store(min(max(c.offset.Load(), least), most))
}

func (c *clock) now() evaluator.Instant {
	return evaluator.InstantOf(time.Now()) + evaluator.Instant(c.offset.Load())
}

// longestSleep bounds how long the ticker trusts its estimate of the source's clock.
const longestSleep = 5 * time.Second

// busyLook is how long the ticker leaves a pipeline alone that is at work.
const busyLook = 5 * time.Millisecond

// tick asks the source for an empty transaction when the earliest timer is due and no transaction comes by itself to
// pass it. While commits flow, or no timer is due, it asks for nothing.
func (p *Pipeline) tick(ctx context.Context) error {
	var last time.Time
	for {
		if p.busy.Load() { // transactions pass timers by themselves, and the search for the next one costs while many are under way
			if sleep(ctx, busyLook, nil) != nil {
				return nil // stopping
			}
			continue
		}
		changed := p.timer.channel()
		due, err := p.nextTimer()
		if err != nil {
			return err
		}
		wait := longestSleep
		if due != evaluator.NoInstant {
			wait = min(wait, time.Duration(due-p.clock.now())*time.Microsecond)
			wait = max(wait, p.options.TickEvery-time.Since(last))
		}
		if wait > 0 || due == evaluator.NoInstant || p.busy.Load() {
			if err := sleep(ctx, max(wait, time.Millisecond), changed); err != nil {
				return nil // stopping
			}
			continue
		}
		last = time.Now()
		now, err := p.source.Tick(ctx, due)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil: // timers wait while the source cannot be reached; reading reports the fault
			p.log.Debug("tick", "error", err)
			if sleep(ctx, time.Second, nil) != nil {
				return nil
			}
		default:
			p.clock.learn(now, last)
			if now < due {
				continue
			}
			// The tick comes through the log; until it is here there is nothing to ask for.
			waiting, cancel := context.WithTimeout(ctx, time.Second)
			_ = p.applied.until(waiting, func(h state.Head) bool { return h.Clock >= due })
			cancel()
		}
	}
}

func (p *Pipeline) nextTimer() (evaluator.Instant, error) {
	h := p.applied.get()
	if h.Position == 0 || h.Snapshot.Running {
		return evaluator.NoInstant, nil
	}
	return p.store.NextTimer(h.Clock)
}

// sleep waits for a duration or until changed is closed; it returns an error when ctx ends.
func sleep(ctx context.Context, d time.Duration, changed <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-changed:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}
