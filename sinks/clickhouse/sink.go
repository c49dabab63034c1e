package clickhouse

import (
	"context"
	"time"

	"muster/pipeline/event"
)

// Sink delivers membership events. It is used by one goroutine at a time.
type Sink struct {
	*session
	events      eventRows
	memberships membershipRows
	last        uint64 // sequence on record when it recovered
}

// New returns a sink that has not connected yet. It reports every fault of the options.
func New(options Options) (*Sink, error) {
	session, err := connect(options)
	if err != nil {
		return nil, err
	}
	return &Sink{session: session}, nil
}

// Name is the sink's name in cursors, metrics and logs.
func (s *Sink) Name() string { return "clickhouse" }

// BatchSize is what the pipeline should collect for one Deliver: up to rows events, waiting no longer than wait for more.
func (s *Sink) BatchSize() (rows int, wait time.Duration) {
	return s.options.FlushRows, s.options.FlushInterval
}

// Recover connects, makes or upgrades the schema and applies the TTL, repeating what fails until it succeeds, ctx ends or
// the failure is terminal (*Error). It may be called again at any time.
func (s *Sink) Recover(ctx context.Context) error {
	if err := s.retry(ctx, request{doing: "prepare the schema", limit: schemaTimeout, do: s.prepare}); err != nil {
		return err
	}
	return s.retry(ctx, request{doing: "read the last sequence on record", limit: s.options.RequestTimeout, do: func(ctx context.Context) (err error) {
		s.last, err = (&History{s.session}).LastSequence(ctx)
		return err
	}})
}

// LastSequence returns the highest sequence that was on record when Recover returned, 0 if there was none. A worker whose state
// ends before it has lost that state, and what it numbers anew would be taken for repeats.
func (s *Sink) LastSequence() uint64 { return s.last }

// Deliver returns nil once every event is durably in ClickHouse. It repeats what fails until it succeeds, ctx ends or the
// failure is terminal (*Error); the caller then sends the same events again, in a batch with the same boundaries, also
// after a restart. Events are ascending by Sequence and of one environment.
func (s *Sink) Deliver(ctx context.Context, events []event.Event) error {
	if len(events) == 0 {
		return nil
	}
	for part := range parts(events, maxBlockRows) {
		s.events.fill(part.events)
		if err := s.insert(ctx, s.names.table(eventsTable), &s.events, part.token); err != nil {
			return err
		}
	}
	// After the history, so that a membership never claims an event that the history does not have.
	for part := range chunks(events, maxBlockRows) {
		s.memberships.fill(part.events)
		if err := s.insert(ctx, s.names.table(membershipsTable), &s.memberships, part.token); err != nil {
			return err
		}
	}
	return nil
}
