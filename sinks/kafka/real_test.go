//go:build realkafka

package kafka

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"pgregory.net/rapid"
)

// TestReal runs against one broker what kfake cannot show, or shows differently. Its parts use topics and ids of their own.
func TestReal(t *testing.T) {
	b := startReal(t, authorizer)
	options := func(name string) Options {
		o := testOptions([]string{b.address})
		o.Topic, o.TransactionalID, o.Environment = name, "muster-"+name, "test"
		return o
	}

	t.Run("every codec, read back", func(t *testing.T) {
		for _, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
			o := options("codec-" + compression)
			o.Compression, o.MaxBatchBytes = compression, 64<<10
			p := newProducer(t, o)
			events := makeEvents(1, 5000)
			deliver(t, p, events[:1])
			deliver(t, p, events[1:])
			checkLog(t, readLog(t, p), events)
			o.Recorded = p.State()
			again := newProducer(t, o)
			deliver(t, again, events[2000:])
			checkLog(t, readLog(t, again), events)
		}
	})

	t.Run("a consumer of Kafka's own reads it", func(t *testing.T) {
		o := options("console")
		p := newProducer(t, o)
		deliver(t, p, makeEvents(1, 10))
		out := b.tool(t, "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", b.address, "--topic", o.Topic,
			"--from-beginning", "--max-messages", "10", "--timeout-ms", "20000", "--formatter-property", "print.headers=true")
		for _, phrase := range []string{"ce_specversion:1.0", "muster_sequence:10", "ce_subject:trial-ending", `"sequence":7,`} {
			if !strings.Contains(out, phrase) {
				t.Errorf("%q is not in\n%s", phrase, out)
			}
		}
	})

	t.Run("a zombie is refused and learns it", func(t *testing.T) {
		o := options("zombie")
		events := makeEvents(1, 600)
		zombie := newProducer(t, o)
		deliver(t, zombie, events[:200])
		o.Recorded = zombie.State()
		worker := newProducer(t, o)
		if err := worker.Recover(testContext(t)); err != nil {
			t.Fatal(err)
		}
		wantError[*FencedError](t, zombie.Deliver(testContext(t), events[200:300]), `"muster-zombie"`)
		wantError[*FencedError](t, zombie.Deliver(testContext(t), events[200:300]))
		deliver(t, worker, events[200:])
		checkLog(t, readLog(t, worker), events)
	})

	t.Run("requests that were held up are refused after the fence", func(t *testing.T) {
		o := options("late")
		o.MaxBatchBytes = 8 << 10
		var armed atomic.Int32
		c := &chaos{decide: func(key int16) action {
			if key == 0 && armed.Add(-1) >= 0 {
				return delay
			}
			return pass
		}}
		p := newProducer(t, o)
		c.join(p)
		events := makeEvents(1, 900)
		deliver(t, p, events[:300])
		armed.Store(2)
		deliver(t, p, events[300:600])
		if n := c.release(t); n != 2 {
			t.Errorf("%d requests were held up, want 2", n)
		}
		deliver(t, p, events[600:])
		checkLog(t, readLog(t, p), events)
	})

	t.Run("a takeover of its own that comes late is not taken for another worker", func(t *testing.T) {
		o := options("late-takeover")
		var taken atomic.Int32
		c := &chaos{decide: func(key int16) action {
			if key == 22 && taken.Add(1) == 1 {
				return delay
			}
			return pass
		}}
		p := newProducer(t, o)
		c.join(p)
		events := makeEvents(1, 300)
		deliver(t, p, events[:100])
		if n := c.release(t); n != 1 {
			t.Fatalf("%d takeovers were held up, want 1", n)
		}
		p.stale = true // its logs do not know the late epoch, only the coordinator does
		deliver(t, p, events[100:200])

		o.Recorded = p.State()
		deliver(t, newProducer(t, o), events[:200])
		wantError[*FencedError](t, p.Deliver(testContext(t), events[200:])) // but once, and not for another's
	})

	t.Run("answers that never came", func(t *testing.T) {
		for key, name := range map[int16]string{0: "produce", 22: "init", 24: "add", 26: "end"} {
			for what, fault := range map[string]action{"-lost": cutBefore, "-unanswered": dropAnswer} {
				o := options("answers-" + name + what)
				var hits atomic.Int32
				hits.Store(-1 << 20)
				c := &chaos{decide: func(k int16) action {
					if k == key && hits.Add(1) > 0 && hits.Load() <= 3 {
						return fault
					}
					return pass
				}}
				p := newProducer(t, o)
				c.join(p)
				events := makeEvents(1, 300)
				deliver(t, p, events[:100])
				hits.Store(0)
				p.stale = key != 0
				deliver(t, p, events[100:])
				checkLog(t, readLog(t, p), events)
			}
		}
	})

	t.Run("the transactional id expires", func(t *testing.T) {
		o := options("expiry")
		p := newProducer(t, o)
		events := makeEvents(1, 300)
		deliver(t, p, events[:100])
		held := p.session
		b.awaitExpiry(t, o.TransactionalID)
		deliver(t, p, events[100:200]) // the log still knows the producer id
		p.fencedAt = p.fencedAt.Add(-renewAfter)
		deliver(t, p, events[200:])
		if p.session.id == held.id {
			t.Errorf("the session is still %+v", p.session)
		}
		checkLog(t, readLog(t, p), events)
	})

	t.Run("a zombie is fenced also when the id had expired", func(t *testing.T) {
		o := options("expired-zombie")
		zombie := newProducer(t, o)
		events := makeEvents(1, 300)
		deliver(t, zombie, events[:100])
		b.awaitExpiry(t, o.TransactionalID)
		o.Recorded = zombie.State()
		worker := newProducer(t, o)
		deliver(t, worker, events[:200])
		zombie.fencedAt = zombie.fencedAt.Add(-renewAfter)
		wantError[*FencedError](t, zombie.Deliver(testContext(t), events[100:]))
		deliver(t, worker, events[200:])
		checkLog(t, readLog(t, worker), events)
	})

	t.Run("grown", func(t *testing.T) {
		o := options("grown")
		o.MetadataInterval = time.Nanosecond
		p := newProducer(t, o)
		events := makeEvents(1, 400)
		deliver(t, p, events[:200])
		b.tool(t, "org.apache.kafka.tools.TopicCommand", "--bootstrap-server", b.address, "--alter", "--topic", o.Topic, "--partitions", "7")
		deliver(t, p, events[200:])
		if got := p.State(); got.Partitions != 7 || got.Since != 201 {
			t.Errorf("state is %+v", got)
		}
		log := readLog(t, p)
		checkLog(t, log, events)
		for _, r := range log {
			count := 4
			if r.event.Sequence > 200 {
				count = 7
			}
			if int(r.partition) != javaPartition(r.key, count) {
				t.Fatalf("event %d is in partition %d of %d", r.event.Sequence, r.partition, count)
			}
		}
	})

	t.Run("created anew", func(t *testing.T) {
		o := options("anew")
		o.MetadataInterval = time.Nanosecond
		p := newProducer(t, o)
		deliver(t, p, makeEvents(1, 100))
		if _, err := p.cluster.client.DeleteTopics(testContext(t), &kafkago.DeleteTopicsRequest{Topics: []string{o.Topic}}); err != nil {
			t.Fatal(err)
		}
		if err := newProducer(t, o).Recover(testContext(t)); err != nil { // creates it
			t.Fatal(err)
		}
		wantError[*TopicChangedError](t, p.Deliver(testContext(t), makeEvents(101, 100)), "kafka.accept_topic")
	})

	t.Run("too large", func(t *testing.T) {
		o := options("large")
		p := newProducer(t, o)
		large := makeEvents(1, 3)
		large[1].Properties = incompressible(2 << 20)
		e := wantError[*RecordTooLargeError](t, p.Deliver(testContext(t), large), "event 2 ")
		if e.Limit != 1048588 {
			t.Errorf("the limit is said to be %d", e.Limit)
		}
		b.tool(t, "kafka.admin.ConfigCommand", "--bootstrap-server", b.address, "--alter", "--entity-type", "topics",
			"--entity-name", o.Topic, "--add-config", "max.message.bytes=4194304") // the repair that was named
		deliver(t, p, large)
		checkLog(t, readLog(t, p), large)
	})

	t.Run("denied", func(t *testing.T) {
		o := options("denied")
		p := newProducer(t, o)
		events := makeEvents(1, 60)
		deliver(t, p, events[:20])
		for resource, kind := range map[string]kafkago.ResourceType{
			o.TransactionalID: kafkago.ResourceTypeTransactionalID, o.Topic: kafkago.ResourceTypeTopic,
		} {
			undo := b.deny(t, kind, resource)
			p.stale = true
			wantError[*DeniedError](t, p.Deliver(testContext(t), events[20:]), resource)
			failed := slices.ContainsFunc(newProducer(t, o).Check(testContext(t)), func(r CheckResult) bool {
				return r.Status == StatusFails && strings.Contains(r.Repair, resource)
			})
			if !failed {
				t.Errorf("the check finds nothing wrong with %s", resource)
			}
			undo()
		}
		deliver(t, p, events[20:])
		checkLog(t, readLog(t, p), events)
	})

	t.Run("a check leaves the worker alone", func(t *testing.T) {
		o := options("checked")
		p := newProducer(t, o)
		events := makeEvents(1, 100)
		deliver(t, p, events[:50])
		held := p.session
		for _, r := range newProducer(t, o).Check(testContext(t)) {
			if r.Status != StatusOK {
				t.Errorf("%+v", r)
			}
		}
		deliver(t, p, events[50:])
		if p.session != held {
			t.Error("the check fenced the worker")
		}
	})

	t.Run("without a transactional id", func(t *testing.T) {
		o := options("off")
		o.TransactionalID = Off
		p := newProducer(t, o)
		events := makeEvents(1, 300)
		deliver(t, p, events[:200])
		again := newProducer(t, o)
		deliver(t, again, events)
		checkLog(t, readLog(t, again), events)
	})
}

// TestRealCrashes kills the broker while events are delivered, and starts it again.
func TestRealCrashes(t *testing.T) {
	crashes(t, []*realBroker{startReal(t)}, 5)
}

// TestRealFailover kills one of three brokers after the other: leaders and the coordinator move, acknowledged events stay.
func TestRealFailover(t *testing.T) {
	crashes(t, startRealCluster(t, 3), 6)
}

func crashes(t *testing.T, brokers []*realBroker, times int) {
	var addresses []string
	for _, b := range brokers {
		addresses = append(addresses, b.address)
	}
	o := testOptions(addresses)
	o.MaxBatchBytes, o.Replication = 32<<10, len(brokers)
	p := newProducer(t, o)
	events := makeEvents(1, (times+2)*30_000)
	deliver(t, p, events[:1])
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	delivered := make(chan error, 1)
	go func() {
		for from := 1; from < len(events); from += 1000 {
			if err := p.Deliver(ctx, events[from:min(from+1000, len(events))]); err != nil {
				delivered <- err
				return
			}
		}
		delivered <- nil
	}()
	for crash := range times {
		b := brokers[crash%len(brokers)]
		for p.LastSequence() < uint64((crash+1)*30_000) {
			if err := pause(ctx, time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
		b.kill()
		b.start()
	}
	if err := <-delivered; err != nil {
		t.Fatal(err)
	}
	checkLog(t, readLog(t, p), events)
}

// TestRealRandomFaults is TestRandomFaults without the faults that only kfake can inject.
func TestRealRandomFaults(t *testing.T) {
	b := startReal(t)
	var run atomic.Int32
	rapid.Check(t, func(rt *rapid.T) {
		o := testOptions([]string{b.address})
		o.Topic = "random-" + string(rune('a'+run.Add(1)%26)) + time.Now().Format("150405.000000")
		o.TransactionalID = o.Topic
		randomFaults(t, rt, o, nil)
	})
}

// awaitExpiry waits until the coordinator has forgotten the transactional id.
func (b *realBroker) awaitExpiry(tb testing.TB, id string) {
	tb.Helper()
	ctx := testContext(tb)
	for {
		out := b.tool(tb, "org.apache.kafka.tools.TransactionsCommand", "--bootstrap-server", b.address, "list")
		if !strings.Contains(out, id+" ") {
			return
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			tb.Fatalf("%s does not expire:\n%s", id, out)
		}
	}
}

// deny takes writing from everybody until the returned function is called.
func (b *realBroker) deny(tb testing.TB, kind kafkago.ResourceType, name string) (undo func()) {
	tb.Helper()
	transport := &kafkago.Transport{}
	tb.Cleanup(transport.CloseIdleConnections)
	client := &kafkago.Client{Addr: kafkago.TCP(b.address), Timeout: 10 * time.Second, Transport: transport}
	entry := kafkago.ACLEntry{
		ResourceType: kind, ResourceName: name, ResourcePatternType: kafkago.PatternTypeLiteral, Principal: "User:*",
		Host: "*", Operation: kafkago.ACLOperationTypeWrite, PermissionType: kafkago.ACLPermissionTypeDeny,
	}
	created, err := client.CreateACLs(testContext(tb), &kafkago.CreateACLsRequest{ACLs: []kafkago.ACLEntry{entry}})
	if err != nil || errors.Join(created.Errors...) != nil {
		tb.Fatal(err, created)
	}
	return func() {
		deleted, err := client.DeleteACLs(testContext(tb), &kafkago.DeleteACLsRequest{Filters: []kafkago.DeleteACLsFilter{{
			ResourceTypeFilter: kind, ResourceNameFilter: name, ResourcePatternTypeFilter: kafkago.PatternTypeLiteral,
			PrincipalFilter: "User:*", HostFilter: "*", Operation: kafkago.ACLOperationTypeWrite,
			PermissionType: kafkago.ACLPermissionTypeDeny,
		}}})
		if err != nil || deleted.Results[0].Error != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkReal measures the sink against Apache Kafka on loopback: bulk in calls of 10,000 over 8 partitions, and single events.
func BenchmarkReal(b *testing.B) {
	broker := startReal(b)
	for _, compression := range []string{"none", "lz4", "zstd"} {
		b.Run("bulk/"+compression, func(b *testing.B) {
			o := testOptions([]string{broker.address})
			o.Topic, o.TransactionalID = "bulk-"+compression, "bulk-"+compression
			o.Compression, o.Partitions = compression, 8
			benchmarkBulk(b, newProducer(b, o), func() {})
		})
	}
	b.Run("single", func(b *testing.B) {
		o := testOptions([]string{broker.address})
		o.Topic, o.TransactionalID = "single", "single"
		benchmarkSingle(b, newProducer(b, o))
	})
	b.Run("fence and tails", func(b *testing.B) {
		o := testOptions([]string{broker.address})
		o.Topic, o.TransactionalID, o.Partitions = "fence", "fence", 8
		p := newProducer(b, o)
		deliver(b, p, makeEvents(1, 1000))
		for b.Loop() {
			if err := p.Recover(testContext(b)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
