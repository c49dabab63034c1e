package kafka

import (
	"slices"
	"strconv"
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
			benchmarkBulk(b, newProducer(b, o), func() {
				for i := range int32(o.Partitions) { // it keeps all in memory
					if err := cluster.DeleteRecords(testTopic, i, -1); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkSingle measures one event a call: what a change that is alone waits for.
func BenchmarkSingle(b *testing.B) {
	benchmarkSingle(b, newProducer(b, testOptions(startBrokers(b).ListenAddrs())))
}

func benchmarkBulk(b *testing.B, p *Producer, trim func()) {
	const call = 10_000
	events := makeEvents(1, call)
	for i := range events {
		events[i].User = "u_" + strconv.Itoa(i)
	}
	deliver(b, p, events[:1])
	sequence, bytes := uint64(2), len(events[0].AppendJSON(nil))
	b.ReportAllocs()
	start := time.Now()
	for b.Loop() {
		for i := range events {
			events[i].Sequence = sequence
			sequence++
		}
		deliver(b, p, events)
		if sequence%(50*call) == 2 {
			trim()
		}
	}
	b.ReportMetric(float64(b.N*call)/time.Since(start).Seconds(), "events/s")
	b.ReportMetric(float64(bytes), "B/event")
}

func benchmarkSingle(b *testing.B, p *Producer) {
	deliver(b, p, makeEvents(1, 1))
	sequence, took := uint64(2), []time.Duration(nil)
	b.ReportAllocs()
	for b.Loop() {
		events := makeEvents(sequence, 1)
		start := time.Now()
		deliver(b, p, events)
		took = append(took, time.Since(start))
		sequence++
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
}
