package kafka

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"pgregory.net/rapid"
)

// TestRandomFaults delivers through random schedules of broken connections, late requests, broker faults, leaders that
// move, a topic that grows, cancelled calls and restarts from an old cursor, and reads the log uncommitted: every event
// once, each partition in order.
func TestRandomFaults(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(3))
		if err != nil {
			rt.Fatal(err)
		}
		defer cluster.Close()
		o := testOptions(cluster.ListenAddrs())
		o.Replication = 3
		randomFaults(t, rt, o, cluster)
	})
}

var brokerFaults = []*kerr.Error{
	kerr.NotLeaderForPartition, kerr.RequestTimedOut, kerr.NotEnoughReplicas, kerr.NotEnoughReplicasAfterAppend,
	kerr.OutOfOrderSequenceNumber, kerr.InvalidProducerEpoch, kerr.UnknownProducerID, kerr.NetworkException,
	kerr.CoordinatorLoadInProgress, kerr.NotCoordinator, kerr.ConcurrentTransactions, kerr.UnknownServerError,
}

var faultyKeys = []kmsg.Key{
	kmsg.Produce, kmsg.Produce, kmsg.Produce, kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.EndTxn, kmsg.Fetch, kmsg.ListOffsets,
}

// randomFaults runs one schedule. cluster is nil for a real broker.
func randomFaults(t *testing.T, rt *rapid.T, o Options, cluster *kfake.Cluster) {
	o.MaxBatchBytes = rapid.SampledFrom([]int{1024, 4 << 10, 64 << 10}).Draw(rt, "batch bytes")
	o.Compression = rapid.SampledFrom([]string{"none", "lz4", "zstd"}).Draw(rt, "compression")
	o.MetadataInterval = rapid.SampledFrom([]time.Duration{time.Nanosecond, time.Hour}).Draw(rt, "interval")
	percent := rapid.IntRange(0, 3).Draw(rt, "broken requests in 100")
	seed := rapid.Uint64().Draw(rt, "seed")

	var faults []*kfake.FaultHandle
	var file stateFile
	o.Record = file.record
	var lock sync.Mutex
	dice := rand.New(rand.NewPCG(seed, 0))
	weather := &chaos{decide: func(int16) action {
		lock.Lock()
		defer lock.Unlock()
		if dice.IntN(100) >= percent {
			return pass
		}
		return []action{cutBefore, dropAnswer, delay}[dice.IntN(3)]
	}}
	open := func() *Producer {
		o.Recorded = file.last()
		p, err := New(o)
		if err != nil {
			rt.Fatal(err)
		}
		p.backoff.most = 20 * time.Millisecond
		weather.join(p)
		return p
	}
	p := open()
	defer func() { p.Close() }()

	total := rapid.IntRange(1, 400).Draw(rt, "events")
	events := makeEvents(1, total)
	partitions := o.Partitions
	for cursor := 0; cursor < total; {
		switch rapid.IntRange(0, 9).Draw(rt, "then") {
		case 0: // a crash: the cursor that is remembered lies before what was written
			p.Close()
			cursor = max(0, cursor-rapid.IntRange(0, 60).Draw(rt, "forgotten"))
			p = open()
		case 1:
			weather.release(t)
		case 2:
			if cluster != nil {
				fault := kfake.Fault{
					Keys: []kmsg.Key{rapid.SampledFrom(faultyKeys).Draw(rt, "request")},
					Err:  rapid.SampledFrom(brokerFaults).Draw(rt, "fault"), Count: rapid.IntRange(1, 4).Draw(rt, "times"),
				}
				if fault.Keys[0] != kmsg.InitProducerID || fault.Err != kerr.InvalidProducerEpoch { // else it is fenced, for good
					faults = append(faults, cluster.Fault(fault))
				}
			}
		case 3:
			if cluster != nil {
				cluster.ShufflePartitionLeaders()
				cluster.RehashCoordinators()
			}
		case 4:
			if cluster != nil && partitions < 9 && cluster.TopicInfo(o.Topic) != nil {
				partitions++
				grow(t, cluster, p, partitions)
			}
		case 5: // the call is cancelled somewhere on its way
			to := min(total, cursor+rapid.IntRange(1, 100).Draw(rt, "cancelled"))
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(rapid.IntRange(0, 3000).Draw(rt, "after us"))*time.Microsecond)
			err := p.Deliver(ctx, events[cursor:to])
			cancel()
			if err == nil {
				cursor = to
			} else if !errors.Is(err, context.DeadlineExceeded) {
				rt.Fatal(err)
			}
		default:
			to := min(total, cursor+rapid.IntRange(1, 100).Draw(rt, "delivered"))
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			err := p.Deliver(ctx, events[cursor:to])
			cancel()
			if err != nil {
				rt.Fatal(err)
			}
			cursor = to
		}
	}
	weather.release(t)
	lock.Lock()
	percent = 0
	lock.Unlock()
	for _, fault := range faults {
		fault.Remove()
	}
	if fault := logFault(readLog(t, p), events); fault != "" {
		rt.Fatal(fmt.Sprintf("%s (seed %d)", fault, seed))
	}
}
