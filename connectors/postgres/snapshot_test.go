package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"muster/connectors/postgres"
	"muster/pipeline/event"
)

var errStop = errors.New("stop here")

func TestSnapshotGoesOnBehindTheLastChunkUnderANewerPoint(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(`CREATE TABLE users (id bigint PRIMARY KEY, n int)`)
		db.run(`INSERT INTO users SELECT g, 1 FROM generate_series(-100, 12000) AS g`)
		source := db.source(withoutProperties)
		var first []event.SnapshotChunk
		err := source.Snapshot(context.Background(), event.SnapshotResume{}, func(_ context.Context, chunk event.SnapshotChunk) error {
			if len(first) > 0 && len(first[len(first)-1].Users) > 0 {
				return errStop // the one at hand is not durable
			}
			first = append(first, chunk)
			return nil
		})
		if !errors.Is(err, errStop) {
			t.Fatalf("got %v, want the error of emit", err)
		}
		if err := source.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if n := one[int](db, `SELECT count(*)::int FROM pg_replication_slots WHERE database = current_database()`); n != 1 {
			t.Errorf("%d slots", n)
		}
		db.run(`UPDATE users SET n = 2`)
		last := first[len(first)-1]
		source = db.source(withoutProperties)
		second := snapshot(t, source, event.SnapshotResume{Started: true, AfterKey: last.Through})
		if n := one[int](db, `SELECT count(*)::int FROM pg_replication_slots WHERE database = current_database()`); n != 1 {
			t.Errorf("%d slots after the second part", n)
		}
		if second[0].After != last.Through || second[0].Consistent <= last.Consistent || len(second[0].Users) == 0 {
			t.Errorf("second part begins after %q at %s; the first ended with %q at %s", second[0].After, second[0].Consistent, last.Through, last.Consistent)
		}
		want := -100
		for i, chunk := range append(first, second...) {
			for _, user := range chunk.Users {
				n := "1"
				if i >= len(first) {
					n = "2"
				}
				if user.ID != fmt.Sprint(want) || fields(user.Row)[1] != n {
					t.Fatalf("user %s with n=%s, want %d with %s", user.ID, fields(user.Row)[1], want, n)
				}
				want++
			}
		}
		if want != 12001 {
			t.Errorf("ended before %d", want)
		}
		// The slot still has what came after the first part's point.
		s := start(t, source, first[0].Consistent)
		if got := len(s.next()[0].Changes); got == 0 {
			t.Error("the update did not come")
		}
	})
}

func TestSnapshotChunksAreInOrderAndContiguous(t *testing.T) {
	for _, c := range []struct {
		name, idType, ids string
		order             event.KeyOrder
	}{
		{"integers", "int", "g * 7 - 30000", event.OrderInteger},
		{"text in the order of bytes", "text", "chr(65 + (g * 7919) % 500) || g", event.OrderBytes},
		{"uuid", "uuid", "md5(g::text)::uuid", event.OrderBytes},
		{"numeric by its text", "numeric", "g - 4000.5", event.OrderBytes},
		{"enum domain and the like by their text", "code", "'c' || g", event.OrderBytes},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db *database) {
				db.run(`CREATE DOMAIN code AS varchar(20)`)
				db.run(`CREATE TABLE users (id ` + c.idType + ` PRIMARY KEY, n int)`)
				db.run(`INSERT INTO users SELECT ` + c.ids + `, g FROM generate_series(1, 11000) AS g`)
				db.run(`ANALYZE users`)
				chunks := snapshot(t, db.source(withoutProperties), event.SnapshotResume{})
				var all []string
				after := ""
				for _, chunk := range chunks {
					if len(chunk.Users) == 0 && !chunk.Last {
						continue
					}
					if chunk.After != after || chunk.Order != c.order || chunk.Through != chunk.Users[len(chunk.Users)-1].ID {
						t.Errorf("chunk (%q, %q] in order %d follows %q", chunk.After, chunk.Through, chunk.Order, after)
					}
					after = chunk.Through
					for _, user := range chunk.Users {
						all = append(all, user.ID)
					}
				}
				if len(all) != 11000 || !slices.IsSortedFunc(all, c.order.Compare) {
					t.Errorf("%d users, sorted %t", len(all), slices.IsSortedFunc(all, c.order.Compare))
				}
				last := chunks[len(chunks)-1]
				if last.Rows != 11000 || last.Total < 10000 || last.Total > 12000 {
					t.Errorf("%d rows of %d", last.Rows, last.Total)
				}
				// From any place on it is the same.
				rest := snapshot(t, db.source(withoutProperties), event.SnapshotResume{Started: true, AfterKey: all[7000]})
				var again []string
				for _, chunk := range rest {
					for _, user := range chunk.Users {
						again = append(again, user.ID)
					}
				}
				if !slices.Equal(again, all[7001:]) {
					t.Errorf("%d users behind %q, want %d", len(again), all[7000], len(all)-7001)
				}
			})
		})
	}
}

func TestEmptyTableEndsWithALastChunk(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		chunks := snapshot(t, db.source(), event.SnapshotResume{})
		last := chunks[len(chunks)-1]
		if last.Through != "" || len(last.Users) != 0 || last.Schema == nil {
			t.Errorf("%+v", last)
		}
	})
}

func TestSnapshotEndsWithItsContext(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		db.run(`INSERT INTO users (id, plan) SELECT g, repeat('x', 1000) FROM generate_series(1, 30000) AS g`)
		ctx, cancel := context.WithCancel(context.Background())
		source := db.source()
		err := source.Snapshot(ctx, event.SnapshotResume{}, func(_ context.Context, chunk event.SnapshotChunk) error {
			if len(chunk.Users) > 0 {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%v", err)
		}
		// What it left is of use: a new snapshot under the same slot.
		if got := len(users(snapshot(t, source, event.SnapshotResume{}))); got != 30000 {
			t.Errorf("%d users", got)
		}
	})
}

// Applying the stream to the snapshot gives the table, wherever the two meet among concurrent writes.
func TestSnapshotAndStreamUnderLoadGiveTheTable(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		db.run(`INSERT INTO users (id, plan) SELECT 'u' || g, 'old' FROM generate_series(1, 3000) AS g`)
		stop := make(chan struct{})
		var writers sync.WaitGroup
		for w := range 3 {
			conn := connect(t, db.dsn)
			writers.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					user := fmt.Sprintf("u%d", (i*31+w*17)%4000)
					for _, sql := range []string{
						`INSERT INTO users (id, plan) VALUES ($1, 'new') ON CONFLICT (id) DO UPDATE SET plan = users.plan || 'x'`,
						`DELETE FROM users WHERE id = $1 AND length(plan) > 4`,
					} {
						if _, err := conn.Exec(context.Background(), sql, user); err != nil {
							t.Error(err)
							return
						}
					}
				}
			})
		}
		source := db.source()
		chunks := snapshot(t, source, event.SnapshotResume{})
		s := start(t, source, chunks[0].Consistent)
		for range 20 {
			s.next()
		}
		close(stop)
		writers.Wait()
		db.mark("end")
		s.until("end")

		table := map[string]string{}
		for _, chunk := range chunks {
			for _, user := range chunk.Users {
				table[user.ID] = fields(user.Row)[1]
			}
		}
		for _, transaction := range s.got {
			for _, change := range transaction.Changes {
				switch change.Op {
				case event.Upsert:
					table[change.User] = fields(change.Row)[1]
				case event.Delete:
					if _, there := table[change.User]; !there {
						t.Errorf("%s was deleted and is not known: a change is missing, or came twice", change.User)
					}
					delete(table, change.User)
				}
			}
		}
		want := strings.Split(one[string](db, `SELECT string_agg(id || '=' || plan, ',' ORDER BY id COLLATE "C") FROM users`), ",")
		var got []string
		for id, plan := range table {
			got = append(got, id+"="+plan)
		}
		slices.Sort(got)
		slices.SortFunc(want, strings.Compare)
		compare(t, got, want)
	})
}

func TestSnapshotNeedsItsSlotToGoOn(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		err := db.source().Snapshot(context.Background(), event.SnapshotResume{Started: true, AfterKey: "a"}, nil)
		if !errors.Is(err, postgres.ErrSlotMissing) {
			t.Errorf("%v", err)
		}
		err = db.source(func(o *postgres.Options) { o.Create = false }).Snapshot(context.Background(), event.SnapshotResume{}, nil)
		var refusal *postgres.Refusal
		if !errors.As(err, &refusal) || refusal.Repair == "" {
			t.Errorf("without create: %v", err)
		}
	})
}

// lines is a log that tests wait on.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

func TestNewSlotSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	server := ownServer(t, "15", nil)
	db := newDatabase(t, "15", server)
	db.run(usersTable)
	source := db.source()
	if err := source.Prepare(context.Background()); err != nil {
		t.Fatal(err)
	}
	db.run(`BEGIN`)
	db.run(`INSERT INTO users (id) VALUES ('open')`)
	var log lines
	source = db.source(func(o *postgres.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
	done := make(chan []event.SnapshotChunk, 1)
	go func() { done <- snapshot(t, source, event.SnapshotResume{}) }()
	pid := one[int](db, `SELECT pg_backend_pid()`)
	eventually(t, "the log to name the transaction", func() bool {
		return log.has("waits for transactions") && log.has(fmt.Sprintf("pid=%d", pid))
	})
	db.run(`COMMIT`)
	if got := len(users(<-done)); got != 1 {
		t.Errorf("%d users", got)
	}
}

func TestSnapshotBesideARunningStream(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		db.run(`INSERT INTO users (id) VALUES ('a')`)
		source, s := ready(db)
		db.run(`INSERT INTO users (id) VALUES ('b')`)
		var chunks []event.SnapshotChunk
		err := source.Beside(context.Background(), func(_ context.Context, chunk event.SnapshotChunk) error {
			chunks = append(chunks, chunk)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		db.run(`INSERT INTO users (id) VALUES ('c')`)
		db.mark("end")
		known := map[string]bool{"a": true}
		for _, transaction := range s.until("end") {
			if transaction.Commit > chunks[0].Consistent {
				break
			}
			for _, change := range transaction.Changes {
				known[change.User] = true
			}
		}
		if got := users(chunks); len(got) != 2 || len(known) != 2 || !known["b"] {
			t.Errorf("the snapshot has %q, the stream up to its point %v", got, known)
		}
		if n := one[int](db, `SELECT count(*)::int FROM pg_replication_slots WHERE database = current_database()`); n != 1 {
			t.Errorf("%d slots", n)
		}
		db.mark("still streaming")
		s.until("still streaming")
	})
}
