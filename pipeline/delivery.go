package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// SinkOptions say how a sink wants its events.
type SinkOptions struct {
	MaxEvents int           // in one delivery
	MaxBytes  int           // of outbox in one delivery, about
	Linger    time.Duration // how long to wait for MaxEvents to come together; 0: not at all
	// Stable makes a delivery that a restart interrupted come again with exactly the same events, for sinks that
	// recognise a repeated batch as a whole.
	Stable bool
}

// delivery feeds one sink from the outbox behind a cursor of its own. Sinks know nothing of each other.
type delivery struct {
	pipeline  *Pipeline
	sink      Sink
	options   SinkOptions
	cursor    state.Cursor
	known     uint64   // the last sequence that was made before this run: no sink holds a later one
	delivered progress // of its head only Sequence is used
	dead      atomic.Bool
	ready     atomic.Bool
	events    []event.Event
}

// AddSink adds a sink. Call it before Run.
func (p *Pipeline) AddSink(s Sink, o SinkOptions) {
	o.MaxEvents = defaulted(o.MaxEvents, 5000)
	o.MaxBytes = defaulted(o.MaxBytes, 4<<20)
	p.sinks = append(p.sinks, &delivery{pipeline: p, sink: s, options: o, delivered: newProgress()})
}

// open takes up the cursor. It comes before any batch is worked: what the state holds by then is all that the sink may skip.
func (d *delivery) open() (err error) {
	if d.cursor, err = d.pipeline.store.Cursor(d.sink.Name()); err != nil {
		return err
	}
	if err := d.join(); err != nil {
		return err
	}
	d.known = d.pipeline.durable.get().Sequence
	d.delivered.set(state.Head{Sequence: d.cursor.Delivered})
	return nil
}

// run delivers until ctx ends or the sink is beyond retrying. It does not begin before the source is this worker's, and
// not at all when reading ends before that.
func (d *delivery) run(reading, ctx context.Context) error {
	defer d.delivered.ring()
	defer d.dead.Store(true)
	defer d.ready.Store(false)
	if d.pipeline.held(reading) != nil {
		return nil // reading ended: what is in the outbox waits for the next run, or is the other worker's to publish
	}
	if err := d.sink.Recover(ctx); err != nil {
		return d.stopped(ctx, err)
	}
	if err := d.sameHistory(); err != nil {
		return d.stopped(ctx, err)
	}
	d.ready.Store(true)
	for {
		last, err := d.gather(ctx)
		if err != nil {
			return nil // ctx ended
		}
		if err := d.deliver(ctx, last); err != nil {
			return d.stopped(ctx, err)
		}
	}
}

// join lets a sink that was enabled later, or was off for a while, begin at the oldest event there is: what all other sinks
// had taken is no longer in the outbox.
func (d *delivery) join() error {
	p, cursor := d.pipeline, &d.cursor
	first, err := p.store.FirstInOutbox()
	if err != nil {
		return err
	}
	if first == 0 {
		first = p.durable.get().Sequence + 1
	}
	if cursor.Delivered+1 >= first {
		return nil
	}
	p.log.Warn("a sink begins behind the events that are still here; those before are not in it, and `muster history` of that time is incomplete",
		"sink", d.sink.Name(), "had", cursor.Delivered, "begins_at", first)
	*cursor = state.Cursor{Delivered: first - 1, Begun: first - 1}
	return p.store.SetCursor(d.sink.Name(), *cursor, true)
}

// ErrLostState is returned when a sink holds events that the state has never made: it was deleted, or replaced by an
// older copy. Going on would number new events like old ones, and a sink would take them for known.
var ErrLostState = errors.New("the sink holds later events than the state")

// sameHistory compares what the sink already holds with what the state has made, where the sink can tell.
func (d *delivery) sameHistory() error {
	sink, ok := d.sink.(interface{ LastSequence() uint64 })
	if !ok {
		return nil
	}
	// Not with what the state has made by now: a snapshot read anew may have numbered as many events as were lost.
	if last := sink.LastSequence(); last > d.known {
		return fmt.Errorf("%w: up to sequence %d, the state ended at %d when the worker started; it was deleted or restored from an older copy. `muster rebuild -c FILE` makes it anew and publishes only what differs", ErrLostState, last, d.known)
	}
	return nil
}

func (d *delivery) stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, context.Cause(ctx)) || errors.Is(err, ctx.Err())) {
		return nil
	}
	d.pipeline.observer.Failed(&Failure{Sink: d.sink.Name(), Kind: "terminal", Err: err})
	return fmt.Errorf("sink %s: %w", d.sink.Name(), err)
}

// gather waits for events behind the cursor and returns the sequence up to which the next delivery may go.
func (d *delivery) gather(ctx context.Context) (uint64, error) {
	durable, cursor := &d.pipeline.durable, &d.cursor
	if cursor.Begun > cursor.Delivered { // a delivery was interrupted; it is repeated as it was
		return cursor.Begun, durable.until(ctx, func(h state.Head) bool { return h.Sequence >= cursor.Begun })
	}
	if err := durable.until(ctx, func(h state.Head) bool { return h.Sequence > cursor.Delivered }); err != nil {
		return 0, err
	}
	if d.options.Linger > 0 {
		full := cursor.Delivered + uint64(d.options.MaxEvents)
		waiting, cancel := context.WithTimeout(ctx, d.options.Linger)
		_ = durable.until(waiting, func(h state.Head) bool { return h.Sequence >= full })
		cancel()
	}
	return min(durable.get().Sequence, cursor.Delivered+uint64(d.options.MaxEvents)), ctx.Err()
}

// deliver hands the events behind the cursor up to last to the sink and moves the cursor.
func (d *delivery) deliver(ctx context.Context, last uint64) error {
	p, cursor := d.pipeline, &d.cursor
	limit := d.options.MaxBytes
	if cursor.Begun > cursor.Delivered {
		limit = 1 << 62 // the interrupted delivery, whole
	}
	var err error
	if d.events, err = p.store.Outbox(d.events[:0], cursor.Delivered+1, last, limit); err != nil {
		return err
	}
	if len(d.events) == 0 || d.events[0].Sequence != cursor.Delivered+1 {
		return fmt.Errorf("outbox does not hold event %d; %w", cursor.Delivered+1, state.ErrCorrupt)
	}
	last = d.events[len(d.events)-1].Sequence
	if d.options.Stable && cursor.Begun < last {
		cursor.Begun = last
		if err := p.store.SetCursor(d.sink.Name(), *cursor, true); err != nil {
			return err
		}
	}
	began := time.Now()
	if err := d.sink.Deliver(ctx, d.events); err != nil {
		return err
	}
	cursor.Delivered = last
	if err := p.store.SetCursor(d.sink.Name(), *cursor, false); err != nil {
		return err
	}
	d.delivered.set(state.Head{Sequence: last})
	p.observer.Delivered(&Delivery{
		Sink: d.sink.Name(), Events: d.events, Took: time.Since(began), At: p.clock.now(),
		Remaining: p.durable.get().Sequence - last,
	})
	return p.discard()
}

// discardEvery is how many delivered events may stay in the outbox before they are removed together.
const discardEvery = 10_000

// discard removes what every sink has taken from the outbox.
func (p *Pipeline) discard() error {
	taken := p.durable.get().Sequence
	for _, d := range p.sinks {
		taken = min(taken, d.delivered.get().Sequence)
	}
	p.outbox.discarding.Lock()
	defer p.outbox.discarding.Unlock()
	if taken < p.outbox.discarded+discardEvery && p.outbox.bytes.Load() < p.options.OutboxLimit/2 {
		return nil
	}
	events, bytes, err := p.store.Discard(taken)
	if err != nil {
		return err
	}
	p.outbox.discarded = taken
	p.outbox.add(-events, -bytes)
	return nil
}

// SinkStatus is how far a sink has come.
type SinkStatus struct {
	Name      string
	Ready     bool
	Stopped   bool
	Delivered uint64            // sequence
	Lag       uint64            // events
	Oldest    evaluator.Instant // commit time of the oldest event it has yet to take; NoInstant when none
}
