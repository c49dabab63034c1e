package kafka

import (
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestTailOfASharedTopic finds the worker's last event behind hundreds of another environment's, and takes no sequence of
// theirs for its own.
func TestTailOfASharedTopic(t *testing.T) {
	t.Parallel()
	o := testOptions(startBrokers(t).ListenAddrs())
	o.Partitions = 1
	mine := newProducer(t, o)
	deliver(t, mine, makeEvents(1, 30))

	theirs := o
	theirs.Environment, theirs.TransactionalID = "staging", "muster-staging"
	other := newProducer(t, theirs)
	if err := other.Recover(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if got := other.LastSequence(); got != 0 {
		t.Errorf("another environment goes on from %d", got)
	}
	others := makeEvents(1, 700)
	for i := range others {
		others[i].Environment = "staging"
	}
	deliver(t, other, others)

	again := newProducer(t, o)
	if err := again.Recover(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if got := again.LastSequence(); got != 30 {
		t.Errorf("last sequence is %d, want 30", got)
	}
	deliver(t, again, makeEvents(1, 60))
	var log []record
	for _, r := range readLog(t, again) {
		if r.headers[headerSource] == "/muster/test" {
			log = append(log, r)
		}
	}
	checkLog(t, log, makeEvents(1, 60))
}

// TestMarkerIsAwaited hides the end of the log, as replication that lags does, and finds nothing written before the
// epoch's marker was seen.
func TestMarkerIsAwaited(t *testing.T) {
	t.Parallel()
	const hidden = 5
	cluster := startBrokers(t)
	o := testOptions(cluster.ListenAddrs())
	o.Partitions = 1
	p := newProducer(t, o)
	deliver(t, p, makeEvents(1, 10))

	end := cluster.PartitionInfo(testTopic, 0).HighWatermark
	var fetches, early atomic.Int32
	cluster.ControlKey(int16(kmsg.Fetch), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		asked := request.(*kmsg.FetchRequest)
		if len(asked.Topics) == 0 || asked.Topics[0].Partitions[0].FetchOffset < end || fetches.Add(1) > hidden {
			return nil, nil, false
		}
		answer := asked.ResponseKind().(*kmsg.FetchResponse)
		topic := kmsg.NewFetchResponseTopic()
		topic.Topic = testTopic
		partition := kmsg.NewFetchResponseTopicPartition()
		partition.HighWatermark = end
		topic.Partitions = append(topic.Partitions, partition)
		answer.Topics = append(answer.Topics, topic)
		return answer, nil, true
	})
	cluster.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		if fetches.Load() <= hidden {
			early.Add(1)
		}
		return nil, nil, false
	})
	p.stale = true
	deliver(t, p, makeEvents(11, 10))
	if n := early.Load(); n != 0 {
		t.Errorf("%d batches were sent before the marker was seen", n)
	}
	checkLog(t, readLog(t, p), makeEvents(1, 20))
}

// TestTailAfterManyFences finds the last event behind hundreds of markers: a partition that gets no events while the worker
// starts again and again.
func TestTailAfterManyFences(t *testing.T) {
	t.Parallel()
	o := testOptions(startBrokers(t).ListenAddrs())
	o.Partitions = 1
	deliver(t, newProducer(t, o), makeEvents(1, 5))
	p := newProducer(t, o)
	for range 3 * tailWindow {
		if err := p.Recover(testContext(t)); err != nil {
			t.Fatal(err)
		}
	}
	again := newProducer(t, o)
	deliver(t, again, makeEvents(1, 6))
	checkLog(t, readLog(t, again), makeEvents(1, 6))
}

// TestTailFellToRetention goes on when no event is left to be found.
func TestTailFellToRetention(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t)
	o := testOptions(cluster.ListenAddrs())
	o.Partitions = 1
	first := newProducer(t, o)
	deliver(t, first, makeEvents(1, 50))
	if err := cluster.DeleteRecords(testTopic, 0, -1); err != nil {
		t.Fatal(err)
	}
	first.stale = true
	deliver(t, first, makeEvents(41, 20)) // this process knows what it wrote
	checkLog(t, readLog(t, first), makeEvents(51, 10))
	if err := cluster.DeleteRecords(testTopic, 0, -1); err != nil {
		t.Fatal(err)
	}
	second := newProducer(t, o)
	deliver(t, second, makeEvents(61, 10))
	checkLog(t, readLog(t, second), makeEvents(61, 10))
}
