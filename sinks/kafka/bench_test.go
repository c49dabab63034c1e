package kafka

import (
	"testing"
	"time"
)

// BenchmarkDeliver measures events a second through the whole sink, over loopback to a broker in the same process, whose
// share of the two is most of the time. Calls of 10,000 events, 8 partitions.
func BenchmarkDeliver(b *testing.B) {
	for _, compression := range []string{"none", "lz4", "zstd"} {
		b.Run(compression, func(b *testing.B) {
			cluster := startBrokers(b)
			o := testOptions(cluster.ListenAddrs())
			o.Compression, o.Partitions = compression, 8
			p := newProducer(b, o)
			const call = 10_000
			events := makeEvents(1, call)
			deliver(b, p, events[:1])
			sequence := uint64(2)
			bytes := len(events[0].AppendJSON(nil))
			b.ReportAllocs()
			start := time.Now()
			for b.Loop() {
				for i := range events {
					events[i].Sequence = sequence
					sequence++
				}
				deliver(b, p, events)
				if sequence%(50*call) == 2 { // it keeps all in memory
					for i := range int32(o.Partitions) {
						if err := cluster.DeleteRecords(testTopic, i, -1); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
			b.ReportMetric(float64(b.N*call)/time.Since(start).Seconds(), "events/s")
			b.ReportMetric(float64(bytes), "B/event")
		})
	}
}

// BenchmarkSmall measures one event a call: what a change that is alone waits for.
func BenchmarkSmall(b *testing.B) {
	p := newProducer(b, testOptions(startBrokers(b).ListenAddrs()))
	deliver(b, p, makeEvents(1, 1))
	sequence := uint64(2)
	b.ReportAllocs()
	for b.Loop() {
		deliver(b, p, makeEvents(sequence, 1))
		sequence++
	}
}
