package pipeline

import (
	"context"
	"errors"
	"time"

	"muster/pipeline/event"
)

const (
	firstWait   = 100 * time.Millisecond
	longestWait = 10 * time.Second
)

// patiently reads the source's tables, and again after a while when the source went away meanwhile, until that is done, ctx
// ends or it fails for a reason that waiting does not mend. Streams do so by themselves. What was read before a failure is
// in the state, so that each attempt goes on from there, as the next start of the worker would.
func (p *Pipeline) patiently(ctx context.Context, what string, read func() error) error {
	for wait := firstWait; ; wait = min(2*wait, longestWait) {
		began := time.Now()
		err := read()
		if err == nil || ctx.Err() != nil || !errors.Is(err, event.ErrUnreachable) {
			return err
		}
		if time.Since(began) > longestWait {
			wait = firstWait // it worked for a while
		}
		p.log.Warn(what+" was interrupted; going on with it", "in", wait, "error", err)
		p.observer.Failed(&Failure{Kind: "reading", Err: err})
		if err := sleep(ctx, wait, nil); err != nil {
			return err
		}
	}
}
