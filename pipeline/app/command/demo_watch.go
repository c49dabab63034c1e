package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/sourcegraph/conc/pool"

	"muster/pipeline/event"
)

// watch reads the topic from its beginning, as any consumer would.
type watch struct {
	brokers []string
	each    func(event.Event, []byte)
	events  atomic.Int64
	seen    sync.Map // ids, to tell a repeated event
	doubled atomic.Int64
}

const demoTopic = "muster.membership"

func newWatch(brokers []string, each func(event.Event, []byte)) *watch {
	return &watch{brokers: brokers, each: each}
}

// run reads every partition until ctx ends.
func (w *watch) run(ctx context.Context) error {
	partitions, err := w.partitions(ctx)
	if err != nil {
		return stopped(ctx, err)
	}
	readers := pool.New().WithErrors()
	for _, p := range partitions {
		readers.Go(func() error { return stopped(ctx, w.read(ctx, p)) })
	}
	return readers.Wait()
}

func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// partitions waits for the worker to have created the topic.
func (w *watch) partitions(ctx context.Context) ([]int, error) {
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		if conn, err := kafkago.DialContext(ctx, "tcp", w.brokers[0]); err == nil {
			found, err := conn.ReadPartitions(demoTopic)
			if closeErr := conn.Close(); err == nil && closeErr == nil && len(found) > 0 {
				ids := make([]int, len(found))
				for i := range found {
					ids[i] = found[i].ID
				}
				return ids, nil
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (w *watch) read(ctx context.Context, partition int) (err error) {
	reader := kafkago.NewReader(kafkago.ReaderConfig{
		Brokers: w.brokers, Topic: demoTopic, Partition: partition, MaxWait: 100 * time.Millisecond, MinBytes: 1, MaxBytes: 4 << 20,
	})
	defer func() { err = errors.Join(err, reader.Close()) }()
	for {
		m, err := reader.ReadMessage(ctx)
		if err != nil {
			return err
		}
		if len(m.Headers) == 0 {
			continue // a transaction marker of the producer's fence, which kafka-go hands out like a record
		}
		e, err := event.ParseJSON(m.Value)
		if err != nil {
			return fmt.Errorf("record at offset %d of partition %d: %w", m.Offset, partition, err)
		}
		if _, repeated := w.seen.LoadOrStore(e.Sequence, struct{}{}); repeated {
			w.doubled.Add(1)
		}
		w.events.Add(1)
		w.each(e, m.Value)
	}
}
