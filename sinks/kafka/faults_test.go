package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestFaultsThatPass injects every fault that a broker answers for a while into every request of the way, and finds
// each event in the log exactly once.
func TestFaultsThatPass(t *testing.T) {
	t.Parallel()
	produce := []*kerr.Error{
		kerr.NotLeaderForPartition, kerr.UnknownTopicOrPartition, kerr.LeaderNotAvailable, kerr.NotEnoughReplicas,
		kerr.NotEnoughReplicasAfterAppend, // written all the same
		kerr.RequestTimedOut,              // written all the same
		kerr.NetworkException, kerr.KafkaStorageError, kerr.UnknownServerError, kerr.CorruptMessage,
		kerr.OutOfOrderSequenceNumber, kerr.InvalidProducerEpoch, kerr.UnknownProducerID, kerr.InvalidTxnState,
		kerr.InvalidProducerIDMapping, kerr.FencedLeaderEpoch, kerr.ThrottlingQuotaExceeded, kerr.ProducerFenced,
	}
	coordinator := []*kerr.Error{
		kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator, kerr.ConcurrentTransactions,
		kerr.NetworkException, kerr.UnknownServerError,
	}
	log := []*kerr.Error{kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.UnknownTopicOrPartition, kerr.KafkaStorageError}
	for _, c := range []struct {
		key    kmsg.Key
		faults []*kerr.Error
	}{
		{kmsg.Produce, produce},
		{kmsg.InitProducerID, coordinator},
		{kmsg.AddPartitionsToTxn, append(coordinator, kerr.UnknownTopicOrPartition)},
		{kmsg.EndTxn, append(coordinator, kerr.InvalidTxnState)},
		{kmsg.ListOffsets, log},
		{kmsg.Fetch, append(log, kerr.OffsetOutOfRange)},
		{kmsg.Metadata, log[:2]},
		{kmsg.DescribeConfigs, []*kerr.Error{kerr.ClusterAuthorizationFailed}}, // only asked for the batch limit
	} {
		for _, fault := range c.faults {
			for _, times := range []int{1, 6} {
				t.Run(fmt.Sprintf("%s/%s/%d", c.key.Name(), fault.Message, times), func(t *testing.T) {
					t.Parallel()
					passes(t, c.key, fault, times)
				})
			}
		}
	}
}

func passes(t *testing.T, key kmsg.Key, fault *kerr.Error, times int) {
	cluster := startBrokers(t)
	o := testOptions(cluster.ListenAddrs())
	o.MaxBatchBytes = 4 << 10
	events := makeEvents(1, 200)
	p := newProducer(t, o)
	deliver(t, p, events[:100])
	injected := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: fault, Count: times})
	if key != kmsg.Produce {
		p.stale = true // or none of the other requests would be made
	}
	deliver(t, p, events[100:])
	if injected.Hits() == 0 {
		t.Error("the fault was never met")
	}
	checkLog(t, readLog(t, p), events)
}

// TestAmbiguous cuts connections around requests: lost, done without an answer, and on their way while the producer has
// long begun anew.
func TestAmbiguous(t *testing.T) {
	t.Parallel()
	for key, name := range map[int16]string{0: "produce", 1: "fetch", 2: "list offsets", 22: "init", 24: "add", 26: "end", 3: "metadata", 10: "find"} {
		for what, fault := range map[string]action{"lost": cutBefore, "unanswered": dropAnswer, "late": delay} {
			t.Run(name+" "+what, func(t *testing.T) {
				t.Parallel()
				var hits atomic.Int32
				hits.Store(-1000)
				c := &chaos{decide: func(k int16) action {
					if k == key && hits.Add(1) > 0 && hits.Load() <= 3 {
						return fault
					}
					return pass
				}}
				o := testOptions(startBrokers(t).ListenAddrs())
				o.MaxBatchBytes = 2 << 10
				p := newProducer(t, o)
				c.join(p)
				events := makeEvents(1, 300)
				deliver(t, p, events[:100])
				hits.Store(0)
				p.stale = key != 0
				deliver(t, p, events[100:200])
				if hits.Load() < 1 {
					t.Error("the fault was never met")
				}
				c.release(t) // a request of an older epoch reaches the broker now
				deliver(t, p, events[200:])
				checkLog(t, readLog(t, p), events)
			})
		}
	}
}

// TestPlainResendWouldWriteTwice shows that the test above can fail: the late request is written when nobody fences.
func TestPlainResendWouldWriteTwice(t *testing.T) {
	t.Parallel()
	var armed atomic.Bool
	c := &chaos{decide: func(key int16) action {
		if key == 0 && armed.CompareAndSwap(true, false) {
			return delay
		}
		return pass
	}}
	o := testOptions(startBrokers(t).ListenAddrs())
	o.TransactionalID, o.Partitions = Off, 1
	p := newProducer(t, o)
	c.join(p)
	events := makeEvents(1, 20)
	deliver(t, p, events[:10])
	p.session.id, p.session.epoch = -1, -1 // as with a broker that gives out no producer ids
	armed.Store(true)
	deliver(t, p, events[10:])
	if c.release(t) != 1 {
		t.Fatal("no request was held up")
	}
	if fault := logFault(readLog(t, p), events); fault == "" {
		t.Error("the late request was not written")
	}
}

// TestThrottle finds the sink waiting after an answer that asks for an hour, with the events of that answer written.
func TestThrottle(t *testing.T) {
	t.Parallel()
	c := &chaos{decide: func(key int16) action {
		if key == 0 {
			return throttle
		}
		return pass
	}}
	ctx, cancel := context.WithCancel(testContext(t))
	o := testOptions(startBrokers(t).ListenAddrs())
	o.Partitions = 1
	o.Observe = func(seen Observation) {
		if seen.Throttle == time.Hour {
			cancel()
		}
	}
	p := newProducer(t, o)
	c.join(p)
	events := makeEvents(1, 20)
	if err := p.Deliver(ctx, events); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want a wait that is cancelled", err)
	}
	checkLog(t, readLog(t, p), events)
}

func TestBrokerAwayForAWhile(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	o := testOptions([]string{address})
	refused := make(chan struct{}, 1000)
	o.Observe = func(seen Observation) {
		if seen.Err != nil {
			select {
			case refused <- struct{}{}:
			default:
			}
		}
	}
	p := newProducer(t, o)
	events := makeEvents(1, 50)
	delivered := make(chan error, 1)
	go func() { delivered <- p.Deliver(testContext(t), events) }()
	<-refused
	<-refused
	_, port, _ := net.SplitHostPort(address)
	n, _ := strconv.Atoi(port)
	startBrokers(t, kfake.Ports(n))
	if err := <-delivered; err != nil {
		t.Fatal(err)
	}
	checkLog(t, readLog(t, p), events)
}

// TestNotEnoughReplicasIsWaitedFor stays with the session and the batch for as long as replicas are missing.
func TestNotEnoughReplicasIsWaitedFor(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t)
	p := newProducer(t, testOptions(cluster.ListenAddrs()))
	p.backoff.most = time.Millisecond
	deliver(t, p, makeEvents(1, 20))
	held := p.session
	missing := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: 100})
	deliver(t, p, makeEvents(21, 20))
	if p.session != held || missing.Hits() != 100 {
		t.Errorf("session %+v after %d refusals, want %+v after 100", p.session, missing.Hits(), held)
	}
	checkLog(t, readLog(t, p), makeEvents(1, 40))
}

// TestCancel checks that Recover and Deliver return when their context ends, whatever they wait for, and that the same
// events can be delivered again without being written twice.
func TestCancel(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]kmsg.Key{
		"produce": kmsg.Produce, "init": kmsg.InitProducerID, "fetch": kmsg.Fetch, "end": kmsg.EndTxn,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := startBrokers(t)
			p := newProducer(t, testOptions(cluster.ListenAddrs()))
			events := makeEvents(1, 100)
			deliver(t, p, events[:50])
			p.stale = key != kmsg.Produce
			ctx, cancel := context.WithCancel(testContext(t))
			cluster.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
				cancel()
				return nil, nil, true // no answer, ever
			})
			if err := p.Deliver(ctx, events[50:]); !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v, want context.Canceled", err)
			}
			deliver(t, p, events[50:])
			checkLog(t, readLog(t, p), events)
		})
	}
}

// TestLeadersMove delivers while partitions and coordinators move between three brokers.
func TestLeadersMove(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t, kfake.NumBrokers(3))
	o := testOptions(cluster.ListenAddrs())
	o.Replication, o.MaxBatchBytes = 3, 2<<10
	p := newProducer(t, o)
	events := makeEvents(1, 500)
	for from := 0; from < len(events); from += 50 {
		deliver(t, p, events[from:from+50])
		cluster.ShufflePartitionLeaders()
		cluster.RehashCoordinators()
		if from%100 == 0 {
			p.stale = true
		}
	}
	checkLog(t, readLog(t, p), events)
}
