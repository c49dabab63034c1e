package kafka

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// wantError fails the test unless err is a T, says each of the phrases, and names a repair.
func wantError[T error](tb testing.TB, err error, phrases ...string) T {
	tb.Helper()
	var want T
	if !errors.As(err, &want) {
		tb.Fatalf("got %v (%T), want a %T", err, err, want)
	}
	repair := any(want).(interface{ Repair() string }).Repair()
	for _, phrase := range append(phrases, repair) {
		if !strings.Contains(err.Error(), phrase) {
			tb.Errorf("%q does not say %q", err, phrase)
		}
	}
	if repair == "" {
		tb.Error("no repair is named")
	}
	return want
}

func TestDenied(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key    kmsg.Key
		fault  *kerr.Error
		phrase string
	}{
		{kmsg.Produce, kerr.TopicAuthorizationFailed, "--operation Write --operation Describe --topic " + testTopic},
		{kmsg.Fetch, kerr.TopicAuthorizationFailed, "--operation Read"},
		{kmsg.Metadata, kerr.TopicAuthorizationFailed, "--operation Describe --topic"},
		{kmsg.ListOffsets, kerr.TopicAuthorizationFailed, "--operation Describe --topic"},
		{kmsg.InitProducerID, kerr.TransactionalIDAuthorizationFailed, "--transactional-id muster-test (or set kafka.transactional_id: off"},
		{kmsg.AddPartitionsToTxn, kerr.TopicAuthorizationFailed, "--operation Write"},
		{kmsg.EndTxn, kerr.TransactionalIDAuthorizationFailed, "--transactional-id muster-test"},
		{kmsg.Produce, kerr.ClusterAuthorizationFailed, "--operation IdempotentWrite --cluster"},
	} {
		t.Run(c.key.Name()+"/"+c.fault.Message, func(t *testing.T) {
			t.Parallel()
			cluster := startBrokers(t)
			p := newProducer(t, testOptions(cluster.ListenAddrs()))
			events := makeEvents(1, 40)
			deliver(t, p, events[:20])
			p.stale = c.key != kmsg.Produce
			denial := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{c.key}, Err: c.fault, Count: -1})
			wantError[*DeniedError](t, p.Deliver(testContext(t), events[20:]), "kafka-acls.sh", c.phrase)
			denial.Remove()
			deliver(t, p, events[20:]) // once it is granted
			checkLog(t, readLog(t, p), events)
		})
	}
}

func TestRejected(t *testing.T) {
	t.Parallel()
	for fault, phrase := range map[*kerr.Error]string{
		kerr.InvalidTimestamp:            "clock",
		kerr.UnsupportedCompressionType:  "kafka.compression",
		kerr.PolicyViolation:             "policy",
		kerr.InvalidRecord:               "broker's log",
		kerr.UnsupportedForMessageFormat: "message.format.version",
	} {
		t.Run(fault.Message, func(t *testing.T) {
			t.Parallel()
			cluster := startBrokers(t)
			p := newProducer(t, testOptions(cluster.ListenAddrs()))
			if err := p.Recover(testContext(t)); err != nil {
				t.Fatal(err)
			}
			cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: fault, Count: -1})
			wantError[*RejectedError](t, p.Deliver(testContext(t), makeEvents(1, 20)), phrase)
		})
	}
}

func TestCreateTopicRefused(t *testing.T) {
	t.Parallel()
	for fault, phrase := range map[*kerr.Error]string{
		kerr.InvalidReplicationFactor: "kafka.replication",
		kerr.InvalidPartitions:        "kafka.partitions",
		kerr.InvalidTopicException:    "kafka.topic",
		kerr.PolicyViolation:          "policy",
	} {
		t.Run(fault.Message, func(t *testing.T) {
			t.Parallel()
			cluster := startBrokers(t)
			cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.CreateTopics}, Err: fault, Count: -1})
			p := newProducer(t, testOptions(cluster.ListenAddrs()))
			wantError[*RejectedError](t, p.Recover(testContext(t)), phrase)
		})
	}
}

func TestFenced(t *testing.T) {
	t.Parallel()
	for _, code := range []*kerr.Error{kerr.ProducerFenced, kerr.InvalidProducerEpoch} {
		t.Run(code.Message, func(t *testing.T) {
			t.Parallel()
			cluster := startBrokers(t)
			o := testOptions(cluster.ListenAddrs())
			zombie := newProducer(t, o)
			events := makeEvents(1, 60)
			deliver(t, zombie, events[:20])

			o.Recorded = zombie.State()
			worker := newProducer(t, o)
			deliver(t, worker, events[:40])

			// Apache Kafka refuses the zombie's epoch here; kfake takes it back, so the refusal is injected.
			cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: code})
			wantError[*FencedError](t, zombie.Deliver(testContext(t), events[20:]), `"muster-test"`, "one worker for an environment")
			deliver(t, worker, events[40:])
			checkLog(t, readLog(t, worker), events)
		})
	}
}

func TestRecordTooLarge(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t)
	limit := "20000"
	if err := cluster.CreateTopic(testTopic, 1, map[string]string{"max.message.bytes": limit}); err != nil {
		t.Fatal(err)
	}
	for _, compression := range []string{"none", "zstd"} {
		o := testOptions(cluster.ListenAddrs())
		o.Compression = compression
		p := newProducer(t, o)
		events := makeEvents(1, 200) // more than one batch of 20,000 bytes
		deliver(t, p, events)
		checkLog(t, readLog(t, p), events)

		large := makeEvents(201, 3)
		large[1].Properties = incompressible(30_000)
		err := p.Deliver(testContext(t), large)
		e := wantError[*RecordTooLargeError](t, err, "event 202", large[1].ID(), "20000", "max.message.bytes=1048576")
		if e.Bytes < 20_000 || e.Sequence != 202 {
			t.Errorf("%+v", e)
		}
		checkLog(t, readLog(t, p), makeEvents(1, 201)) // what came before it was written, what comes after it was not
		if err := cluster.DeleteTopic(testTopic); err != nil {
			t.Fatal(err)
		}
		if err := cluster.CreateTopic(testTopic, 1, map[string]string{"max.message.bytes": limit}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLimitThatIsNotToldIsFound(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t, kfake.BrokerConfigs(map[string]string{"message.max.bytes": "5000"}))
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeConfigs}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	o := testOptions(cluster.ListenAddrs())
	o.Compression = "none"
	p := newProducer(t, o)
	events := makeEvents(1, 300)
	deliver(t, p, events)
	checkLog(t, readLog(t, p), events)
}

func TestHistory(t *testing.T) {
	t.Parallel()
	o := testOptions(startBrokers(t).ListenAddrs())
	o.Partitions = 1
	p := newProducer(t, o)
	deliver(t, p, makeEvents(1, 30))
	other := newProducer(t, o)
	events := makeEvents(1, 31)
	events[29].User = "somebody else"
	wantError[*HistoryError](t, other.Deliver(testContext(t), events), "sequence 30", "muster rebuild")
}

func TestLogTruncated(t *testing.T) {
	t.Parallel()
	o := testOptions(startBrokers(t).ListenAddrs())
	o.Partitions = 1
	events := makeEvents(1, 60)
	for name, meet := range map[string]func(*Producer){
		"found by a fence":   func(p *Producer) { p.stale = true },
		"found by a produce": func(*Producer) {},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProducer(t, o)
			deliver(t, p, events[:30])
			p.partitions[0].end += 1000 // as if a thousand records were acknowledged and are gone
			meet(p)
			wantError[*LogTruncatedError](t, p.Deliver(testContext(t), events[30:]), "lost acknowledged records")
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	_, err := New(Options{Compression: "brotli", MaxBatchBytes: 3})
	for _, phrase := range []string{"no brokers", "no topic", "no environment", "no transactional id", "brotli", "3 bytes"} {
		if err == nil || !strings.Contains(err.Error(), phrase) {
			t.Errorf("%v does not say %q", err, phrase)
		}
	}
	o := testOptions([]string{"localhost:9092"})
	o.SASL = &SASL{Mechanism: "kerberos"}
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "scram-sha-512") {
		t.Errorf("got %v", err)
	}
}

func TestVerdictOfWrappedCodes(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("read: %w", kafkago.NotLeaderForPartition)
	if judge(err) != unwritten || kindOf(err) != "not_leader_for_partition" {
		t.Errorf("got %v, %q", judge(err), kindOf(err))
	}
	if code := kafkago.Error(12345); judge(code) != unknown || kindOf(code) != "code_12345" {
		t.Errorf("a code nobody knows is %v, %q", judge(code), kindOf(code))
	}
}

// incompressible returns a JSON object of about n bytes that no codec makes much smaller.
func incompressible(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"x":"`)
	state := uint64(88172645463325252)
	for b.Len() < n {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		fmt.Fprintf(&b, "%x", state)
	}
	b.WriteString(`"}`)
	return b.Bytes()
}
