package postgres_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"muster/connectors/postgres"
	"muster/evaluator"
	"muster/pipeline/event"
)

const usersTable = `CREATE TABLE users (id text PRIMARY KEY, plan text, mrr numeric, seen timestamptz, properties jsonb)`

// ready makes the users table, takes a snapshot and streams after it.
func ready(db *database, change ...func(*postgres.Options)) (*postgres.Source, *stream) {
	db.t.Helper()
	source := db.source(change...)
	chunks := snapshot(db.t, source, event.SnapshotResume{})
	return source, start(db.t, source, chunks[0].Consistent)
}

func TestSnapshotThenStreamMeetWithoutGapOrOverlap(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		db.run(`INSERT INTO users VALUES ('b', 'pro', 12.50, '2026-01-02 03:04:05.678+01', '{"k": [1, 2]}'), ('a', NULL, NULL, NULL, NULL)`)
		source := db.source()
		chunks := snapshot(t, source, event.SnapshotResume{})
		db.run(`INSERT INTO users (id, plan) VALUES ('c', 'free')`)
		want := []string{
			"a id=a plan=~ mrr=~ seen=~ properties=~",
			`b id=b plan=pro mrr=12.50 seen=2026-01-02 02:04:05.678+00 properties={"k": [1, 2]}`,
		}
		if got := users(chunks); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("snapshot = %q, want %q", got, want)
		}
		s := start(t, source, chunks[0].Consistent)
		if got, want := describe(s.changes(1)), "upsert c id=c plan=free mrr=~ seen=~ properties=~"; got != want {
			t.Errorf("stream = %s, want %s", got, want)
		}
		if schema := s.got[0].Changes[0].Schema; schema != chunks[len(chunks)-1].Schema {
			t.Error("the stream has another schema than the snapshot, though the table is the same")
		}
	})
}

func TestChangesOfATransactionInOrder(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		_, s := ready(db)
		db.run(`DO $$ BEGIN
			INSERT INTO users (id, plan) VALUES ('a', 'free'), ('b', 'pro');
			UPDATE users SET plan = 'team' WHERE id = 'a';
			UPDATE users SET id = 'c' WHERE id = 'b';
			DELETE FROM users WHERE id = 'a';
			INSERT INTO muster.members (environment, audience, user_id, tenant) VALUES ('test', 'vip', 'c', 't1'), ('other', 'vip', 'c', '');
			DELETE FROM muster.members;
			INSERT INTO muster.commits (environment, audience, version, sha, document) VALUES ('test', 'vip', 1, 'x', '{}'), ('other', 'vip', 1, 'x', '{}');
			PERFORM pg_logical_emit_message(true, 'muster.token', 'tok');
			PERFORM pg_logical_emit_message(true, 'somebody.else', 'no');
			TRUNCATE users, muster.members;
		END $$`)
		got := describe(s.changes(11))
		want := strings.Join([]string{
			"upsert a id=a plan=free mrr=~ seen=~ properties=~",
			"upsert b id=b plan=pro mrr=~ seen=~ properties=~",
			"upsert a id=a plan=team mrr=~ seen=~ properties=~",
			"upsert c was b id=c plan=pro mrr=~ seen=~ properties=~",
			"delete a",
			"add vip/c/t1", "remove vip/c/t1",
			"define vip v1 {}", "token tok", "truncate", "truncate members",
		}, "; ")
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		tx := s.got[0]
		if tx.Commit >= tx.End || tx.More || tx.Bytes == 0 {
			t.Errorf("transaction %+v", tx)
		}
		if now := time.Now(); tx.Time.Time().After(now) || now.Sub(tx.Time.Time()) > time.Hour {
			t.Errorf("commit time %s, now %s", tx.Time, now)
		}
	})
}

func TestAcknowledgedPositionReachesTheSlot(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		_, s := ready(db)
		db.run(`INSERT INTO users (id) VALUES ('a')`)
		s.changes(1)
		end := s.got[len(s.got)-1].End
		eventually(t, "the slot to move", func() bool {
			return one[bool](db, `SELECT confirmed_flush_lsn >= $2::pg_lsn FROM pg_replication_slots WHERE slot_name = $1`, db.name, end.String())
		})
		// Monitoring and synchronous replication look at others of the three than the slot does.
		eventually(t, "written, flushed and applied to be one position", func() bool {
			return one[bool](db, `SELECT coalesce(bool_and(write_lsn >= $2::pg_lsn AND flush_lsn = write_lsn AND replay_lsn = write_lsn), false)
				FROM pg_stat_replication JOIN pg_replication_slots ON active_pid = pid WHERE slot_name = $1`, db.name, end.String())
		})
	})
}

func TestNothingIsAcknowledgedThatIsNotDurable(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		source, s := ready(db)
		s.ack = false
		before := one[string](db, `SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1`, db.name)
		db.run(`INSERT INTO users (id) VALUES ('a')`)
		s.changes(1)
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		if err := source.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if after := one[string](db, `SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1`, db.name); after != before {
			t.Errorf("slot moved from %s to %s", before, after)
		}
		s = start(t, db.source(), 0)
		if got := s.changes(1)[0].User; got != "a" {
			t.Errorf("user %q came again, want a", got)
		}
	})
}

func TestShutdownSendsALastStatusUpdate(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		source, s := ready(db)
		s.ack = false
		db.run(`INSERT INTO users (id) VALUES ('a')`)
		s.changes(1)
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		end := s.got[len(s.got)-1].End
		source.Acknowledge(end) // durable only after the stream was told to stop
		if err := source.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if !one[bool](db, `SELECT confirmed_flush_lsn >= $2::pg_lsn FROM pg_replication_slots WHERE slot_name = $1`, db.name, end.String()) {
			t.Error("the slot did not get the last acknowledgement")
		}
	})
}

func TestTickWritesOnlyWhenDueByTheServersClock(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		source, s := ready(db)
		ctx := context.Background()
		now, err := source.Tick(ctx, evaluator.InstantOf(time.Now().Add(time.Hour)))
		if err != nil {
			t.Fatal(err)
		}
		db.mark("first")
		for _, tx := range s.until("first") {
			if len(tx.Changes) == 0 {
				t.Errorf("a tick came before it was due: %+v", tx)
			}
		}
		due := now
		if now, err = source.Tick(ctx, due); err != nil || now < due {
			t.Fatalf("Tick(%s) = %s, %v", due, now, err)
		}
		if batch := s.next(); len(batch) != 1 || len(batch[0].Changes) != 0 || batch[0].Time < due {
			t.Errorf("tick = %+v, want an empty transaction at or after %s", batch, due)
		}
		if _, err := source.Tick(ctx, evaluator.Infinity); err == nil {
			t.Error("a tick at infinity was accepted")
		}
	})
}
