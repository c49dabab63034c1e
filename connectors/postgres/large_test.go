package postgres_test

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"muster/connectors/postgres"
	"muster/connectors/postgres/pgoutput"
	"muster/pipeline/event"
)

func TestLargeTransactionComesInPartsOfBoundedSize(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		_, s := ready(db)
		const n = 2*pgoutput.PartChanges + 5
		db.run(`INSERT INTO users (id) SELECT g FROM generate_series(1, $1) AS g`, n)
		db.mark("end")
		parts := s.until("end")
		parts = parts[:len(parts)-1]
		if len(parts) != 3 {
			t.Fatalf("%d parts, want 3", len(parts))
		}
		next := 1
		for i, part := range parts {
			if part.Commit != parts[0].Commit || part.Time != parts[0].Time || part.More != (i < 2) {
				t.Errorf("part %d: commit %s, time %s, more %t", i, part.Commit, part.Time, part.More)
			}
			if part.More && part.End > part.Commit {
				t.Errorf("part %d could be acknowledged up to %s, beyond the commit at %s", i, part.End, part.Commit)
			}
			for _, change := range part.Changes {
				if change.User != fmt.Sprint(next) {
					t.Fatalf("user %s, want %d", change.User, next)
				}
				next++
			}
		}
		if next != n+1 {
			t.Errorf("%d users", next-1)
		}
	})
}

func TestLargeTransactionCutInTheMiddleGoesOnBehindThePartsGiven(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		chunks := snapshot(t, db.source(), event.SnapshotResume{})
		const n = 4*pgoutput.PartChanges + 5
		db.run(`INSERT INTO users (id) SELECT g FROM generate_series(1, $1) AS g`, n)
		db.mark("end")
		var size atomic.Int64
		size.Store(500_000)
		_, dsn := newProxy(t, db.dsn, 4, func() int64 { return size.Add(500_000) }) // each somewhat further than the one before
		source := db.source(func(o *postgres.Options) { o.DSN = dsn })
		s := start(t, source, chunks[0].Consistent)
		s.ack = false
		parts := s.until("end")
		if n := source.Status().Reconnects; n < 2 {
			t.Errorf("%d reconnects", n)
		}
		next := 1
		for _, user := range ids(parts) {
			if user != fmt.Sprint(next) {
				t.Fatalf("user %s, want %d", user, next)
			}
			next++
		}
		if next != n+1 || len(parts) != 6 {
			t.Errorf("%d users in %d parts", next-1, len(parts))
		}
	})
}

func TestLargeRowsAndValues(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		_, s := ready(db)
		const size = 5 << 20
		db.run(`INSERT INTO users (id, plan) SELECT g, repeat('x', $1::int) FROM generate_series(1, 8) AS g`, size)
		db.mark("end")
		count := 0
		for _, part := range s.until("end") {
			if part.Bytes > pgoutput.PartBytes+2*size {
				t.Errorf("a part of %d bytes", part.Bytes)
			}
			for _, change := range part.Changes {
				if change.Op == event.Upsert {
					count++
					if got := len(fields(change.Row)[1]); got != size {
						t.Errorf("value of %d bytes", got)
					}
				}
			}
		}
		if count != 8 {
			t.Errorf("%d rows", count)
		}
	})
}

// Memory stays bounded by what is on its way, however large the transaction is.
func TestHugeTransactionInBoundedMemory(t *testing.T) {
	db := newDatabase(t, "17", sharedServer(t, "17"))
	db.run(usersTable)
	chunks := snapshot(t, db.source(), event.SnapshotResume{})
	const n = 600_000
	db.run(`INSERT INTO users (id, plan) SELECT g, repeat('x', 500) FROM generate_series(1, $1) AS g`, n)
	source := db.source()
	ctx, cancel := context.WithCancel(context.Background())
	out, done := make(chan []event.Transaction), make(chan error, 1)
	go func() { done <- source.Stream(ctx, chunks[0].Consistent, out) }()
	var most uint64
	for got, batches := 0, 0; got < n; batches++ {
		for _, transaction := range <-out {
			got += len(transaction.Changes)
		}
		if batches%10 == 0 {
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			most = max(most, memory.HeapAlloc)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if most > 200<<20 {
		t.Errorf("%d MB of heap for a transaction of %d MB", most>>20, n*500>>20)
	}
}
