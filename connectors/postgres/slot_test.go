package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"muster/connectors/postgres"
	"muster/evaluator"
	"muster/pipeline/event"
)

// TestSlotIsMadeToFollowAFailover is for the versions that can.
func TestSlotIsMadeToFollowAFailover(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, "17", sharedServer(t, "17"))
	db.run(usersTable)
	source := db.source()
	if err := source.Prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	snapshot(t, source, event.SnapshotResume{})
	if !one[bool](db, `SELECT failover FROM pg_replication_slots WHERE slot_name = $1`, db.name) {
		t.Error("the slot stays behind when a standby takes over")
	}
}

// TestUnreservedSlotIsAWarning holds back more log than the server means to keep, before it has removed any.
func TestUnreservedSlotIsAWarning(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"15", "17"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			server := ownServer(t, version, map[string]string{
				"max_slot_wal_keep_size": "1MB", "wal_keep_size": "0", "max_wal_size": "4GB", "checkpoint_timeout": "1h",
			})
			db := newDatabase(t, version, server)
			db.run(usersTable)
			source := db.source()
			if err := source.Prepare(context.Background()); err != nil {
				t.Fatal(err)
			}
			chunks := snapshot(t, source, event.SnapshotResume{})
			eventually(t, "the slot to hold back too much", func() bool {
				db.run(`SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000000)) FROM generate_series(1, 10)`)
				return one[string](db, `SELECT wal_status FROM pg_replication_slots`) == "unreserved"
			})
			if r := result(t, postgres.Check(context.Background(), db.options()), "slot"); r.Status != postgres.CheckWarn || !strings.Contains(r.Repair, "max_slot_wal_keep_size") {
				t.Errorf("check: %+v", r)
			}
			s := start(t, source, chunks[len(chunks)-1].Consistent)
			db.mark("there")
			s.until("there") // a warning and no refusal: reading on is what saves it
		})
	}
}

// TestARoleThatOnlyReadsIsEnough has everything made by somebody else: the worker snapshots, streams and writes ticks and
// heartbeats with REPLICATION and SELECT.
func TestARoleThatOnlyReadsIsEnough(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		db.run(`INSERT INTO users (id) VALUES ('a')`)
		if err := db.source().Prepare(context.Background()); err != nil {
			t.Fatal(err)
		}
		role := db.name + "_reader"
		db.run(`CREATE ROLE ` + role + ` LOGIN REPLICATION`)
		t.Cleanup(func() { db.run(`DROP OWNED BY ` + role); db.run(`DROP ROLE ` + role) })
		db.run(`GRANT USAGE ON SCHEMA muster TO ` + role)
		db.run(`GRANT SELECT ON ALL TABLES IN SCHEMA public, muster TO ` + role)
		dsn, err := url.Parse(db.dsn)
		if err != nil {
			t.Fatal(err)
		}
		dsn.User = url.User(role)
		source := db.source(func(o *postgres.Options) { o.DSN, o.Heartbeat = dsn.String(), 50*time.Millisecond })
		if err := source.Prepare(context.Background()); err != nil {
			t.Fatal(err)
		}
		chunks := snapshot(t, source, event.SnapshotResume{})
		if got := users(chunks); len(got) != 1 {
			t.Errorf("users %q", got)
		}
		s := start(t, source, chunks[len(chunks)-1].Consistent)
		if first := s.next(); len(first[0].Changes) != 0 || first[0].Time == evaluator.NegativeInfinity {
			t.Errorf("a heartbeat: %+v", first)
		}
		now, err := source.Tick(context.Background(), 0)
		if err != nil || now <= 0 {
			t.Errorf("tick: %v, %v", now, err)
		}
		db.run(`INSERT INTO users (id) VALUES ('b')`)
		s.changes(1)
	})
}
