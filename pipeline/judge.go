package pipeline

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/sourcegraph/conc/pool"
)

// inline is the number of subjects up to which a batch is judged on the run loop itself: handing them out would cost
// more than judging them.
const inline = 8

// judge works every subject of a batch on the pool. A subject is worked by one goroutine, so a user's changes are
// judged in order; different users are independent.
func (p *Pipeline) judge(ctx context.Context, b *batch) error {
	p.prepareWorkers(b)
	// In the order of their keys, since they are read, and written, in that order for less.
	slices.SortFunc(b.subjects, func(x, y *subject) int { return strings.Compare(x.user, y.user) })
	if len(b.subjects) <= inline || len(p.workers) == 1 {
		for _, s := range b.subjects {
			if err := p.workers[0].work(s); err != nil {
				return err
			}
		}
		return nil
	}
	var next atomic.Int64
	tasks := pool.New().WithErrors().WithFirstError().WithContext(ctx)
	for _, w := range p.workers {
		tasks.Go(func(ctx context.Context) error {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(b.subjects) {
					return nil
				}
				if err := w.work(b.subjects[i]); err != nil {
					return err
				}
			}
			return context.Cause(ctx)
		})
	}
	return tasks.Wait()
}

func (p *Pipeline) prepareWorkers(b *batch) {
	for _, w := range p.workers {
		w.batch = b
		for generation := range w.judges {
			if p.catalogue.at(generation) == nil {
				delete(w.judges, generation)
			}
		}
	}
}
