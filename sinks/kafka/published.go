package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"muster/pipeline/event"
)

// Published reads what the topic holds of the environment: the last sequence, 0 when there is none, and the events whose
// sequence is greater than after, ascending. It writes nothing and fences nobody, so it is for when no worker runs. It reads
// no more of each partition than that needs.
func Published(ctx context.Context, options Options, after uint64) (events []event.Event, last uint64, err error) {
	p, err := New(options)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	found, err := p.look(ctx)
	if err != nil {
		return nil, 0, fmt.Errorf("kafka: read what was published: %w", err)
	}
	if found.err == kafkago.UnknownTopicOrPartition {
		return nil, 0, nil
	}
	if found.err != 0 {
		return nil, 0, fmt.Errorf("kafka: read what was published: %w", found.err)
	}
	ends, err := p.limits(ctx, found)
	if err != nil {
		return nil, 0, fmt.Errorf("kafka: read what was published: %w", err)
	}
	for i, end := range ends {
		r := publishedReader{tailReader: tailReader{producer: p, partition: i}, after: after}
		if err := r.back(ctx, end); err != nil {
			return nil, 0, fmt.Errorf("kafka: read what was published in partition %d: %w", i, err)
		}
		events, last = append(events, r.events...), max(last, r.tail.sequence)
	}
	slices.SortFunc(events, func(a, b event.Event) int {
		if a.Sequence < b.Sequence {
			return -1
		}
		return 1
	})
	return slices.CompactFunc(events, func(a, b event.Event) bool { return a.Sequence == b.Sequence }), last, nil
}

// publishedReader reads one partition backwards, in windows that double, until it meets what it need not know.
type publishedReader struct {
	tailReader
	after  uint64
	events []event.Event
	met    bool // an event at or before after
}

func (r *publishedReader) back(ctx context.Context, l limit) error {
	for window, to := int64(tailWindow), l.end; !r.met && to > l.first; window *= 2 {
		from := max(l.first, to-window)
		if err := r.window(ctx, from, to); err != nil {
			return err
		}
		to = from
	}
	return nil
}

// window reads the records from offset from up to to.
func (r *publishedReader) window(ctx context.Context, from, to int64) error {
	for next := from; next < to; {
		set, watermark, err := r.fetch(ctx, next)
		if err != nil {
			return err
		}
		reached, err := r.take(set, next, to)
		if err != nil {
			return err
		}
		if reached == next {
			if next >= watermark {
				return fmt.Errorf("the log ends at offset %d, before %d", watermark, to)
			}
			reached++ // an offset without a record: compacted away, or a marker
		}
		next = reached
	}
	return nil
}

func (r *publishedReader) take(set protocol.RecordSet, from, to int64) (next int64, err error) {
	stream, _ := set.Records.(*protocol.RecordStream)
	if stream == nil {
		return from, nil
	}
	next = from
	for _, batch := range stream.Records {
		_, control := batch.(*protocol.ControlBatch)
		for {
			record, err := batch.ReadRecord()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return next, fmt.Errorf("record after offset %d: %w", next, err)
			}
			if record.Offset >= from && record.Offset < to {
				next = max(next, record.Offset+1)
				if !control {
					err = r.event(record)
				}
			}
			r.release(record)
			if err != nil {
				return next, fmt.Errorf("record at offset %d: %w", record.Offset, err)
			}
		}
	}
	return next, nil
}

// event takes the record if it is an event of this environment that is asked for.
func (r *publishedReader) event(record *protocol.Record) error {
	sequence, own := r.sequenceOf(record)
	if !own {
		return nil
	}
	r.tail.sequence = max(r.tail.sequence, sequence)
	if sequence <= r.after {
		r.met = true
		return nil
	}
	value, err := protocol.ReadAll(record.Value)
	if err != nil {
		return err
	}
	e, err := event.ParseJSON(bytes.Clone(value))
	if err != nil {
		return err
	}
	r.events = append(r.events, e)
	return nil
}

func (r *publishedReader) sequenceOf(record *protocol.Record) (sequence uint64, own bool) {
	for _, header := range record.Headers {
		switch header.Key {
		case headerSource:
			own = string(header.Value) == r.producer.o.source
		case headerSequence:
			sequence, _ = strconv.ParseUint(string(header.Value), 10, 64)
		}
	}
	return sequence, own && sequence > 0
}
