package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/sourcegraph/conc"

	"muster/connectors/postgres"
	local "muster/deploy/local/postgres"
	"muster/evaluator"
	"muster/pipeline"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// What the users table is altered by, while writers go on. Whatever it was, the rows in the state must afterwards be the
// table's, and the memberships what SQL says of them.
var reshapes = []struct {
	name string
	sql  []string // each a transaction of its own, with writes in between
}{
	{"add a column", []string{`ALTER TABLE users ADD tier text`}},
	{"add a column with a constant default", []string{`ALTER TABLE users ADD tier text DEFAULT 'gold'`}},
	{"add columns whose defaults need quotes", []string{`ALTER TABLE users ADD tier text DEFAULT 'a "b", {c} \ ''d', ADD extra text[] DEFAULT '{x,"y z"}', ADD empty text DEFAULT '', ADD boxes box[] DEFAULT '{(1,1),(0,0)}', ADD at timestamptz DEFAULT '2026-01-02 03:04:05+02'`}},
	{"add a column with the default of the moment", []string{`ALTER TABLE users ADD tier timestamptz DEFAULT now()`}},
	{"add a column with a volatile default", []string{`ALTER TABLE users ADD tier text DEFAULT CASE WHEN random() < 0.5 THEN 'gold' ELSE 'tin' END`}},
	{"add an identity column", []string{`ALTER TABLE users ADD score_of bigint GENERATED ALWAYS AS IDENTITY`}},
	{"add a generated column", []string{`ALTER TABLE users ADD tier text GENERATED ALWAYS AS (upper(plan)) STORED`}},
	{"add a column and change its default", []string{`ALTER TABLE users ADD tier text DEFAULT 'gold'`, `ALTER TABLE users ALTER tier SET DEFAULT 'tin'`}},
	{"drop a column", []string{`ALTER TABLE users DROP plan`}},
	{"drop a column and add it again", []string{`ALTER TABLE users DROP plan`, `ALTER TABLE users ADD plan text DEFAULT 'pro'`}},
	{"drop a column and add it again at once", []string{`ALTER TABLE users DROP plan, ADD plan text DEFAULT 'pro'`}},
	{"rename a column", []string{`ALTER TABLE users RENAME plan TO tier`}},
	{"rename there and back", []string{`ALTER TABLE users RENAME plan TO tier`, `ALTER TABLE users RENAME tier TO plan`}},
	{"swap two columns", []string{`DO $$ BEGIN ALTER TABLE users RENAME plan TO x; ALTER TABLE users RENAME note TO plan; ALTER TABLE users RENAME x TO note; END $$`}},
	{"a column hides a property and lets go of it", []string{`ALTER TABLE users ADD tier text`, `UPDATE users SET tier = 'gold' WHERE id < 'u05'`, `ALTER TABLE users RENAME tier TO other`}},
	{"drop the properties", []string{`ALTER TABLE users DROP properties`}},
	{"other properties", []string{`ALTER TABLE users RENAME properties TO old`, `ALTER TABLE users ADD properties jsonb DEFAULT '{"tier": "gold", "extra": "x"}'`}},
	{"properties that are no document", []string{`ALTER TABLE users ALTER properties TYPE text`}},
	{"retype to the same text", []string{`ALTER TABLE users ALTER plan TYPE varchar`}},
	{"retype to another kind", []string{`ALTER TABLE users ALTER score TYPE text USING 'about ' || score`}},
	{"retype within a kind", []string{`ALTER TABLE users ALTER score TYPE bigint USING score * 10`}},
	{"rewrite without a new type", []string{`ALTER TABLE users ALTER score TYPE integer USING 100 - score`}},
	{"rewrite twice", []string{`ALTER TABLE users ALTER score TYPE integer USING 100 - score`, `ALTER TABLE users ALTER plan TYPE text USING 'pro'`}},
	{"several in one transaction with writes between", []string{`DO $$ BEGIN
		UPDATE users SET score = 60 WHERE id LIKE 'u01%'; ALTER TABLE users ADD tier text DEFAULT 'gold';
		INSERT INTO users (id, tier) VALUES ('between', 'tin'); ALTER TABLE users DROP note; UPDATE users SET plan = 'pro' WHERE id LIKE 'u02%';
		ALTER TABLE users RENAME plan TO extra; DELETE FROM users WHERE id LIKE 'u03%'; END $$`}},
	{"a rewrite in a transaction with writes around", []string{`DO $$ BEGIN
		UPDATE users SET score = 60 WHERE id LIKE 'u01%'; ALTER TABLE users ALTER score TYPE bigint USING score - 20;
		UPDATE users SET score = 70 WHERE id LIKE 'u02%'; END $$`}},
	{"truncate and fill again", []string{`DO $$ BEGIN TRUNCATE users; INSERT INTO users (id, plan, score) SELECT 'u' || n, 'pro', n FROM generate_series(1, 50) n; END $$`}},
	{"truncate and rewrite", []string{`TRUNCATE users`, `INSERT INTO users (id, plan, score) SELECT 'u' || n, 'pro', n FROM generate_series(1, 50) n`,
		`ALTER TABLE users ALTER score TYPE integer USING 100 - score`}},
	{"vacuum full", []string{`VACUUM FULL users`}},
	{"a column list", []string{`ALTER PUBLICATION muster SET TABLE users (id, plan, properties), muster.commits, muster.members`,
		`UPDATE users SET score = 99`, `ALTER PUBLICATION muster SET TABLE users, muster.commits, muster.members`}},
	{"a large transaction that rewrites", []string{`DO $$ BEGIN INSERT INTO users (id, plan, score) SELECT 'v' || n, 'pro', n FROM generate_series(1, 12000) n;
		ALTER TABLE users ALTER score TYPE integer USING 100 - score; UPDATE users SET plan = 'free' WHERE id < 'v2'; END $$`}},
}

func TestReshapeUnderLoad(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"15", "17"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			server := startServer(t, version)
			for _, c := range reshapes {
				t.Run(c.name, func(t *testing.T) {
					r := newReshaping(t, server)
					r.start()
					r.load(func() {
						for _, sql := range c.sql {
							r.alter(sql)
							r.writes(20)
						}
					})
					r.agree()
				})
				t.Run(c.name+", while stopped", func(t *testing.T) {
					r := newReshaping(t, server)
					r.start()
					r.load(func() {
						r.halt()
						r.writes(10)
						for _, sql := range c.sql {
							r.alter(sql)
							r.writes(10)
						}
						r.start()
						r.writes(10)
					})
					r.agree()
				})
			}
		})
	}
}

// A worker that is killed at any step of reading the table again begins it anew.
func TestReshapeSurvivesStops(t *testing.T) {
	t.Parallel()
	server := startServer(t, "17")
	for _, at := range []string{"reading it again", "reading a snapshot", "has been read again"} {
		t.Run(at, func(t *testing.T) {
			r := newReshaping(t, server)
			r.stopAt = at
			r.start()
			r.load(func() {
				r.alter(`ALTER TABLE users ALTER score TYPE integer USING 100 - score`)
				r.writes(10)
				if err := <-r.done; err != nil {
					t.Errorf("run: %v", err)
				}
				r.close()
				r.exec(`DELETE FROM users WHERE id LIKE 'u0%'`) // seen by the attempt that was cut short, gone in the next
				r.start()
				r.writes(100)
			})
			r.agree()
			if n := r.anew.Load(); n != 1 {
				t.Errorf("the table was read again %d times for one change of it", n)
			}
		})
	}
}

// What cannot be followed ends the worker with what to do, and the slot keeps its place.
func TestReshapeBeyondRepair(t *testing.T) {
	t.Parallel()
	server := startServer(t, "15")
	for name, sql := range map[string]string{
		"id retyped":             `ALTER TABLE users ALTER id TYPE bytea USING id::bytea`,
		"id renamed":             `ALTER TABLE users RENAME id TO key`,
		"table renamed":          `ALTER TABLE users RENAME TO people`,
		"table dropped":          `DROP TABLE users`,
		"table replaced":         `ALTER TABLE users RENAME TO people; CREATE TABLE users (LIKE people INCLUDING ALL); ALTER PUBLICATION muster ADD TABLE users`,
		"identity taken away":    `ALTER TABLE users DROP CONSTRAINT users_pkey`,
		"out of the publication": `ALTER PUBLICATION muster DROP TABLE users`,
	} {
		t.Run(name, func(t *testing.T) {
			r := newReshaping(t, server)
			r.start()
			r.alter(sql)
			for _, insert := range []string{`INSERT INTO users (id) VALUES ('z')`, `INSERT INTO people (id) VALUES ('z')`, `INSERT INTO users (key) VALUES ('z')`, `DELETE FROM users`} {
				_, _ = r.db.Exec(context.Background(), insert) // whichever there still is
			}
			var refusal *postgres.Refusal
			select {
			case err := <-r.done:
				if !errors.As(err, &refusal) || refusal.Repair == "" {
					t.Errorf("ended with %v", err)
				} else {
					t.Log(refusal)
				}
			case <-time.After(deadline):
				t.Error("goes on")
				r.cancel()
				<-r.done
			}
			r.close()
			var slots int
			if err := r.db.QueryRow(context.Background(), `SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1`, r.name).Scan(&slots); err != nil || slots != 1 {
				t.Errorf("%d slots, %v", slots, err)
			}
		})
	}
}

// Definitions cannot name what the stream does not carry.
func TestHiddenColumnsAreRefused(t *testing.T) {
	t.Parallel()
	r := newReshaping(t, startServer(t, "17"))
	r.exec(`ALTER TABLE users ADD shout text GENERATED ALWAYS AS (upper(plan)) STORED`)
	r.start()
	r.define("shouting", `{"type":"dynamic","segments":[{"conditions":[{"property":"recipient.shout","operator":"exists"}]}]}`)
	r.define("fine", `{"type":"dynamic","segments":[{"conditions":[{"property":"recipient.plan","operator":"exists"}]}]}`)
	r.reach()
	reading, err := r.running.Read()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reading.Close() }()
	if _, ok := reading.Audience("shouting"); ok || !reading.Schema().IsHidden("shout") {
		t.Errorf("an audience over a hidden column is in force; hidden are %q", reading.Schema().Hidden)
	}
	if _, ok := reading.Audience("fine"); !ok {
		t.Error("the other is not in force")
	}
}

func startServer(t *testing.T, version string) *local.Server {
	t.Helper()
	server, err := local.Start(context.Background(), local.Options{Version: version, Log: func(line string) { t.Log(line) },
		Settings: map[string]string{"fsync": "off", "max_replication_slots": "20", "max_wal_senders": "20", "max_connections": "200", "autovacuum": "off"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// reshaping is a pipeline over a database of its own, and writers.
type reshaping struct {
	*testing.T
	db     *pgx.Conn
	dsn    string
	name   string
	dir    string
	sink   *remembering
	long   int          // words in a note
	stopAt string       // part of a message of the log, at which the pipeline is to stop, once
	anew   atomic.Int32 // how often the table was found to be written anew

	source  *postgres.Source
	store   *state.Store
	running *pipeline.Pipeline
	cancel  context.CancelFunc
	done    chan error
	written chan struct{}
}

// judged are audiences, with what SQL says of a user's document d.
var judged = map[string]struct{ condition, sql string }{
	"pro":   {`{"property":"recipient.plan","operator":"equal_to","argument":"pro"}`, `d->>'plan' = 'pro'`},
	"high":  {`{"property":"recipient.score","operator":"greater_than","argument":50}`, `CASE WHEN d->>'score' ~ '^-?[0-9]+$' THEN (d->>'score')::numeric > 50 END`},
	"gold":  {`{"property":"recipient.tier","operator":"equal_to","argument":"gold"}`, `d->>'tier' = 'gold'`},
	"noted": {`{"property":"recipient.note","operator":"exists"}`, `d->>'note' IS NOT NULL`},
	"extra": {`{"property":"recipient.extra","operator":"contains","argument":"x"}`, `CASE jsonb_typeof(d->'extra') WHEN 'array' THEN d->'extra' ? 'x' ELSE strpos(d->>'extra', 'x') > 0 END`},
	"tiers": {`{"property":"recipient.tier","operator":"exists"}`, `d->>'tier' IS NOT NULL`},
}

// membersSQL is for a condition of judged; its argument are the columns that the stream does not carry, which read as null.
const membersSQL = `
SELECT id FROM (
    SELECT id, coalesce(CASE jsonb_typeof(r->'properties') WHEN 'object' THEN r->'properties' END, '{}') ||
        (SELECT coalesce(jsonb_object_agg(k, CASE WHEN k = ANY ($1) THEN 'null' ELSE v END), '{}') FROM jsonb_each(r) AS e(k, v)) AS d
      FROM (SELECT id, to_jsonb(u) AS r FROM users u) AS rows
) AS documents WHERE %s ORDER BY id COLLATE "C"`

func newReshaping(t *testing.T, server *local.Server) *reshaping {
	t.Helper()
	database.Lock()
	database.count++
	r := &reshaping{T: t, name: fmt.Sprintf("reshape_%d_%d", os.Getpid(), database.count), dir: t.TempDir(), long: 1000, sink: &remembering{}, written: make(chan struct{}, 1)}
	database.Unlock()
	admin := connect(t, server.DSN())
	exec(t, admin, `CREATE DATABASE `+r.name)
	u, err := url.Parse(server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + r.name
	r.dsn = u.String()
	r.db = connect(t, r.dsn)
	r.exec(`CREATE TABLE users (id text PRIMARY KEY, plan text, score integer, seen timestamptz DEFAULT now(), note text, properties jsonb)`)
	r.exec(`ALTER TABLE users ALTER note SET STORAGE EXTERNAL`)
	r.exec(`INSERT INTO users SELECT 'u' || lpad(n::text, 3, '0'), CASE WHEN n % 3 = 0 THEN 'pro' END, n % 100, now(), CASE WHEN n % 2 = 0 THEN repeat('long ', $1) END,
		CASE WHEN n % 4 = 0 THEN '{"tier": "gold"}'::jsonb END FROM generate_series(0, 199) n`, r.long)
	t.Cleanup(func() {
		if r.running != nil {
			r.halt()
		}
		for err = errors.New("not tried"); err != nil && !t.Failed(); { // its walsender may be on its way out
			_, err = r.db.Exec(context.Background(), `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1`, r.name)
		}
	})
	return r
}

func (r *reshaping) exec(sql string, args ...any) {
	r.Helper()
	exec(r.T, r.db, sql, args...)
}

// start starts a pipeline; the first makes the audiences.
func (r *reshaping) start() {
	r.Helper()
	var err error
	log := slog.New(slog.NewTextHandler(reshapingLog{r}, nil))
	r.source, err = postgres.New(postgres.Options{DSN: r.dsn, Slot: r.name, Create: true, Environment: "test", Heartbeat: -1, Logger: log,
		Users: postgres.Users{Properties: "properties"}})
	if err != nil {
		r.Fatal(err)
	}
	if r.store, err = state.Open(r.dir, state.Options{}); err != nil {
		r.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	if r.running == nil {
		if err := r.source.Prepare(ctx); err != nil {
			r.Fatal(err)
		}
		for key, c := range judged {
			r.define(key, `{"type":"dynamic","segments":[{"conditions":[`+c.condition+`]}]}`)
		}
	}
	r.cancel, r.done = cancel, make(chan error, 1)
	r.running = pipeline.New(r.store, r.source, newCompiler(log), pipeline.Options{Environment: "test", Workers: 2, Logger: log})
	r.running.AddSink(r.sink, pipeline.SinkOptions{})
	running, done := r.running, r.done
	go func() { done <- running.Run(ctx, deadline) }()
	for running.Status().Phase != pipeline.Streaming {
		select {
		case err := <-done:
			r.Fatalf("run: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
}

func (r *reshaping) define(key, document string) {
	r.Helper()
	d, err := evaluator.Decode([]byte(document), key)
	if err != nil {
		r.Fatal(err)
	}
	r.exec(`INSERT INTO muster.commits (environment, audience, version, sha, document) VALUES ('test', $1, 1, $2, $3)`, key, d.SHA(), document)
}

// halt stops the pipeline.
func (r *reshaping) halt() {
	r.Helper()
	r.cancel()
	if err := <-r.done; err != nil {
		r.Errorf("run: %v", err)
	}
	r.close()
}

func (r *reshaping) close() {
	r.Helper()
	r.cancel()
	r.done <- nil // a second halt has nothing to wait for
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	_ = r.source.Close(ctx) // a slot that was dropped on purpose cannot be told anything
	if r.store == nil {
		return
	}
	if err := r.store.Close(); err != nil {
		r.Errorf("close: %v", err)
	}
	r.store = nil
}

// alter changes the table, waiting for the writers as it must.
func (r *reshaping) alter(sql string) {
	r.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	for {
		_, err := r.db.Exec(ctx, sql)
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "40P01" { // a deadlock with a writer
			continue
		}
		if err != nil {
			r.Fatalf("%s: %v", sql, err)
		}
		return
	}
}

// writes waits for so many writes to be made.
func (r *reshaping) writes(n int) {
	r.Helper()
	for range n {
		select {
		case <-r.written:
		case <-time.After(deadline):
			r.Fatal("the writers make no progress")
		}
	}
}

// load runs do while writers write.
func (r *reshaping) load(do func()) {
	r.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	writers := conc.NewWaitGroup()
	for range 2 {
		conn := connect(r.T, r.dsn)
		writers.Go(func() {
			for ctx.Err() == nil {
				r.write(conn)
			}
		})
	}
	defer writers.Wait()
	defer cancel()
	do()
}

// write makes one change, if the table still has what it is made of.
func (r *reshaping) write(conn *pgx.Conn) {
	pick := func(of ...string) string { return of[rand.IntN(len(of))] }
	id, n := fmt.Sprintf("u%03d", rand.IntN(220)), rand.IntN(100)
	sql := pick(
		fmt.Sprintf(`INSERT INTO users (id, plan, score) VALUES ('%s', '%s', %d) ON CONFLICT DO NOTHING`, id, pick("pro", "free"), n),
		fmt.Sprintf(`INSERT INTO users (id) VALUES ('%s') ON CONFLICT DO NOTHING`, id),
		fmt.Sprintf(`UPDATE users SET plan = '%s' WHERE id = '%s'`, pick("pro", "free"), id),
		fmt.Sprintf(`UPDATE users SET score = %d WHERE id = '%s'`, n, id),
		fmt.Sprintf(`UPDATE users SET tier = '%s' WHERE id = '%s'`, pick("gold", "tin"), id),
		fmt.Sprintf(`UPDATE users SET note = %s WHERE id = '%s'`, pick("NULL", fmt.Sprintf("repeat('other ', %d)", r.long)), id),
		fmt.Sprintf(`UPDATE users SET properties = '%s' WHERE id = '%s'`, pick(`{"tier": "gold", "extra": "x"}`, `{"plan": "pro"}`, `{}`), id),
		fmt.Sprintf(`UPDATE users SET id = 'k%d' WHERE id = '%s'`, n, id),
		fmt.Sprintf(`DELETE FROM users WHERE id = '%s'`, id),
	)
	_, err := conn.Exec(context.Background(), sql)
	var pg *pgconn.PgError
	switch {
	case err == nil:
		select {
		case r.written <- struct{}{}:
		case <-time.After(time.Millisecond):
		}
	case !errors.As(err, &pg) || pg.Code[:2] != "42" && pg.Code[:2] != "22" && pg.Code[:2] != "23" && pg.Code[:2] != "40" && pg.Code[:2] != "55" && pg.Code != "0A000" && pg.Code != "428C9":
		r.Errorf("%s: %v", sql, err)
	}
}

// reach waits until everything is worked, also what follows a change of the shape.
func (r *reshaping) reach() {
	r.Helper()
	r.exec(`INSERT INTO users (id) VALUES ('last') ON CONFLICT DO NOTHING`)
	r.exec(`DELETE FROM users WHERE id = 'last'`)
	var end string
	if err := r.db.QueryRow(context.Background(), `SELECT pg_current_wal_insert_lsn()::text`).Scan(&end); err != nil {
		r.Fatal(err)
	}
	at, err := event.ParseLSN(end)
	if err != nil {
		r.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	reached := make(chan error, 1)
	go func() { reached <- r.running.AwaitPosition(ctx, at) }()
	r.exec(`SELECT pg_logical_emit_message(true, 'muster.tick', '')`)
	select {
	case err := <-r.done:
		r.done <- err
		cancel()
		<-reached
		r.Fatalf("run: %v", err)
	case err := <-reached:
		if err != nil {
			r.Fatalf("%s is not reached, but %s: %v", at, r.running.Status().Position, err)
		}
	}
	for r.running.Status().Backfill.Running {
		select {
		case <-ctx.Done():
			r.Fatal("the backfill does not end")
		case <-time.After(time.Millisecond):
		}
	}
}

// agree compares state and table, and looks at the events.
func (r *reshaping) agree() {
	r.Helper()
	r.reach()
	reading, err := r.running.Read()
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = reading.Close() }()
	r.rowsAgree(reading)
	for key, c := range judged {
		rows, err := r.db.Query(context.Background(), fmt.Sprintf(membersSQL, c.sql), reading.Schema().Hidden)
		if err != nil {
			r.Fatal(err)
		}
		want, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			r.Fatal(err)
		}
		var have []string
		audience, ok := reading.Audience(key)
		if !ok {
			r.Errorf("%s is not in force", key)
			continue
		}
		err = reading.Members(audience.ID, "", "", func(user, _ string) (bool, error) { have = append(have, user); return true, nil })
		if err != nil {
			r.Fatal(err)
		}
		if !slices.Equal(have, want) {
			r.Errorf("%s: members are %q, SQL says %q", key, have, want)
		}
	}
	r.eventsAlternate()
}

// rowsAgree compares every row with the one that a snapshot reads.
func (r *reshaping) rowsAgree(reading *pipeline.Reading) {
	r.Helper()
	have := make(map[string]string)
	err := reading.Users("", func(u *pipeline.User) (bool, error) {
		if u.Row != nil {
			have[u.ID] = string(u.Row.Tuple())
		}
		return true, nil
	})
	if err != nil {
		r.Fatal(err)
	}
	different := 0
	err = r.source.Beside(context.Background(), func(_ context.Context, chunk event.SnapshotChunk) error {
		if !chunk.Schema.Equal(reading.Schema()) {
			r.Errorf("schema is %+v, of the table %+v", reading.Schema(), chunk.Schema)
		}
		for _, u := range chunk.Users {
			if row, ok := have[u.ID]; !ok || row != string(u.Row) {
				if different++; different < 4 {
					r.Errorf("row of %s is %.80q, in the table %.80q", u.ID, row, u.Row)
				}
			}
			delete(have, u.ID)
		}
		return nil
	})
	if err != nil {
		r.Fatal(err)
	}
	if len(have) > 0 || different > 0 {
		r.Errorf("%d rows are of users who are gone, %d are others", len(have), different)
	}
}

func (r *reshaping) eventsAlternate() {
	r.Helper()
	in := make(map[string]bool)
	for _, e := range r.sink.all() {
		key, entered := e.Audience+"/"+e.User, e.Type == event.Entered
		if in[key] == entered {
			r.Errorf("event %d: %s %s again", e.Sequence, key, e.Type)
		}
		in[key] = entered
		if e.Trigger && (e.Cause == event.CauseDefinition || !entered) {
			r.Errorf("event %d: %s of %s triggers, cause %s", e.Sequence, e.Type, key, e.Cause)
		}
	}
}

// reshapingLog hands what is logged to the test, and stops the pipeline where the test wants that.
type reshapingLog struct{ r *reshaping }

func (l reshapingLog) Write(p []byte) (int, error) {
	if strings.Contains(string(p), "reading it again") {
		l.r.anew.Add(1)
	}
	if l.r.stopAt != "" && l.r.running != nil && l.r.running.Status().Phase >= pipeline.Streaming && strings.Contains(string(p), l.r.stopAt) {
		l.r.stopAt = ""
		l.r.cancel()
	}
	return l.r.Output().Write(p)
}

// remembering is a sink.
type remembering struct {
	mu     sync.Mutex
	events []event.Event
}

func (s *remembering) Name() string                  { return "remembering" }
func (s *remembering) Recover(context.Context) error { return nil }

func (s *remembering) Deliver(_ context.Context, events []event.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range events {
		if _, found := slices.BinarySearchFunc(s.events, e.Sequence, func(e event.Event, n uint64) int { return cmp.Compare(e.Sequence, n) }); !found {
			s.events = append(s.events, e)
		}
	}
	return nil
}

func (s *remembering) all() []event.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}
