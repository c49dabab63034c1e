package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"muster/evaluator"
	"muster/pipeline"
	"muster/pipeline/event"
	"muster/pipeline/state"
	"muster/sinks/clickhouse"
	"muster/sinks/kafka"
)

// ErrNoBaseline is returned when nothing says what was published.
var ErrNoBaseline = errors.New("what was published last is not known")

// publishedTail is what the sinks hold beyond a sequence.
type publishedTail struct {
	last   uint64 // in any sink
	events map[uint64]event.Event
}

// baseline finds out what was published. It returns nil where that is just what the state says.
func (r *rebuild) baseline(ctx context.Context, store *state.Store) (*pipeline.Baseline, error) {
	head, err := store.Head()
	if err != nil {
		return nil, err
	}
	known := head.Sequence > 0
	kafkaLast, chLast, err := r.lastInSinks(ctx)
	last := max(kafkaLast, chLast)
	switch {
	case r.o.FromNothing:
		if err != nil {
			return nil, fmt.Errorf("the sequence goes on behind the last that was published, so every sink has to answer: %w", err)
		}
		r.report.Baseline = "nothing"
		r.note("everybody enters again, entry counts begin at 1, and which triggers were used is forgotten")
		return &pipeline.Baseline{Sequence: last, Sinks: r.sinkNames(), Memberships: noMemberships}, nil
	case known && err != nil:
		r.note("a sink could not be asked whether it is ahead of the old state, which is taken for what was published: %v", err)
		fallthrough
	case known && last <= head.Sequence:
		r.report.Baseline = "state"
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%w: there is no old state, and %w; bring that back, or let everybody enter anew with --from-nothing", ErrNoBaseline, err)
	}
	if last == 0 {
		r.report.Baseline = "nothing"
		r.note("nothing was published before")
		return nil, nil
	}
	return r.fromSinks(ctx, head, kafkaLast, chLast)
}

func noMemberships(func(pipeline.Published, error) bool) {}

func (r *rebuild) sinkNames() (names []string) {
	if r.config.Kafka.Enabled {
		names = append(names, "kafka")
	}
	if r.config.ClickHouse.Enabled {
		names = append(names, "clickhouse")
	}
	return names
}

// lastInSinks asks every sink for the last sequence it holds.
func (r *rebuild) lastInSinks(ctx context.Context) (inKafka, inClickHouse uint64, err error) {
	if r.config.Kafka.Enabled {
		o, kerr := KafkaOptions(r.config, r.log)
		if kerr == nil {
			_, inKafka, kerr = kafka.Published(ctx, o, ^uint64(0))
		}
		if kerr != nil {
			err = errors.Join(err, fmt.Errorf("Kafka cannot be read: %w", kerr))
		}
	}
	if r.config.ClickHouse.Enabled {
		cerr := r.history(func(h *clickhouse.History) (err error) {
			inClickHouse, err = h.LastSequence(ctx)
			return err
		})
		if cerr != nil {
			err = errors.Join(err, fmt.Errorf("ClickHouse cannot be read: %w", cerr))
		}
	}
	return inKafka, inClickHouse, err
}

func (r *rebuild) history(ask func(*clickhouse.History) error) error {
	o, err := ClickHouseOptions(r.config, r.log)
	if err != nil {
		return err
	}
	h, err := clickhouse.OpenHistory(o)
	if err != nil {
		return err
	}
	return errors.Join(ask(h), h.Close())
}

// fromSinks is for a state that is gone, or older than what the sinks hold: the memberships on record in ClickHouse, or in
// the old state where there is no ClickHouse, and on top of them the events beyond. Each sink then gets those of them
// that the other has and it has not, so that all sinks stand at the same point.
func (r *rebuild) fromSinks(ctx context.Context, head state.Head, kafkaLast, chLast uint64) (*pipeline.Baseline, error) {
	from := chLast
	if !r.config.ClickHouse.Enabled {
		from = head.Sequence
	}
	tail, err := r.tail(ctx, from, kafkaLast)
	if err != nil {
		return nil, err
	}
	if missing := tail.last - from - uint64(len(tail.events)); missing > 0 && tail.last > from {
		if !r.config.ClickHouse.Enabled {
			return nil, fmt.Errorf("%w: the old state ends at sequence %d, and Kafka holds only %d of the %d events behind it; let everybody enter anew with --from-nothing",
				ErrNoBaseline, from, len(tail.events), tail.last-from)
		}
		r.note("%d sequence numbers up to %d were given out and are in no sink: they were lost with the old state before anybody saw them", missing, tail.last)
	}
	if err := r.level(ctx, tail, kafkaLast); err != nil {
		return nil, err
	}
	r.report.Baseline = "history"
	if head.Sequence == 0 && from > 0 {
		r.note("which entries have triggered is known as far as the history in ClickHouse goes back: beyond that, an audience that triggers once may trigger a user again")
	}
	last := max(tail.last, chLast, kafkaLast, head.Sequence)
	return &pipeline.Baseline{Sequence: last, Sinks: r.sinkNames(), Memberships: func(yield func(pipeline.Published, error) bool) {
		r.memberships(ctx, tail, yield)
	}}, nil
}

// memberships yields what is on record and then what the tail made of it: the later counts.
func (r *rebuild) memberships(ctx context.Context, tail publishedTail, yield func(pipeline.Published, error) bool) {
	if r.config.ClickHouse.Enabled {
		more := true
		err := r.history(func(h *clickhouse.History) (err error) {
			more, err = onRecord(ctx, h, yield)
			return err
		})
		if err != nil && more {
			yield(pipeline.Published{}, err)
			return
		}
		if !more {
			return
		}
	}
	for _, sequence := range slices.Sorted(maps.Keys(tail.events)) {
		e := tail.events[sequence]
		m := pipeline.Published{
			Audience: e.Audience, User: e.User, Tenant: e.Tenant, In: e.Type == event.Entered, Triggered: e.Trigger,
			Version: e.Version, Count: e.EntryCount, EnteredAt: e.EnteredAt, Cause: e.Cause,
		}
		if !yield(m, nil) {
			return
		}
	}
}

func onRecord(ctx context.Context, h *clickhouse.History, yield func(pipeline.Published, error) bool) (more bool, err error) {
	type membership struct{ audience, user, tenant string }
	triggered := make(map[membership]bool)
	for m, err := range h.Triggered(ctx) {
		if err != nil {
			return true, err
		}
		triggered[membership{m.Audience, m.User, m.Tenant}] = true
	}
	for m, err := range h.Published(ctx) {
		if err != nil {
			return true, err
		}
		p := pipeline.Published{
			Audience: m.Audience, User: m.User, Tenant: m.Tenant, In: m.Member, Triggered: triggered[membership{m.Audience, m.User, m.Tenant}],
			Version: m.Version, Count: m.EntryCount, EnteredAt: evaluator.InstantOf(m.EnteredAt),
		}
		if !yield(p, nil) {
			return false, nil
		}
	}
	return true, nil
}

// tail collects the events beyond a sequence from every sink.
func (r *rebuild) tail(ctx context.Context, after, kafkaLast uint64) (publishedTail, error) {
	t := publishedTail{last: max(after, kafkaLast), events: make(map[uint64]event.Event)}
	if r.config.Kafka.Enabled && kafkaLast > after {
		o, err := KafkaOptions(r.config, r.log)
		if err != nil {
			return t, err
		}
		events, _, err := kafka.Published(ctx, o, after)
		if err != nil {
			return t, err
		}
		for i := range events {
			// The topic does not say when it was committed; when it happened comes close.
			events[i].CommittedAt = events[i].OccurredAt
			t.events[events[i].Sequence] = events[i]
		}
	}
	if !r.config.ClickHouse.Enabled {
		return t, nil
	}
	return t, r.history(func(h *clickhouse.History) error {
		for e, err := range h.Events(ctx, after) { // of a batch whose memberships did not get there
			if err != nil {
				return err
			}
			t.events[e.Sequence], t.last = e, max(t.last, e.Sequence)
		}
		return nil
	})
}

// level gives each sink what only the other has.
func (r *rebuild) level(ctx context.Context, tail publishedTail, kafkaLast uint64) error {
	events := make([]event.Event, 0, len(tail.events))
	for _, sequence := range slices.Sorted(maps.Keys(tail.events)) {
		events = append(events, tail.events[sequence])
	}
	if r.config.ClickHouse.Enabled && len(events) > 0 {
		o, err := ClickHouseOptions(r.config, r.log)
		if err != nil {
			return err
		}
		sink, err := clickhouse.New(o)
		if err != nil {
			return err
		}
		if err := errors.Join(sink.Deliver(ctx, events), sink.Close()); err != nil {
			return fmt.Errorf("complete ClickHouse: %w", err)
		}
	}
	if !r.config.Kafka.Enabled || !r.config.ClickHouse.Enabled {
		return nil
	}
	return r.levelKafka(ctx, kafkaLast)
}

// kafkaWindow is how many events may be on their way to Kafka at once: all before have been acknowledged, those within may
// be in one partition and not yet in another.
const kafkaWindow = 20_000

func (r *rebuild) levelKafka(ctx context.Context, kafkaLast uint64) error {
	var behind []event.Event
	err := r.history(func(h *clickhouse.History) error {
		for e, err := range h.Events(ctx, kafkaLast-min(kafkaLast, kafkaWindow)) {
			if err != nil {
				return err
			}
			behind = append(behind, e)
		}
		return nil
	})
	if err != nil || len(behind) == 0 {
		return err
	}
	o, err := KafkaOptions(r.config, r.log)
	if err != nil {
		return err
	}
	producer, err := kafka.New(o)
	if err != nil {
		return err
	}
	err = producer.Recover(ctx)
	for len(behind) > 0 && err == nil {
		n := min(len(behind), kafkaWindow)
		err = producer.Deliver(ctx, behind[:n]) // which passes over what a partition holds already
		behind = behind[n:]
	}
	if err = errors.Join(err, producer.Close()); err != nil {
		return fmt.Errorf("complete Kafka: %w", err)
	}
	return nil
}
