package postgres_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"muster/connectors/postgres"
	local "muster/deploy/local/postgres"
	"muster/pipeline/event"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

const backlogChanges = 200_000

// backlog is a slot with updates of an 8-column row waiting in it, 100 to a transaction.
func backlog(b *testing.B) (dsn, bin string) {
	b.Helper()
	ctx := context.Background()
	server, err := local.Start(ctx, local.Options{Version: "15", Settings: map[string]string{"fsync": "off", "max_wal_size": "4GB"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Stop() })
	conn, err := pgx.Connect(ctx, server.DSN())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(ctx)
	source, err := postgres.New(postgres.Options{DSN: server.DSN(), Create: true, Heartbeat: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer source.Close(ctx)
	for _, sql := range []string{
		`CREATE TABLE users (id bigint PRIMARY KEY, email text, name text, plan text, country text, mrr numeric, seen timestamptz, properties jsonb)`,
		`INSERT INTO users SELECT g, 'user' || g || '@example.org', 'Some Name ' || g, 'pro', 'NL', 12.5, now(), '{"seats": 5, "tags": ["a", "b"]}' FROM generate_series(1, 10000) AS g`,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			b.Fatal(err)
		}
	}
	if err := source.Snapshot(ctx, event.SnapshotResume{}, func(context.Context, event.SnapshotChunk) error { return nil }); err != nil {
		b.Fatal(err)
	}
	_, err = conn.Exec(ctx, `DO $$ BEGIN FOR i IN 1..2000 LOOP
		UPDATE users SET mrr = i, seen = clock_timestamp() WHERE id BETWEEN (i % 100) * 100 + 1 AND (i % 100) * 100 + 100; COMMIT;
	END LOOP; END $$`)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := conn.Exec(ctx, `SELECT pg_logical_emit_message(true, 'muster.token', 'end')`); err != nil {
		b.Fatal(err)
	}
	return server.DSN(), server.BinDir()
}

// BenchmarkStreamBacklog reads one backlog of updates over and over: by Source, by a bare loop over the same library that
// parses nothing, and by the server's own tool into /dev/null.
func BenchmarkStreamBacklog(b *testing.B) {
	dsn, bin := backlog(b)
	rate := func(b *testing.B) {
		b.ReportMetric(float64(backlogChanges)*float64(b.N)/b.Elapsed().Seconds(), "changes/s")
	}
	for name, read := range map[string]func(*testing.B, string){"source": readAll, "bare loop": bareLoop} {
		b.Run(name, func(b *testing.B) {
			began := processorTime(b)
			for range b.N {
				read(b, dsn)
				b.StopTimer()
				awaitInactive(b, dsn)
				b.StartTimer()
			}
			rate(b)
			b.ReportMetric(float64((processorTime(b)-began).Nanoseconds())/float64(backlogChanges*b.N), "client-ns/change")
		})
	}
	b.Run("pg_recvlogical", func(b *testing.B) {
		tool := filepath.Join(bin, "pg_recvlogical")
		if _, err := exec.LookPath(tool); err != nil {
			b.Skip("these binaries have no pg_recvlogical")
		}
		conn, err := pgx.Connect(context.Background(), dsn)
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close(context.Background())
		var end string
		if err := conn.QueryRow(context.Background(), `SELECT pg_current_wal_lsn()::text`).Scan(&end); err != nil {
			b.Fatal(err)
		}
		for range b.N { // it acknowledges at its end: each run gets a slot of its own
			b.StopTimer()
			query(b, conn, `SELECT pg_copy_logical_replication_slot('muster', 'copied')`)
			b.StartTimer()
			out, err := exec.Command(tool, "-d", dsn, "-S", "copied", "--start", "-f", "/dev/null", "-o", "proto_version=1",
				"-o", "publication_names=muster", "--endpos", end, "--fsync-interval", "0").CombinedOutput()
			if err != nil {
				b.Fatalf("%v: %s", err, out)
			}
			b.StopTimer()
			query(b, conn, `SELECT pg_drop_replication_slot('copied')`)
			b.StartTimer()
		}
		rate(b)
	})
}

// awaitInactive waits until the server has noticed that the reader is gone.
func awaitInactive(b *testing.B, dsn string) {
	b.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(context.Background())
	for active := true; active; {
		if err := conn.QueryRow(context.Background(), `SELECT active FROM pg_replication_slots WHERE slot_name = 'muster'`).Scan(&active); err != nil {
			b.Fatal(err)
		}
	}
}

// processorTime is what this process has used so far. Unlike elapsed time it says something on a busy machine, too.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func query(b *testing.B, conn *pgx.Conn, sql string, args ...any) {
	b.Helper()
	if _, err := conn.Exec(context.Background(), sql, args...); err != nil {
		b.Fatalf("%s: %v", sql, err)
	}
}

// BenchmarkStreamLatency is the time from a commit to the transaction's arrival, at 500 commits a second.
func BenchmarkStreamLatency(b *testing.B) {
	dsn, _ := backlog(b)
	ctx, cancel := context.WithCancel(context.Background())
	source, err := postgres.New(postgres.Options{DSN: dsn, Heartbeat: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer source.Close(context.Background())
	out, done := make(chan []event.Transaction, 4), make(chan error, 1)
	go func() { done <- source.Stream(ctx, 0, out) }()
	for caughtUp := false; !caughtUp; {
		for _, transaction := range <-out {
			caughtUp = caughtUp || len(transaction.Changes) > 0 && transaction.Changes[0].Op == event.Token
		}
	}
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(ctx)
	n := 2000 * b.N
	go func() {
		ticker := time.NewTicker(2 * time.Millisecond)
		defer ticker.Stop()
		for i := range n {
			<-ticker.C
			_, _ = conn.Exec(ctx, `UPDATE users SET mrr = $1 WHERE id = $2`, i, i%10000+1)
		}
	}()
	var delays []time.Duration
	b.ResetTimer()
	for len(delays) < n {
		for _, transaction := range <-out {
			delays = append(delays, time.Since(transaction.Time.Time()))
		}
	}
	b.StopTimer()
	cancel()
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	slices.Sort(delays)
	b.ReportMetric(float64(delays[len(delays)/2].Microseconds()), "us-p50")
	b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds()), "us-p99")
}

func readAll(b *testing.B, dsn string) {
	source, err := postgres.New(postgres.Options{DSN: dsn, Heartbeat: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer source.Close(context.Background())
	ctx, cancel := context.WithCancel(context.Background())
	out, done := make(chan []event.Transaction, 4), make(chan error, 1)
	go func() { done <- source.Stream(ctx, 0, out) }()
	n := 0
	for ended := false; !ended; {
		for _, transaction := range <-out {
			for i := range transaction.Changes {
				n++
				ended = ended || transaction.Changes[i].Op == event.Token
			}
		}
	}
	cancel()
	if err := <-done; err != nil || n != backlogChanges+1 {
		b.Fatalf("%d changes, %v", n, err)
	}
}

func bareLoop(b *testing.B, dsn string) {
	ctx := context.Background()
	conn, err := pgconn.Connect(ctx, dsn+"&replication=database")
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(ctx)
	err = pglogrepl.StartReplication(ctx, conn, "muster", 0, pglogrepl.StartReplicationOptions{
		PluginArgs: []string{"proto_version '1'", "messages 'true'", "publication_names 'muster'"}})
	if err != nil {
		b.Fatal(err)
	}
	for {
		message, err := conn.ReceiveMessage(ctx)
		if err != nil {
			b.Fatal(err)
		}
		data, ok := message.(*pgproto3.CopyData)
		if !ok || data.Data[0] != pglogrepl.XLogDataByteID {
			continue
		}
		if x, err := pglogrepl.ParseXLogData(data.Data[1:]); err != nil || x.WALData[0] == 'M' {
			return
		}
	}
}
