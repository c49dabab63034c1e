package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestOff goes without a transactional id: what is in the log is skipped all the same, and resends within a session are
// recognised by the broker.
func TestOff(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]*kerr.Error{
		"no fault": nil, "unanswered": kerr.RequestTimedOut, "after append": kerr.NotEnoughReplicasAfterAppend,
		"unwritten": kerr.NotLeaderForPartition, "unknown producer": kerr.UnknownProducerID,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := startBrokers(t)
			o := testOptions(cluster.ListenAddrs())
			o.TransactionalID = Off
			p := newProducer(t, o)
			events := makeEvents(1, 300)
			deliver(t, p, events[:100])
			if fault != nil {
				cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: fault, Count: 3})
			}
			deliver(t, p, events[100:200])
			again := newProducer(t, o)
			deliver(t, again, events[50:])
			checkLog(t, readLog(t, again), events)
			for i := range int32(4) {
				if end, want := cluster.PartitionInfo(testTopic, i).HighWatermark, perPartition(readLog(t, p), i); end != want {
					t.Errorf("partition %d ends at %d and holds %d events: something else was written", i, end, want)
				}
			}
		})
	}
}

func perPartition(log []record, partition int32) (n int64) {
	for _, r := range log {
		if r.partition == partition {
			n++
		}
	}
	return n
}

// TestOffWithoutIdempotentWrite is for brokers before 2.8 with ACLs: batches go without a producer id.
func TestOffWithoutIdempotentWrite(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t)
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.ClusterAuthorizationFailed, Count: -1})
	o := testOptions(cluster.ListenAddrs())
	o.TransactionalID = Off
	p := newProducer(t, o)
	events := makeEvents(1, 100)
	deliver(t, p, events)
	if p.session.id != -1 {
		t.Errorf("producer id is %d", p.session.id)
	}
	checkLog(t, readLog(t, p), events)
}
