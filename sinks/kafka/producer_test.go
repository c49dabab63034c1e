package kafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

func TestDeliver(t *testing.T) {
	t.Parallel()
	for _, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		t.Run(compression, func(t *testing.T) {
			t.Parallel()
			o := testOptions(startBrokers(t, kfake.NumBrokers(3)).ListenAddrs())
			o.Compression, o.Replication, o.MaxBatchBytes = compression, 3, 16<<10
			p := newProducer(t, o)
			events := makeEvents(1, 1000)
			deliver(t, p, events[:1])
			deliver(t, p, events[1:500])
			deliver(t, p, events[500:])
			checkLog(t, readLog(t, p), events)
			if got := p.LastSequence(); got != 1000 {
				t.Errorf("last sequence is %d, want 1000", got)
			}
		})
	}
}

func TestRestartSkipsWhatIsInTheLog(t *testing.T) {
	t.Parallel()
	o := testOptions(startBrokers(t).ListenAddrs())
	events := makeEvents(1, 300)
	first := newProducer(t, o)
	deliver(t, first, events[:200])
	first.Close()

	// The state remembers less than what was published: the crash came before the cursor was stored.
	o.Recorded = first.State()
	second := newProducer(t, o)
	if err := second.Recover(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if got := second.LastSequence(); got != 200 {
		t.Errorf("last sequence is %d, want 200", got)
	}
	deliver(t, second, events[50:])
	checkLog(t, readLog(t, second), events)
}
