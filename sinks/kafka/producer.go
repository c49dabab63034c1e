package kafka

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"muster/pipeline/event"
)

// Producer is the Kafka sink. Make one with New.
type Producer struct {
	o       options
	cluster *cluster

	session    session
	fencedAt   time.Time
	doubt      time.Time // when a takeover of the transactional id got no answer
	lookedAt   time.Time
	stale      bool      // fence and read the tails before the next event
	absent     time.Time // since when the topic is
	partitions []*partition
	numbers    []int  // 0, 1, ... of all partitions, for the balancer
	limit      int    // the topic's max.message.bytes, 0 is not known
	growth     growth // what remains to be done under the old count
	key        []byte
	balancer   kafkago.Murmur2Balancer
	backoff    backoff

	interrupted atomic.Bool // partitions stop between batches: the session has to be renewed

	mu    sync.Mutex // guards what follows
	state TopicState
	last  uint64
}

// growth is a change of the partition count that is not in use yet.
type growth struct {
	partitions int    // the new count, 0 is no growth
	after      uint64 // the last sequence that may have been written under the old count
}

// partition is what the producer knows of one partition. While a Deliver runs, one goroutine has it.
type partition struct {
	number  int
	last    uint64 // sequence of the last event in the log
	lastID  string // of that event, when it was read from the log
	end     int64  // offset behind the last acknowledged record
	base    int32  // sequence number of the next record in this epoch
	limit   int    // bytes of a batch
	encoder *encoder
	pending []*event.Event
	outcome error
}

// New returns a producer that has not connected yet.
func New(o Options) (*Producer, error) {
	resolved, err := o.resolve()
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	c, err := newCluster(&resolved)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return &Producer{o: resolved, cluster: c, stale: true, state: o.Recorded, key: make([]byte, 0, 64), backoff: backoff{most: backoffMost}}, nil
}

// Name returns "kafka", the sink's name in metrics, cursors and logs.
func (p *Producer) Name() string { return "kafka" }

// State returns the state of the topic as last recorded.
func (p *Producer) State() TopicState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// LastSequence returns the greatest sequence of this worker's source that is known to be in the topic, 0 when there is none
// or Recover has not run. When it is greater than that of the worker's outbox, the state is older than the topic.
func (p *Producer) LastSequence() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

// Close ends all connections, also those of a Deliver that still runs. It may be called more than once.
func (p *Producer) Close() error {
	p.cluster.close()
	return nil
}

// record makes a new topic state durable, then current.
func (p *Producer) record(ctx context.Context, s TopicState) error {
	if err := p.o.Record(ctx, s); err != nil {
		return fmt.Errorf("%w: %w", errRecord, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = s
	return nil
}

func (p *Producer) sawSequence(sequence uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = max(p.last, sequence)
}
