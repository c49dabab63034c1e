package pipeline

import (
	"context"

	"muster/pipeline/event"
	"muster/pipeline/state"
)

// Listener reads the outbox beside the sinks, at its own pace: nobody waits for it. What the sinks have taken and the
// outbox has let go of before the listener came to it is passed over, and said.
type Listener struct {
	pipeline *Pipeline
	last     uint64
}

// Listen returns a listener of the events behind a sequence.
func (p *Pipeline) Listen(after uint64) *Listener { return &Listener{pipeline: p, last: after} }

// LastSequence is that of the last durable event.
func (p *Pipeline) LastSequence() uint64 { return p.durable.get().Sequence }

const (
	listenEvents = 500     // at most, in one call of Next
	listenBytes  = 1 << 20 // of outbox, likewise
)

// Next waits for events that are on disk and returns them, in order, together with how many before them are gone.
func (l *Listener) Next(ctx context.Context) (events []event.Event, missed uint64, err error) {
	durable := &l.pipeline.durable
	if err := durable.until(ctx, func(h state.Head) bool { return h.Sequence > l.last }); err != nil {
		return nil, 0, err
	}
	last := durable.get().Sequence
	if events, err = l.pipeline.store.Outbox(nil, l.last+1, min(last, l.last+listenEvents), listenBytes); err != nil {
		return nil, 0, err
	}
	if len(events) == 0 { // gone, perhaps with all up to the last
		if events, err = l.pipeline.store.Outbox(nil, l.last+1, last, 1); err != nil {
			return nil, 0, err
		}
	}
	if len(events) == 0 {
		missed, l.last = last-l.last, last
		return nil, missed, nil
	}
	missed, l.last = events[0].Sequence-l.last-1, events[len(events)-1].Sequence
	return events, missed, nil
}

// AwaitGeneration returns when definitions later than a generation are in force, on disk; 0 is before the first.
func (p *Pipeline) AwaitGeneration(ctx context.Context, after uint64) error {
	return p.durable.until(ctx, func(h state.Head) bool { return h.Generation > after })
}
