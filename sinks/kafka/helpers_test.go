package kafka

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"muster/evaluator"
	"muster/pipeline/event"
)

const testTopic = "muster.membership"

// startBrokers starts a cluster of kfake on loopback that ends with the test.
func startBrokers(tb testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	tb.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(cluster.Close)
	return cluster
}

func testOptions(brokers []string) Options {
	return Options{
		Brokers: brokers, Topic: testTopic, Environment: "test", TransactionalID: "muster-test",
		CreateTopic: true, Partitions: 4, Replication: 1, RequestTimeout: 5 * time.Second,
		MetadataInterval: time.Hour, // tests that are about growth look sooner
	}
}

func newProducer(tb testing.TB, o Options) *Producer {
	tb.Helper()
	p, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { p.Close() })
	return p
}

func testContext(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	tb.Cleanup(cancel)
	return ctx
}

// makeEvents returns n events from sequence first on, of 20 users who enter and exit one audience in turn.
func makeEvents(first uint64, n int) []event.Event {
	events := make([]event.Event, n)
	for i := range events {
		sequence := first + uint64(i)
		turn := sequence / 20
		events[i] = event.Event{
			Sequence: sequence, Type: event.Entered + event.Type(turn%2), Environment: "test", Audience: "trial-ending",
			Version: 1, User: "u_" + strconv.FormatUint(sequence%20, 10), OccurredAt: evaluator.Instant(sequence * 1000),
			Cause: event.CauseChange, Trigger: turn%2 == 0, EntryCount: turn/2 + 1,
			Position: event.Position{LSN: event.LSN(sequence << 8)},
		}
	}
	return events
}

type record struct {
	partition int32
	offset    int64
	key       string
	headers   map[string]string
	event     event.Event
}

// readLog reads the whole topic as a consumer that reads uncommitted.
func readLog(tb testing.TB, p *Producer) []record {
	tb.Helper()
	ctx := testContext(tb)
	limits := currentLimits(tb, p)
	from := make(map[int32]kgo.Offset)
	rest := make(map[int32]int64)
	for i, l := range limits {
		if l.end > l.first {
			from[int32(i)] = kgo.NewOffset().At(l.first)
			rest[int32(i)] = l.end
		}
	}
	if len(from) == 0 {
		return nil
	}
	consumer, err := kgo.NewClient(kgo.SeedBrokers(p.o.Brokers...), kgo.KeepControlRecords(),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{p.o.Topic: from}))
	if err != nil {
		tb.Fatal(err)
	}
	defer consumer.Close()
	var log []record
	for len(rest) > 0 {
		fetches := consumer.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			tb.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= rest[r.Partition] {
				delete(rest, r.Partition)
			}
			if !r.Attrs.IsControl() {
				log = append(log, asRecord(tb, r))
			}
		})
	}
	return log
}

// currentLimits asks until the brokers answer: leaders may just have moved.
func currentLimits(tb testing.TB, p *Producer) []limit {
	tb.Helper()
	ctx := testContext(tb)
	for {
		p.cluster.reset()
		found, err := p.look(ctx)
		if err == nil {
			var limits []limit
			if limits, err = p.limits(ctx, found); err == nil {
				return limits
			}
		}
		if pause(ctx, backoffLeast) != nil {
			tb.Fatal(err)
		}
	}
}

func asRecord(tb testing.TB, r *kgo.Record) record {
	tb.Helper()
	e, err := event.ParseJSON(r.Value)
	if err != nil {
		tb.Fatalf("partition %d offset %d: %v in %s", r.Partition, r.Offset, err, r.Value)
	}
	out := record{partition: r.Partition, offset: r.Offset, key: string(r.Key), headers: map[string]string{}, event: e}
	for _, header := range r.Headers {
		out.headers[header.Key] = string(header.Value)
	}
	return out
}

// checkLog fails the test unless the log holds each of want exactly once, every partition in order of sequence.
func checkLog(tb testing.TB, log []record, want []event.Event) {
	tb.Helper()
	if fault := logFault(log, want); fault != "" {
		tb.Fatal(fault)
	}
}

func logFault(log []record, want []event.Event) string {
	seen := make(map[uint64]string)
	last := make(map[int32]uint64)
	user := make(map[string]uint64)
	for _, r := range log {
		e := r.event
		if _, twice := seen[e.Sequence]; twice {
			return fmt.Sprintf("event %d is in the log twice", e.Sequence)
		}
		seen[e.Sequence] = e.ID()
		if e.Sequence <= last[r.partition] {
			return fmt.Sprintf("event %d comes after %d in partition %d", e.Sequence, last[r.partition], r.partition)
		}
		last[r.partition] = e.Sequence
		user[e.User] = max(user[e.User], e.Sequence)
		if r.key != e.User {
			return fmt.Sprintf("event %d has key %q and user %q", e.Sequence, r.key, e.User)
		}
	}
	for _, e := range want {
		if seen[e.Sequence] != e.ID() {
			return fmt.Sprintf("event %d is %q in the log, want %q", e.Sequence, seen[e.Sequence], e.ID())
		}
	}
	if len(seen) != len(want) {
		extra := make([]uint64, 0)
		for sequence := range seen {
			if !slices.ContainsFunc(want, func(e event.Event) bool { return e.Sequence == sequence }) {
				extra = append(extra, sequence)
			}
		}
		return fmt.Sprintf("%d events in the log, want %d; not wanted: %v", len(seen), len(want), extra)
	}
	return ""
}

func deliver(tb testing.TB, p *Producer, events []event.Event) {
	tb.Helper()
	if err := p.Deliver(testContext(tb), events); err != nil {
		tb.Fatal(err)
	}
}

// newAdmin returns a client of franz-go for what an operator would do.
func newAdmin(tb testing.TB, brokers []string) *kgo.Client {
	tb.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	return client
}
