package kafka

import (
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestObservations(t *testing.T) {
	t.Parallel()
	cluster := startBrokers(t)
	var lock sync.Mutex
	seen := map[string]int{} // request and kind
	events, bytes := 0, 0
	o := testOptions(cluster.ListenAddrs())
	o.Observe = func(o Observation) {
		lock.Lock()
		defer lock.Unlock()
		seen[o.Request+" "+o.Kind]++
		events += o.Events
		if o.Events > 0 {
			bytes += o.Bytes
		}
		if (o.Err == nil) != (o.Kind == "") || o.Elapsed <= 0 {
			t.Errorf("%+v", o)
		}
	}
	p := newProducer(t, o)
	deliver(t, p, makeEvents(1, 100))
	cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: 1})
	deliver(t, p, makeEvents(101, 100))
	lock.Lock()
	defer lock.Unlock()
	for _, what := range []string{"produce ", "fence ", "tails ", "metadata ", "produce not_leader_for_partition"} {
		if seen[what] == 0 {
			t.Errorf("no %q in %v", what, seen)
		}
	}
	if events != 200 || bytes == 0 {
		t.Errorf("%d events in %d bytes, want 200", events, bytes)
	}
}
