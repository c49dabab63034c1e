package sample

import (
	"testing"

	"muster/deploy/local/postgres"
)

func benchDatabase(b *testing.B) *postgres.Server {
	b.Helper()
	s, err := postgres.Start(b.Context(), postgres.Options{}) // with fsync, as in the demo
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Stop() })
	return s
}

// BenchmarkSeed makes b.N users.
func BenchmarkSeed(b *testing.B) {
	s := benchDatabase(b)
	b.ResetTimer()
	if err := Seed(b.Context(), s.DSN(), b.N, 1); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "users/s")
}

// BenchmarkLoad makes b.N changes to 10,000 users as fast as it can.
func BenchmarkLoad(b *testing.B) {
	for name, options := range map[string]LoadOptions{
		"1-a-transaction":   {},
		"100-a-transaction": {PerTransaction: 100},
	} {
		b.Run(name, func(b *testing.B) {
			s := benchDatabase(b)
			if err := Seed(b.Context(), s.DSN(), 10_000, 1); err != nil {
				b.Fatal(err)
			}
			options.Changes = int64(b.N)
			b.ResetTimer()
			stats, err := Run(b.Context(), s.DSN(), options)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(stats.Changes)/stats.Elapsed.Seconds(), "changes/s")
		})
	}
}
