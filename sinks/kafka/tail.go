package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/fetch"
	"github.com/sourcegraph/conc/pool"
)

// tail is what the end of a partition's log says.
type tail struct {
	sequence uint64 // of the last event of this worker's source, 0 when there is none
	id       string // of that event
	end      int64  // offset behind the last record seen
}

const (
	tailWindow  = 64               // records to look at first
	markerWait  = 10 * time.Second // for the marker to be replicated, then the procedure starts over
	markerPause = 2 * time.Millisecond
	tailReaders = 8
	fetchBytes  = 4 << 20
)

// tails reads the tail of every partition. before are the limits from before the marker of s was asked for.
func (p *Producer) tails(ctx context.Context, s session, before []limit) (found []tail, err error) {
	start := time.Now()
	defer func() { p.observe(RequestTails, start, err) }()
	found = make([]tail, len(before))
	readers := pool.New().WithContext(ctx).WithCancelOnError().WithFirstError().WithMaxGoroutines(tailReaders)
	for i, l := range before {
		readers.Go(func(ctx context.Context) (err error) {
			t := tailReader{producer: p, partition: i, session: s}
			if found[i], err = t.read(ctx, l.first, l.end); err != nil {
				return fmt.Errorf("read the tail of partition %d: %w", i, err)
			}
			return nil
		})
	}
	return found, readers.Wait()
}

// tailReader reads one partition backwards in windows.
type tailReader struct {
	producer  *Producer
	partition int
	session   session // whose marker to wait for

	tail   tail
	marked bool
}

// read returns the tail of a log that began at first and ended at end before the marker was asked for.
func (t *tailReader) read(ctx context.Context, first, end int64) (tail, error) {
	t.tail.end = end
	if t.producer.o.transactional() {
		if err := t.awaitMarker(ctx, end); err != nil {
			return tail{}, err
		}
	}
	// Now nothing can be appended before t.tail.end any more. What the wait passed over is in the tail already.
	for window, to := int64(tailWindow), end; t.tail.sequence == 0 && to > first; window *= 2 {
		from := max(first, to-window)
		if _, err := t.scan(ctx, from, to); err != nil {
			return tail{}, err
		}
		to = from
	}
	return t.tail, nil
}

// awaitMarker reads on from offset until the session's marker is below the high watermark.
func (t *tailReader) awaitMarker(ctx context.Context, offset int64) error {
	ctx, cancel := context.WithTimeoutCause(ctx, markerWait, errNoMarker)
	defer cancel()
	for {
		next, err := t.scan(ctx, offset, -1)
		if err != nil || t.marked {
			return err
		}
		if next == offset {
			if err := pause(ctx, markerPause); err != nil {
				return context.Cause(ctx)
			}
		}
		offset = next
	}
}

var errNoMarker = errors.New("the epoch's marker has not arrived: are enough replicas in sync?")

// scan reads the records from offset from up to (not including) to, or what there is now when to is -1, and returns the
// offset behind the last one.
func (t *tailReader) scan(ctx context.Context, from, to int64) (next int64, err error) {
	for next = from; to < 0 || next < to; {
		records, watermark, err := t.fetch(ctx, next)
		if err != nil {
			return next, err
		}
		reached, err := t.inspect(records, next, to)
		if err != nil {
			return next, err
		}
		if reached == next {
			if next >= watermark {
				if to > next {
					return next, fmt.Errorf("the log ends at offset %d, before %d", watermark, to)
				}
				return next, nil
			}
			reached++ // an offset without a record: compacted away
		}
		next = reached
		if to < 0 && next >= watermark {
			return next, nil
		}
	}
	return next, nil
}

func (t *tailReader) fetch(ctx context.Context, offset int64) (protocol.RecordSet, int64, error) {
	none := protocol.RecordSet{}
	answer, err := t.producer.cluster.roundTrip(ctx, &fetch.Request{
		ReplicaID:    -1,
		MaxWaitTime:  50,
		MinBytes:     1,
		MaxBytes:     fetchBytes,
		SessionEpoch: -1,
		Topics: []fetch.RequestTopic{{
			Topic: t.producer.o.Topic,
			Partitions: []fetch.RequestPartition{{
				Partition: int32(t.partition), CurrentLeaderEpoch: -1, FetchOffset: offset, LogStartOffset: -1,
				PartitionMaxBytes: fetchBytes,
			}},
		}},
	})
	if err != nil {
		return none, 0, err
	}
	response := answer.(*fetch.Response)
	if response.ErrorCode != 0 {
		return none, 0, kafkago.Error(response.ErrorCode)
	}
	if len(response.Topics) != 1 || len(response.Topics[0].Partitions) != 1 {
		return none, 0, errors.New("fetch: an answer without the partition")
	}
	partition := response.Topics[0].Partitions[0]
	if partition.ErrorCode != 0 {
		return none, 0, kafkago.Error(partition.ErrorCode)
	}
	return partition.RecordSet, partition.HighWatermark, nil
}

// inspect takes note of the records from offset from up to to, and returns the offset behind the last one at or after from.
func (t *tailReader) inspect(set protocol.RecordSet, from, to int64) (int64, error) {
	stream, _ := set.Records.(*protocol.RecordStream)
	if stream == nil {
		return from, nil
	}
	next := from
	for _, batch := range stream.Records {
		control, _ := batch.(*protocol.ControlBatch)
		for {
			record, err := batch.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return next, fmt.Errorf("record after offset %d: %w", next, err)
			}
			t.release(record)
			if record.Offset < from || to >= 0 && record.Offset >= to {
				continue
			}
			next = max(next, record.Offset+1)
			t.tail.end = max(t.tail.end, next)
			if control == nil {
				t.note(record)
			} else if control.ProducerID == t.session.id && control.ProducerEpoch >= t.session.epoch {
				t.marked = true
			}
		}
	}
	return next, nil
}

// release gives the memory of key and value back to kafka-go: the headers say all that is needed here.
func (t *tailReader) release(record *protocol.Record) {
	if record.Key != nil {
		record.Key.Close()
	}
	if record.Value != nil {
		record.Value.Close()
	}
}

// note remembers the record if it is an event of this worker's source and the latest so far.
func (t *tailReader) note(record *protocol.Record) {
	var source, sequence, id string
	for _, header := range record.Headers {
		switch header.Key {
		case headerSource:
			source = string(header.Value)
		case headerSequence:
			sequence = string(header.Value)
		case headerID:
			id = string(header.Value)
		}
	}
	if source != t.producer.o.source {
		return
	}
	if n, err := strconv.ParseUint(sequence, 10, 64); err == nil && n > t.tail.sequence {
		t.tail.sequence, t.tail.id = n, id
	}
}
