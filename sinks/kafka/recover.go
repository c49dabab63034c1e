package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// loginTries is how often a refused login is tried again: kafka-go reports a broker that hangs up in the middle of the
// handshake, as one that restarts does, in the same way.
const loginTries = 5

// Recover connects, finds or creates the topic, fences all earlier producers and reads the tail of every partition. It
// tries until that is done, until a fault that needs a person (the types in this package), or until ctx ends.
// Deliver calls it by itself whenever it is needed. The first call of a process stops the worker that held the
// transactional id before.
func (p *Producer) Recover(ctx context.Context) error {
	p.stale = true
	for try := 1; ; try++ {
		err := p.recoverOnce(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("kafka: recover: %w (last: %v)", ctx.Err(), err)
		}
		if fatal := p.terminal("recover", err); fatal != nil && !(p.loginRefused(err) && try < loginTries) {
			return fatal
		}
		if errors.Is(err, errRecord) {
			return err
		}
		if try&(try-1) == 0 { // at 1, 2, 4, 8 ...: an outage of hours is no reason to fill the log
			p.o.Logger.Warn("kafka: not ready, trying again", "error", err, "try", try)
		}
		p.cluster.reset()
		if waitErr := p.backoff.wait(ctx); waitErr != nil {
			return fmt.Errorf("kafka: recover: %w (last: %v)", waitErr, err)
		}
	}
}

func (p *Producer) loginRefused(err error) bool {
	return codeOf(err) == kafkago.SASLAuthenticationFailed
}

func (p *Producer) recoverOnce(ctx context.Context) error {
	found, err := p.openTopic(ctx)
	if err != nil {
		return err
	}
	if limit := p.askLimit(ctx); limit > 0 {
		p.limit = limit
	}
	next, before, err := p.fence(ctx, found)
	if err != nil {
		return err
	}
	tails, err := p.tails(ctx, next, before)
	if err != nil {
		return err
	}
	if p.another(found) {
		p.partitions, p.numbers = nil, nil // what was known of them was of the topic before
	}
	p.install(tails)
	if err := p.checkLog(tails); err != nil {
		return err
	}
	if err := p.adopt(ctx, found, tails); err != nil {
		return err
	}
	p.stale = false
	return nil
}

// fence opens the next session and carries its epoch into every partition. It returns the partitions' limits from before
// the markers. The session counts from here on, whatever comes next: only it can be continued.
func (p *Producer) fence(ctx context.Context, found view) (s session, before []limit, err error) {
	start := time.Now()
	defer func() { p.observe(RequestFence, start, err) }()
	if s, err = p.begin(ctx); err != nil {
		return s, nil, err
	}
	p.session, p.fencedAt = s, time.Now()
	if before, err = p.limits(ctx, found); err != nil {
		return s, nil, err
	}
	if p.o.transactional() {
		err = p.mark(ctx, s, len(found.partitions))
	}
	return s, before, err
}

// install makes the new session current in every partition: sequence numbers start from 0 again.
func (p *Producer) install(tails []tail) {
	for i := len(p.partitions); i < len(tails); i++ {
		p.partitions = append(p.partitions, &partition{number: i, encoder: newEncoder(p.o.source, p.o.codec)})
		p.numbers = append(p.numbers, i)
	}
	for i, t := range tails {
		part := p.partitions[i]
		part.base, part.limit = 0, p.batchLimit()
		if t.sequence > part.last {
			part.last, part.lastID = t.sequence, t.id
		}
		p.sawSequence(part.last)
	}
}

// checkLog compares the ends of the logs with what was acknowledged.
func (p *Producer) checkLog(tails []tail) error {
	for i, t := range tails {
		part := p.partitions[i]
		if t.end < part.end {
			return &LogTruncatedError{Topic: p.o.Topic, Partition: i, End: t.end, Expected: part.end,
				Last: t.sequence, LastBefore: part.last}
		}
		part.end = t.end
	}
	return nil
}

// batchLimit is how many bytes of records go into one batch. Kept within the topic's limit before compression, a batch of
// several records is never refused for its size.
func (p *Producer) batchLimit() int {
	if p.limit > 0 {
		return min(p.o.MaxBatchBytes, p.limit)
	}
	return p.o.MaxBatchBytes
}
