package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sourcegraph/conc/pool"

	"muster/pipeline/event"
	"muster/pipeline/state"
)

// Run works until ctx ends or something breaks that only an operator can mend, then brings what it has begun to its
// end: batches that were judged become durable and are acknowledged, and the sinks get until drain to take what is in the
// outbox. What they did not get stays there for the next run. It returns nil when ctx ended.
func (p *Pipeline) Run(ctx context.Context, drain time.Duration) error {
	if err := p.load(); err != nil {
		return err
	}
	for _, d := range p.sinks {
		if err := d.open(); err != nil {
			return err
		}
	}
	reading, stopReading := context.WithCancelCause(ctx)
	defer stopReading(nil)
	delivering, stopDelivering := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopDelivering(nil)

	inner := pool.New().WithErrors()
	fail := func(err error) error { // the first failure ends everybody
		if err != nil && !errors.Is(err, context.Canceled) {
			stopReading(err)
			return err
		}
		return nil
	}
	inner.Go(func() error { return p.sync(func(err error) { stopReading(err) }) })
	inner.Go(func() error {
		defer close(p.batches)
		if err := p.snapshot(reading); err != nil {
			return fail(fmt.Errorf("snapshot: %w", err))
		}
		if err := p.sweep(reading); err != nil {
			return fail(fmt.Errorf("rebuild: %w", err))
		}
		return fail(p.follow(reading))
	})
	inner.Go(func() error { return fail(p.tick(reading)) })

	outer := pool.New().WithErrors()
	for _, d := range p.sinks {
		outer.Go(func() error { return fail(d.run(reading, delivering)) })
	}
	err := inner.Wait()
	p.drain(drain, err == nil)
	stopDelivering(ErrStopped)
	return errors.Join(err, outer.Wait())
}

// drain waits until the sinks have taken what is in the outbox, or for as long as it may.
func (p *Pipeline) drain(limit time.Duration, orderly bool) {
	if !orderly || limit <= 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	last := p.durable.get().Sequence
	for _, d := range p.sinks {
		if err := d.delivered.until(ctx, func(h state.Head) bool { return h.Sequence >= last || d.dead.Load() }); err != nil {
			p.log.Warn("stopping before a sink has taken everything; it goes on at the next start",
				"sink", d.sink.Name(), "remaining_events", last-d.delivered.get().Sequence)
		}
	}
}

// stream reads the source and works what comes.
func (p *Pipeline) stream(ctx context.Context, incoming chan []event.Transaction) error {
	p.phase.Store(int32(Streaming))
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	reader := pool.New().WithErrors()
	if followed, ok := p.source.(Follower); ok {
		followed.Follow(p.catalogue.current().schema, max(p.head.Position, p.head.Known))
	}
	after := p.head.Position   // the head belongs to the loop, which may move it before the reader begins
	if p.head.Staged.Running { // all of it is here and need not be read again
		after = p.head.Staged.Transaction.LSN
	}
	reader.Go(func() error {
		defer close(incoming)
		err := p.source.Stream(ctx, after, incoming)
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
	err := p.loop(ctx, incoming)
	if errors.Is(err, ErrStopped) { // in the middle of a large transaction, which is read again from its start
		err = nil
	}
	cancel(ErrStopped)
	for range incoming { // let the reader go
	}
	if rerr := reader.Wait(); rerr != nil {
		return rerr
	}
	return err
}

// loop is the heart: it turns what was read into batches, one after the other.
func (p *Pipeline) loop(ctx context.Context, incoming <-chan []event.Transaction) error {
	if err := p.resumeStaged(ctx); err != nil {
		return err
	}
	q := queue{pipeline: p, incoming: incoming}
	for {
		more, err := q.fill(ctx, p.head.Backfill.Running)
		if err != nil || !more {
			return err
		}
		if err := p.outbox.room(ctx, p.options.OutboxLimit); err != nil {
			return err
		}
		for !q.empty() {
			if err := p.next(ctx, &q); err != nil {
				return err
			}
		}
		if p.head.Backfill.Running {
			if err := p.backfill(ctx); err != nil {
				return err
			}
		}
	}
}

// next works the first batch of the queue.
func (p *Pipeline) next(ctx context.Context, q *queue) error {
	t := q.first()
	if t.Commit <= p.head.Position { // read again after a reconnect or a restart
		q.drop()
		return nil
	}
	aside, err := p.cutBefore(ctx, q)
	if err != nil {
		return err
	}
	defer q.putBack(aside)
	if isLarge(t) {
		return p.large(ctx, q)
	}
	if p.rewritten(t) {
		return p.wantReread(ctx, t)
	}
	now := max(t.Time, p.head.Clock)
	if err := p.fireBefore(ctx, t, now); err != nil {
		return err
	}
	return p.work(ctx, func(w *state.Batch) (*batch, error) { return p.cut(q, w) })
}

// work makes one batch, judges it and writes it.
func (p *Pipeline) work(ctx context.Context, build func(*state.Batch) (*batch, error)) error {
	began := time.Now()
	w := p.store.NewBatch()
	b, err := build(w)
	if err == nil {
		err = p.judge(ctx, b)
	}
	if err == nil && b.retire {
		err = p.catalogue.retire(w)
	}
	if err != nil {
		return errors.Join(err, w.Discard())
	}
	if n := b.disagreements.Load(); n > 0 {
		p.log.Error("verdicts disagreed with stored memberships; run `muster verify`", "count", n, "position", b.head.Position)
	}
	return p.write(b, w, began)
}

// newBatch is an empty batch that begins where the state stands.
func (p *Pipeline) newBatch() *batch {
	return &batch{
		previous: p.head.Clock, head: p.head, origin: p.head.Position, originCommitted: p.head.Committed, byUser: make(map[string]*subject), spare: &p.spare,
		horizon: horizon{instant: p.head.Clock, whole: true},
	}
}
