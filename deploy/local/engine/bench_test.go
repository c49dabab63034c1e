package engine

import (
	"context"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// BenchmarkStart is a warm start and stop: the library is fetched, and the directory is new.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s, err := Start(context.Background(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Stop(); err != nil {
			b.Fatal(err)
		}
	}
}

// table opens a client on a table of a million rows, as membership events would be.
func table(b *testing.B, rows int) clickhouse.Conn {
	b.Helper()
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{shared.Addr()}, Compression: &clickhouse.Compression{Method: clickhouse.CompressionLZ4}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	for _, q := range []string{
		"DROP TABLE IF EXISTS bench",
		`CREATE TABLE bench (id UInt64, audience LowCardinality(String), user String, at DateTime64(6, 'UTC') DEFAULT now64(6))
			ENGINE = ReplacingMergeTree ORDER BY (audience, user)`,
	} {
		if err := conn.Exec(context.Background(), q); err != nil {
			b.Fatal(err)
		}
	}
	if rows > 0 {
		q := "INSERT INTO bench (id, audience, user) SELECT number, 'a' || toString(number % 10), 'u_' || toString(number) FROM numbers({n:UInt64})"
		if err := conn.Exec(context.Background(), q, clickhouse.Named("n", rows)); err != nil {
			b.Fatal(err)
		}
	}
	return conn
}

// BenchmarkInsert sends batches of 100,000 rows of four columns; one iteration is a batch.
func BenchmarkInsert(b *testing.B) {
	const size = 100_000
	conn := table(b, 0)
	for b.Loop() {
		batch, err := conn.PrepareBatch(context.Background(), "INSERT INTO bench (id, audience, user)")
		if err != nil {
			b.Fatal(err)
		}
		for i := range size {
			if err := batch.Append(uint64(i), "trial-ending", "u_42"); err != nil {
				b.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkPointQuery reads one of a million rows by its primary key.
func BenchmarkPointQuery(b *testing.B) {
	conn := table(b, 1_000_000)
	for b.Loop() {
		var id uint64
		if err := conn.QueryRow(context.Background(), "SELECT id FROM bench WHERE audience = 'a7' AND user = {user:String}", clickhouse.Named("user", "u_777777")).Scan(&id); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSelect reads a million rows of two columns.
func BenchmarkSelect(b *testing.B) {
	const rows = 1_000_000
	conn := table(b, rows)
	for b.Loop() {
		read, err := conn.Query(context.Background(), "SELECT id, user FROM bench")
		if err != nil {
			b.Fatal(err)
		}
		for read.Next() {
			var id uint64
			var user string
			if err := read.Scan(&id, &user); err != nil {
				b.Fatal(err)
			}
		}
		if err := read.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*rows)/b.Elapsed().Seconds(), "rows/s")
}
