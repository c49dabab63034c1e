package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/sourcegraph/conc"

	"muster/pipeline/event"
)

// renewAfter bounds the age of a session. The coordinator forgets a transactional id that is not used for
// transactional.id.expiration.ms, 7 days by default, and would give another worker a new producer id that does not
// fence ours; the fence uses it.
const renewAfter = 12 * time.Hour

// errStale says that the session has to be renewed and the tails read before more is sent.
var errStale = errors.New("the session is no longer good")

// Deliver publishes events, which are in the order of their sequence and after those of earlier calls, and returns nil
// once all are acknowledged. Events that are in the log already are skipped. It keeps trying through every fault that
// passes; other errors are those of this package's types, of ctx and of Options.Record. After an error the same events
// may be delivered again.
func (p *Producer) Deliver(ctx context.Context, events []event.Event) error {
	for len(events) > 0 {
		if err := p.ready(ctx); err != nil {
			return err
		}
		now, err := p.underOneCount(ctx, events)
		if err != nil {
			return err
		}
		switch err := p.publish(ctx, events[:now]); {
		case err == nil:
			events = events[now:]
			p.backoff.reset()
		case errors.Is(err, errStale):
			p.stale = true
			p.o.Logger.Warn("kafka: fencing again", "error", err)
			if err := p.backoff.wait(ctx); err != nil {
				return fmt.Errorf("kafka: deliver: %w", err)
			}
		default:
			p.stale = true
			return err
		}
	}
	return nil
}

// ready renews what has to be renewed before events are sent.
func (p *Producer) ready(ctx context.Context) error {
	switch {
	case p.stale, time.Since(p.fencedAt) > renewAfter:
	case time.Since(p.lookedAt) < p.o.MetadataInterval || !p.changed(ctx):
		return nil
	}
	p.cluster.reset()
	return p.Recover(ctx)
}

// underOneCount returns how many of events can be sent under the current partition count, at least one. When the topic
// has grown and what went before is done, it makes the new count current.
func (p *Producer) underOneCount(ctx context.Context, events []event.Event) (int, error) {
	if p.growth.partitions == 0 {
		return len(events), nil
	}
	old := 0
	for old < len(events) && events[old].Sequence <= p.growth.after {
		old++
	}
	if old > 0 {
		return old, nil
	}
	state := TopicState{ID: p.State().ID, Partitions: p.growth.partitions, Since: events[0].Sequence}
	if err := p.record(ctx, state); err != nil {
		return 0, err
	}
	p.growth = growth{}
	return len(events), nil
}

// publish sends events to their partitions, all partitions at once and one request at a time in each.
func (p *Producer) publish(ctx context.Context, events []event.Event) error {
	active, err := p.distribute(events)
	if err != nil || len(active) == 0 {
		return err
	}
	p.interrupted.Store(false)
	if len(active) == 1 {
		active[0].outcome = p.drain(ctx, active[0])
		return outcome(active)
	}
	var group conc.WaitGroup
	for _, part := range active {
		group.Go(func() { part.outcome = p.drain(ctx, part) })
	}
	group.Wait()
	return outcome(active)
}

// distribute puts the events that are not in the log yet before their partitions and returns the partitions that have any.
func (p *Producer) distribute(events []event.Event) ([]*partition, error) {
	state := p.State()
	for _, part := range p.partitions {
		clear(part.pending)
		part.pending = part.pending[:0]
	}
	var active []*partition
	for i := range events {
		e := &events[i]
		p.key = append(p.key[:0], e.User...) // never nil: the balancer spreads records without a key at random
		part := p.partitions[p.balancer.Balance(kafkago.Message{Key: p.key}, p.numbers[:state.Partitions]...)]
		if e.Sequence < state.Since {
			continue
		}
		if e.Sequence <= part.last {
			if err := p.checkHistory(part, e); err != nil {
				return nil, err
			}
			continue
		}
		if len(part.pending) == 0 {
			active = append(active, part)
		}
		part.pending = append(part.pending, e)
	}
	return active, nil
}

// checkHistory makes sure that the event about to be skipped is the one in the log, where its id is known.
func (p *Producer) checkHistory(part *partition, e *event.Event) error {
	if e.Sequence != part.last || part.lastID == "" {
		return nil
	}
	if id := e.ID(); id != part.lastID {
		return &HistoryError{Topic: p.o.Topic, Partition: part.number, Sequence: e.Sequence, Found: part.lastID, Wanted: id}
	}
	return nil
}

// outcome joins what became of the partitions: an error that ends Deliver comes before one that only renews the session.
func outcome(active []*partition) error {
	var stale error
	for _, part := range active {
		switch {
		case part.outcome == nil:
		case errors.Is(part.outcome, errStale):
			stale = part.outcome
		default:
			return part.outcome
		}
	}
	return stale
}
