package postgres_test

import (
	"context"
	"net/url"
	"testing"
	"time"

	"muster/connectors/postgres"
	"muster/evaluator"
)

// busyNeighbour writes to another database of the same server until the test ends.
func busyNeighbour(t *testing.T, db *database) {
	t.Helper()
	u, err := url.Parse(db.dsn)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/postgres"
	conn := connect(t, u.String())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			_, _ = conn.Exec(context.Background(), `SELECT pg_logical_emit_message(false, 'noise', repeat('x', 100000)) FROM generate_series(1, 10)`)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
}

// acknowledgeAll takes whatever comes until the condition holds.
func (s *stream) acknowledgeUntil(what string, condition func() bool) {
	s.t.Helper()
	eventually(s.t, what, func() bool {
		select {
		case batch := <-s.out:
			s.got = append(s.got, batch...)
			s.source.Acknowledge(batch[len(batch)-1].End)
		case <-time.After(10 * time.Millisecond):
		}
		return condition()
	})
}

func TestIdleDatabaseBesideABusyOneKeepsNoLog(t *testing.T) {
	for name, heartbeat := range map[string]time.Duration{
		"by heartbeats":              300 * time.Millisecond,
		"by the server's own report": -1, // as where messages cannot be written
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db *database) {
				db.run(usersTable)
				_, s := ready(db, func(o *postgres.Options) { o.Heartbeat = heartbeat })
				busyNeighbour(t, db)
				target := one[string](db, `SELECT (pg_current_wal_lsn() + 40000000)::text`)
				s.acknowledgeUntil("the slot to follow the log", func() bool {
					return one[bool](db, `SELECT confirmed_flush_lsn >= $2::pg_lsn FROM pg_replication_slots WHERE slot_name = $1`, db.name, target)
				})
				for i, transaction := range s.got {
					if len(transaction.Changes) > 0 || transaction.Commit >= transaction.End || i > 0 && transaction.Commit < s.got[i-1].End {
						t.Errorf("transaction %d: %+v", i, transaction)
					}
				}
				// Nothing is passed over: what comes next is still to come.
				db.run(`INSERT INTO users (id) VALUES ('a')`)
				if got := s.changes(1)[0].User; got != "a" {
					t.Errorf("got %q", got)
				}
			})
		})
	}
}

func TestPositionIsNotAcknowledgedBeforeItIsRecorded(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		_, s := ready(db)
		s.ack = false
		busyNeighbour(t, db)
		before := one[string](db, `SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1`, db.name)
		db.run(`INSERT INTO users (id) VALUES ('a')`)
		for len(s.got) < 3 { // the change, and reports of how far the server is
			s.next()
		}
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		if err := s.source.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if after := one[string](db, `SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1`, db.name); after != before {
			t.Errorf("slot moved from %s to %s", before, after)
		}
	})
}

func TestHeartbeatOnlyWhileIdle(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		source, s := ready(db, func(o *postgres.Options) { o.Heartbeat = 50 * time.Millisecond })
		first := s.next()
		if len(first[0].Changes) != 0 || first[0].Time == evaluator.NegativeInfinity {
			t.Errorf("%+v", first)
		}
		now := first[0].Time
		for now == first[0].Time { // a report of how far the server is, which others make busy, has the time of the last beat
			now = s.next()[0].Time
		}
		if now < first[0].Time {
			t.Errorf("time went from %s back to %s", first[0].Time, now)
		}
		status := source.Status()
		if !status.Connected || status.ReceivedLSN == 0 || status.Transactions == 0 || status.ServerWALEnd < status.ReceivedLSN {
			t.Errorf("%+v", status)
		}
	})
}

func TestStatusSeesTheSlotAndTheClock(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		source, s := ready(db)
		db.run(`INSERT INTO users (id) VALUES ('a'), ('b')`)
		db.run(`DELETE FROM users WHERE id = 'a'`)
		s.changes(3)
		var status postgres.Status
		s.acknowledgeUntil("a look at the slot", func() bool {
			status = source.Status()
			return status.SlotWALStatus != "" && status.AckedLSN >= s.got[len(s.got)-1].End
		})
		if status.SlotWALStatus != "reserved" || status.RetainedBytes <= 0 || status.ServerClockOffset.Abs() > time.Minute {
			t.Errorf("%+v", status)
		}
		if up, down := status.Changes[postgres.TableOp{Table: "users", Op: "upsert"}], status.Changes[postgres.TableOp{Table: "users", Op: "delete"}]; up != 2 || down != 1 {
			t.Errorf("changes %v", status.Changes)
		}
	})
}

func TestIdentityServesOnlyWhatTheSlotStillHas(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		source, s := ready(db)
		consistent := one[string](db, `SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = $1`, db.name)
		identity, err := source.Identity(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if identity.Identifier == "" || identity.Timeline != 1 || identity.Database != db.name || identity.Slot.ConfirmedFlush.String() != consistent || identity.UsersOID == 0 {
			t.Errorf("%+v", identity)
		}
		db.run(`INSERT INTO users (id) VALUES ('a')`)
		s.changes(1)
		end := s.got[len(s.got)-1].End
		db.run(`INSERT INTO users (id) VALUES ('b')`)
		s.changes(1)
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		if err := source.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		other := db.source()
		identity, err = other.Identity(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if last := s.got[len(s.got)-1].End; !identity.Serves(last) || identity.Serves(end) {
			t.Errorf("slot at %s serves %s: %t, %s: %t", identity.Slot.ConfirmedFlush, last, identity.Serves(last), end, identity.Serves(end))
		}
		db.run(`SELECT pg_drop_replication_slot($1)`, db.name)
		if identity, err = other.Identity(context.Background()); err != nil || identity.Serves(end) {
			t.Errorf("without a slot: %+v, %v", identity, err)
		}
	})
}

func TestStartBehindWhatWasReadBefore(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		_, s := ready(db)
		for _, user := range []string{"a", "b", "c"} {
			db.run(`INSERT INTO users (id) VALUES ($1)`, user)
		}
		s.changes(3)
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		_ = s.source.Close(context.Background())
		s = start(t, db.source(), s.got[len(s.got)-1].Commit)
		db.mark("only this")
		if got := describe(s.changes(1)); got != "token only this" {
			t.Errorf("got %s", got)
		}
	})
}
