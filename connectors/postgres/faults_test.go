package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"muster/connectors/postgres"
	local "muster/deploy/local/postgres"
	"muster/pipeline/event"
)

// proxy is a way to the server that can be cut: each connection carries at most a budget of bytes to the client.
type proxy struct {
	listener net.Listener
	target   string
	limit    int64 // connections that get a budget
	budget   func() int64
	cuts     atomic.Int64
	group    sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]bool
}

func newProxy(t *testing.T, dsn string, limit int64, budget func() int64) (*proxy, string) {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, target: u.Host, limit: limit, budget: budget, open: map[net.Conn]bool{}}
	p.group.Go(p.accept)
	t.Cleanup(func() {
		listener.Close()
		p.cut()
		p.group.Wait()
	})
	u.Host = listener.Addr().String()
	return p, u.String()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		target := p.target
		p.mu.Unlock()
		server, err := net.Dial("tcp", target)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.open[client], p.open[server] = true, true
		p.mu.Unlock()
		end := func() { client.Close(); server.Close() }
		p.group.Go(func() { _, _ = io.Copy(server, client); end() })
		p.group.Go(func() {
			if p.cuts.Add(1) <= p.limit {
				_, _ = io.CopyN(client, server, p.budget())
			} else {
				_, _ = io.Copy(client, server)
			}
			end()
		})
	}
}

// lead makes connections from now on go to another server, and ends those there are.
func (p *proxy) lead(target string) {
	p.mu.Lock()
	p.target = target
	p.mu.Unlock()
	p.cut()
}

// cut ends every connection.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		conn.Close()
	}
	clear(p.open)
}

// script is a workload whose transactions are numbered by their users, of all sizes.
func script(db *database, transactions int) (want []string) {
	db.t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	n := 0
	for i := range transactions {
		size := 1 + random.IntN(4)
		if i%10 == 9 {
			size = 50
		}
		db.run(`INSERT INTO users (id, plan) SELECT 'u' || g, repeat('x', g % 97) FROM generate_series($1::int, $2::int) AS g`, n+1, n+size)
		for range size {
			n++
			want = append(want, fmt.Sprintf("u%d", n))
		}
	}
	return want
}

func ids(transactions []event.Transaction) (all []string) {
	for _, transaction := range transactions {
		for _, change := range transaction.Changes {
			if change.Op == event.Upsert {
				all = append(all, change.User)
			}
		}
	}
	return all
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Fatalf("%d of %d came; the first that is missing is %s", len(got), len(want), want[i])
		case i >= len(want):
			t.Fatalf("%s came beyond the %d that were expected", got[i], len(want))
		case got[i] != want[i]:
			t.Fatalf("place %d: got %s, want %s", i, got[i], want[i])
		}
	}
}

func TestConnectionCutAtAnyByteLosesAndRepeatsNothing(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		chunks := snapshot(t, db.source(), event.SnapshotResume{})
		want := script(db, 60)
		db.mark("end")
		// Somewhere within connecting, within the stream, or not at all while it lasts.
		random := rand.New(rand.NewPCG(3, 4))
		var guard sync.Mutex
		_, dsn := newProxy(t, db.dsn, 25, func() int64 {
			guard.Lock()
			defer guard.Unlock()
			return 2000 + random.Int64N(10_000)
		})
		source := db.source(func(o *postgres.Options) { o.DSN = dsn })
		s := start(t, source, chunks[0].Consistent)
		s.ack = false // so that all of it is sent again and again
		got := s.until("end")
		if n := source.Status().Reconnects; n < 3 {
			t.Errorf("only %d reconnects", n)
		}
		compare(t, ids(got), want)
		for i := 1; i < len(got); i++ {
			if got[i].Commit <= got[i-1].Commit && !got[i-1].More {
				t.Errorf("commit %s after %s", got[i].Commit, got[i-1].Commit)
			}
		}
	})
}

func TestServerRestartAndCrash(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"15", "17"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(folder(t), "server")
			server := launch(t, local.Options{Version: version, Dir: dir, Settings: map[string]string{"wal_sender_timeout": "0"}})
			db := newDatabase(t, version, server)
			db.run(usersTable)
			_, s := ready(db)
			db.run(`INSERT INTO users (id) VALUES ('before')`)
			s.changes(1)
			db.run(`CHECKPOINT`)
			// Without a timeout the server waits at shutdown until the stream has acknowledged all of its log, a checkpoint's
			// records included, which no transaction covers.
			restarted := make(chan error, 1)
			go func() { restarted <- server.Restart(context.Background()) }()
			for waiting := true; waiting; {
				select {
				case err := <-restarted:
					if err != nil {
						t.Fatal(err)
					}
					waiting = false
				case batch := <-s.out:
					s.source.Acknowledge(batch[len(batch)-1].End)
				}
			}
			if log, err := os.ReadFile(filepath.Join(dir, "postgres.log")); err != nil || !bytes.Contains(log, []byte("received fast shutdown")) ||
				bytes.Contains(log, []byte("received immediate shutdown")) {
				t.Errorf("the server did not come to its end by itself: %v", err)
			}
			db.conn = connect(t, db.dsn)
			db.run(`INSERT INTO users (id) VALUES ('after restart')`)
			if got := s.changes(1)[0].User; got != "after restart" {
				t.Errorf("got %q", got)
			}
			db.run(`INSERT INTO users (id) VALUES ('not yet read')`)
			server.Kill()
			if err := server.Restart(context.Background()); err != nil {
				t.Fatal(err)
			}
			db.conn = connect(t, db.dsn)
			db.run(`INSERT INTO users (id) VALUES ('after crash')`)
			if got := describe(s.changes(2)); !strings.HasPrefix(got, "upsert not yet read ") || !strings.Contains(got, "upsert after crash ") {
				t.Errorf("got %s", got)
			}
		})
	}
}

func TestSlotInUseIsAWait(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		first, s := ready(db)
		db.mark("first")
		s.until("first")
		second := start(t, db.source(), s.got[len(s.got)-1].Commit)
		eventually(t, "the second to be turned away", func() bool { return second.source.Status().Reconnects > 0 })
		over, cancel := context.WithCancel(context.Background())
		cancel()
		if err := second.source.Held(over); err == nil || !second.source.Status().Waiting {
			t.Errorf("the second counts as the holder of the slot beside the first: %+v", second.source.Status())
		}
		if err := first.Held(context.Background()); err != nil || first.Status().Waiting {
			t.Errorf("the first does not count as the holder of the slot: %v", err)
		}
		if err := s.stop(); err != nil {
			t.Fatal(err)
		}
		if err := first.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		db.mark("second")
		second.until("second")
		if err := second.source.Held(context.Background()); err != nil || second.source.Status().Waiting {
			t.Errorf("the second does not count as the holder of the slot: %v", err)
		}
	})
}

func TestBlockedReceiverKeepsTheConnection(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		chunks := snapshot(t, db.source(), event.SnapshotResume{})
		source := db.source(func(o *postgres.Options) { o.DSN += "&wal_sender_timeout=600" })
		s := start(t, source, chunks[0].Consistent)
		s.ack = false
		// More than the sockets' buffers hold, so that the server is stuck in its send, too.
		db.run(`INSERT INTO users (id, plan) SELECT g, repeat(md5(g::text), 100) FROM generate_series(1, 20000) AS g`)
		db.mark("end")
		s.next()
		pid := one[int](db, `SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1`, db.name)
		before := one[string](db, `SELECT clock_timestamp()::text`)
		eventually(t, "three timeouts to pass", func() bool {
			return one[bool](db, `SELECT clock_timestamp() > $1::timestamptz + interval '1.8 seconds'`, before)
		})
		if now := one[int](db, `SELECT coalesce((SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1), 0)`, db.name); now != pid {
			t.Errorf("walsender %d, was %d", now, pid)
		}
		s.until("end")
		if n := source.Status().Reconnects; n != 0 {
			t.Errorf("%d reconnects", n)
		}
	})
}

func TestRefusalsNameTheRepair(t *testing.T) {
	cases := []struct {
		name   string
		break_ string // while the stream runs; %s is the slot
		want   error
		repair string
	}{
		{"users table dropped", `DROP TABLE users`, postgres.ErrUsersMissing, "bring the table back"},
		{"users table renamed", `ALTER TABLE users RENAME TO people; INSERT INTO people (id) VALUES ('x')`, nil, ""},
		{"id column renamed", `ALTER TABLE users RENAME id TO key; INSERT INTO users (key) VALUES ('x')`, postgres.ErrUsersChanged, "give table and column their names"},
		{"id retyped", `ALTER TABLE users ALTER id TYPE date USING '2026-01-01'; INSERT INTO users (id) VALUES ('2026-01-02')`, postgres.ErrUsersChanged, "give table and column"},
		{"id out of the replica identity", `ALTER TABLE users REPLICA IDENTITY NOTHING; INSERT INTO users (id) VALUES ('x')`, postgres.ErrUsersChanged, `ALTER TABLE "public"."users" REPLICA IDENTITY FULL`},
		{"taken out of the publication", `ALTER PUBLICATION muster DROP TABLE users`, postgres.ErrNotPublished, `ALTER PUBLICATION "muster" ADD TABLE "public"."users"`},
		{"publication dropped", `DROP PUBLICATION muster`, postgres.ErrNotPublished, ""},
		{"deletes no longer published", `ALTER PUBLICATION muster SET (publish = 'insert')`, postgres.ErrNotPublished, `ALTER PUBLICATION "muster" SET (publish = `},
		{"slot dropped", `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '%[1]s'; SELECT drop_slot('%[1]s')`, postgres.ErrSlotMissing, "muster rebuild"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db *database) {
				db.run(usersTable)
				db.run(`CREATE FUNCTION drop_slot(name text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
					LOOP BEGIN PERFORM pg_drop_replication_slot(name); RETURN; EXCEPTION WHEN object_in_use THEN
						PERFORM pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = name; END; END LOOP; END $$`)
				_, s := ready(db)
				db.mark("running")
				s.until("running")
				for _, sql := range strings.Split(fill(c.break_, db.name), "; ") {
					db.run(sql)
				}
				err := s.failure()
				var refusal *postgres.Refusal
				if !errors.As(err, &refusal) || refusal.Repair == "" {
					t.Fatalf("%v is no refusal with a repair", err)
				}
				if c.want != nil && (!errors.Is(err, c.want) || !strings.Contains(refusal.Repair, c.repair)) {
					t.Errorf("%v, want %v and %q", err, c.want, c.repair)
				}
			})
		})
	}
}

func fill(sql, slot string) string {
	if strings.Contains(sql, "%") {
		return fmt.Sprintf(sql, slot)
	}
	return sql
}

func TestSlotLostIsTerminalWithANamedRepair(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"15", "17"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			server := ownServer(t, version, map[string]string{"max_slot_wal_keep_size": "1MB", "max_wal_size": "32MB", "wal_keep_size": "0"})
			db := newDatabase(t, version, server)
			db.run(usersTable)
			chunks := snapshot(t, db.source(), event.SnapshotResume{})
			eventually(t, "the slot to be lost", func() bool {
				db.run(`SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000000)) FROM generate_series(1, 20)`)
				db.run(`SELECT pg_switch_wal()`)
				db.run(`CHECKPOINT`)
				return one[string](db, `SELECT wal_status FROM pg_replication_slots`) == "lost"
			})
			err := start(t, db.source(), chunks[0].Consistent).failure()
			var refusal *postgres.Refusal
			if !errors.As(err, &refusal) || !errors.Is(err, postgres.ErrSlotLost) || !strings.Contains(refusal.Repair, "pg_drop_replication_slot") {
				t.Errorf("%v", err)
			}
			if r := result(t, postgres.Check(context.Background(), db.options()), "slot"); r.Status != postgres.CheckFail || !strings.Contains(r.Repair, "pg_drop_replication_slot") {
				t.Errorf("check: %+v", r)
			}
		})
	}
}
