package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// resends of the same batch before the whole procedure starts over, which looks at the topic too.
const resends = 6

// drain sends the partition's pending events batch by batch.
func (p *Producer) drain(ctx context.Context, part *partition) error {
	for len(part.pending) > 0 {
		if p.interrupted.Load() {
			return errStale
		}
		s := stamp{session: p.session, base: part.base, millis: time.Now().UnixMilli()}
		count, request := part.encoder.encode(part.pending, part.limit, s)
		if err := p.send(ctx, part, request, count); err != nil {
			if !errors.Is(err, errSplit) {
				p.interrupted.Store(true)
				return err
			}
		}
	}
	return nil
}

// errSplit says that the batch was too large and is to be made smaller.
var errSplit = errors.New("the batch is too large")

// send sends one batch until it is acknowledged.
func (p *Producer) send(ctx context.Context, part *partition, request []byte, count int) error {
	waits := backoff{most: p.backoff.most}
	for try := 1; ; try++ {
		start := time.Now()
		answer, err := p.cluster.produce(ctx, part.number, request)
		o := Observation{Request: RequestProduce, Elapsed: time.Since(start), Bytes: len(request), Err: err, Kind: kindOf(err)}
		if answer != nil {
			o.Throttle = answer.Throttle
		} else if err != nil {
			part.encoder.forget()
		}
		v := judge(err)
		if v == done {
			o.Events = count
		}
		p.o.Observe(o)

		if ctx.Err() != nil && v != done {
			return fmt.Errorf("kafka: deliver: %w", ctx.Err())
		}
		switch v {
		case done:
			return p.acknowledge(ctx, part, answer, count)
		case tooLarge:
			return p.shrink(part, request, count)
		case denied, rejected:
			return p.terminal(fmt.Sprintf("write to topic %q", p.o.Topic), err)
		case stale:
			return fmt.Errorf("%w: partition %d: %w", errStale, part.number, err)
		case unknown:
			if p.o.transactional() {
				return fmt.Errorf("%w: partition %d: %w", errStale, part.number, err)
			}
		}
		// A partition without enough replicas has nothing that a fence would mend, and could not take its marker.
		if try >= resends && codeOf(err) != kafkago.NotEnoughReplicas {
			return fmt.Errorf("%w: partition %d, %d times: %w", errStale, part.number, try, err)
		}
		if try >= resends && try&(try-1) == 0 {
			p.o.Logger.Warn("kafka: not written, trying again", "partition", part.number, "error", err, "try", try)
		}
		p.cluster.resetSince(start)
		if err := waits.wait(ctx); err != nil {
			return fmt.Errorf("kafka: deliver: %w", err)
		}
	}
}

// acknowledge takes note that the first count pending events are in the log.
func (p *Producer) acknowledge(ctx context.Context, part *partition, answer *kafkago.ProduceResponse, count int) error {
	last := part.pending[count-1].Sequence
	part.pending = part.pending[count:]
	before := part.last
	part.last, part.lastID = last, ""
	part.base = nextBase(part.base, count)
	p.sawSequence(last)
	if answer.Error == nil { // else it was a duplicate, whose offset the broker does not tell
		if answer.BaseOffset < part.end {
			return p.truncated(ctx, part, answer.BaseOffset, before)
		}
		part.end = answer.BaseOffset + int64(count)
	}
	if answer.Throttle > 0 {
		if err := pause(ctx, answer.Throttle); err != nil {
			return fmt.Errorf("kafka: deliver: %w", err)
		}
	}
	return nil
}

// nextBase adds count to a sequence number, which goes on with 0 after 2147483647.
func nextBase(base int32, count int) int32 { return int32((int64(base) + int64(count)) & 0x7fff_ffff) }

// truncated tells a topic that was created anew from a log that lost its end, when a record got an offset that was taken.
func (p *Producer) truncated(ctx context.Context, part *partition, offset int64, before uint64) error {
	if found, err := p.look(ctx); err == nil && found.err == 0 {
		if err := p.compare(found); err != nil {
			return err
		}
	}
	return &LogTruncatedError{Topic: p.o.Topic, Partition: part.number, End: offset, Expected: part.end,
		Last: part.last, LastBefore: before}
}

// shrink makes the next batches of the partition smaller, or gives up when the batch held one event.
func (p *Producer) shrink(part *partition, request []byte, count int) error {
	if count > 1 {
		part.limit = max(1, len(part.encoder.records)/2)
		return errSplit
	}
	e := part.pending[0]
	return &RecordTooLargeError{
		Topic: p.o.Topic, ID: e.ID(), Sequence: e.Sequence, Audience: e.Audience, User: e.User,
		Bytes: len(request) - sizePrefix, Limit: p.limit,
	}
}
