package clickhouse

import (
	"context"
	"fmt"
	"testing"
)

// BenchmarkDeliver measures batches of entries, each of another user, into both tables of the embedded engine on the same machine.
func BenchmarkDeliver(b *testing.B) {
	for _, rows := range []int{100, 50_000} {
		b.Run(fmt.Sprintf("rows=%d", rows), func(b *testing.B) {
			s, err := New(Options{Environment: "production", Addr: []string{shared.Addr()}, Database: fmt.Sprintf("bench_%d", databases.Add(1))})
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			if err := s.Recover(context.Background()); err != nil {
				b.Fatal(err)
			}
			batch := crowd(1, rows)
			for b.Loop() {
				for i := range batch {
					batch[i].Sequence += uint64(rows)
					batch[i].EntryCount++
				}
				if err := s.Deliver(context.Background(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*rows)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkFill measures making the columns of a batch, which is what the sink itself costs.
func BenchmarkFill(b *testing.B) {
	var (
		events      eventRows
		memberships membershipRows
	)
	batch := crowd(1, 50_000)
	for b.Loop() {
		events.fill(batch)
		memberships.fill(batch)
	}
	b.ReportMetric(float64(b.N*len(batch))/b.Elapsed().Seconds(), "events/s")
}
