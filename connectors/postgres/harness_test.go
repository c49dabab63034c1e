package postgres_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/connectors/postgres"
	local "muster/deploy/local/postgres"
	"muster/evaluator"
	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

// The tests run on real servers of the oldest and a recent supported version that the local stack can provide.
var servers = struct {
	sync.Mutex
	running map[string]*local.Server
}{running: map[string]*local.Server{}}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, server := range servers.running {
		if err := server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop:", err)
			code = 1
		}
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// deadline bounds every wait of the tests: generous, since the machine may be busy, and never the expected way out.
const deadline = 60 * time.Second

func sharedServer(t *testing.T, version string) *local.Server {
	t.Helper()
	servers.Lock()
	defer servers.Unlock()
	if server := servers.running[version]; server != nil {
		return server
	}
	server, err := local.Start(context.Background(), local.Options{Version: version, Log: func(line string) { t.Log(line) },
		Settings: map[string]string{"fsync": "off", "max_replication_slots": "60", "max_wal_senders": "60", "max_connections": "200"}})
	if err != nil {
		t.Fatalf("start Postgres %s: %v", version, err)
	}
	servers.running[version] = server
	return server
}

// ownServer is for tests that stop, kill or reconfigure it.
func ownServer(t *testing.T, version string, settings map[string]string) *local.Server {
	t.Helper()
	all := map[string]string{"fsync": "off"}
	for name, value := range settings {
		all[name] = value
	}
	server, err := local.Start(context.Background(), local.Options{Version: version, Settings: all, Log: func(line string) { t.Log(line) }})
	if err != nil {
		t.Fatalf("start Postgres %s: %v", version, err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return server
}

// database is a database of the test's own with a name that also serves as the name of its slot.
type database struct {
	t       *testing.T
	name    string
	dsn     string
	version string
	conn    *pgx.Conn
}

var counter struct {
	sync.Mutex
	n int
}

// onEach runs the test on each version.
func onEach(t *testing.T, test func(*testing.T, *database)) {
	t.Parallel()
	for _, version := range []string{"15", "17"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			test(t, newDatabase(t, version, sharedServer(t, version)))
		})
	}
}

func newDatabase(t *testing.T, version string, server *local.Server) *database {
	t.Helper()
	counter.Lock()
	counter.n++
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), counter.n)
	counter.Unlock()
	admin := connect(t, server.DSN())
	run(t, admin, `CREATE DATABASE `+name)
	dsn, err := url.Parse(server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	dsn.Path = "/" + name
	db := &database{t: t, name: name, version: version, dsn: dsn.String()}
	db.conn = connect(t, db.dsn)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		conn, err := pgx.Connect(ctx, server.DSN())
		if err != nil {
			return // a server that the test itself stopped
		}
		defer conn.Close(ctx)
		dropSlots := `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1 AND NOT active`
		eventually(t, "slots to be dropped", func() bool {
			_, _ = conn.Exec(ctx, dropSlots, name)
			var left int
			return conn.QueryRow(ctx, `SELECT count(*) FROM pg_replication_slots WHERE database = $1`, name).Scan(&left) == nil && left == 0
		})
		if _, err := conn.Exec(ctx, `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			t.Errorf("drop: %v", err)
		}
	})
	return db
}

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func run(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	if _, err := conn.Exec(ctx, sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (db *database) run(sql string, args ...any) {
	db.t.Helper()
	run(db.t, db.conn, sql, args...)
}

func one[T any](db *database, sql string, args ...any) T {
	db.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	var value T
	if err := db.conn.QueryRow(ctx, sql, args...).Scan(&value); err != nil {
		db.t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func (db *database) options() postgres.Options {
	return postgres.Options{DSN: db.dsn, Logger: slog.New(slog.NewTextHandler(db.t.Output(), nil)), Slot: db.name, Create: true, Environment: "test", Heartbeat: -1,
		Users: postgres.Users{Properties: "properties"}}
}

func (db *database) source(change ...func(*postgres.Options)) *postgres.Source {
	db.t.Helper()
	options := db.options()
	for _, c := range change {
		c(&options)
	}
	source, err := postgres.New(options)
	if err != nil {
		db.t.Fatal(err)
	}
	db.t.Cleanup(func() { _ = source.Close(context.Background()) })
	return source
}

// prepared is a source of a database that has a users table and everything a worker makes.
func (db *database) prepared() *postgres.Source {
	db.t.Helper()
	db.run(usersTable)
	source := db.source()
	if err := source.Prepare(context.Background()); err != nil {
		db.t.Fatal(err)
	}
	return source
}

// eventually waits for a condition that the passing of time alone does not make true.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); ; {
		if condition() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited %s for %s", deadline, what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// snapshot reads a whole snapshot.
func snapshot(t *testing.T, source *postgres.Source, resume event.SnapshotResume) []event.SnapshotChunk {
	t.Helper()
	var chunks []event.SnapshotChunk
	err := source.Snapshot(context.Background(), resume, func(_ context.Context, chunk event.SnapshotChunk) error {
		chunks = append(chunks, chunk)
		return nil
	})
	if err != nil {
		t.Fatalf("snapshot: %v", err)
	}
	if len(chunks) == 0 || !chunks[len(chunks)-1].Last {
		t.Fatalf("snapshot did not end with a last chunk")
	}
	return chunks
}

// stream is a running Stream whose batches are collected.
type stream struct {
	t      *testing.T
	source *postgres.Source
	out    chan []event.Transaction
	cancel context.CancelFunc
	done   chan error
	ack    bool // acknowledge whatever arrives
	got    []event.Transaction
}

func start(t *testing.T, source *postgres.Source, after event.LSN) *stream {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &stream{t: t, source: source, out: make(chan []event.Transaction), cancel: cancel, done: make(chan error, 1), ack: true}
	go func() { s.done <- source.Stream(ctx, after, s.out) }()
	t.Cleanup(func() { _ = s.stop() })
	return s
}

// stop ends the stream and returns its error. It may be called again.
func (s *stream) stop() error {
	s.cancel()
	err := <-s.done
	s.done <- err
	return err
}

// next returns the next batch.
func (s *stream) next() []event.Transaction {
	s.t.Helper()
	select {
	case batch := <-s.out:
		s.got = append(s.got, batch...)
		if s.ack {
			s.source.Acknowledge(batch[len(batch)-1].End)
		}
		return batch
	case err := <-s.done:
		s.done <- err
		s.t.Fatalf("stream ended: %v", err)
	case <-time.After(deadline):
		s.t.Fatal("no transaction arrived")
	}
	return nil
}

// changes returns the next changes, ticks and the like passed over, until there are n.
func (s *stream) changes(n int) []event.Change {
	s.t.Helper()
	var changes []event.Change
	for len(changes) < n {
		for _, transaction := range s.next() {
			changes = append(changes, transaction.Changes...)
		}
	}
	if len(changes) > n {
		s.t.Fatalf("got %d changes, want %d: %s", len(changes), n, describe(changes))
	}
	return changes
}

// until collects transactions up to the one that holds the token.
func (s *stream) until(token string) []event.Transaction {
	s.t.Helper()
	from := len(s.got)
	for {
		for _, transaction := range s.next() {
			for _, change := range transaction.Changes {
				if change.Op == event.Token && change.Token == token {
					return s.got[from:]
				}
			}
		}
	}
}

// mark writes a token that until finds.
func (db *database) mark(token string) {
	db.t.Helper()
	db.run(`SELECT pg_logical_emit_message(true, 'muster.token', $1)`, token)
}

// failure waits for the stream to end by itself.
func (s *stream) failure() error {
	s.t.Helper()
	for {
		select {
		case <-s.out:
		case err := <-s.done:
			s.done <- err
			return err
		case <-time.After(deadline):
			s.t.Fatal("the stream did not end")
		}
	}
}

// describe prints changes the way the tests compare them.
func describe(changes []event.Change) string {
	var b strings.Builder
	for i, c := range changes {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(describeOne(c))
	}
	return b.String()
}

func describeOne(c event.Change) string {
	switch c.Op {
	case event.Upsert:
		was := ""
		if c.OldUser != "" {
			was = " was " + c.OldUser
		}
		return "upsert " + c.User + was + " " + describeRow(c.Schema, c.Row)
	case event.Delete:
		return "delete " + c.User
	case event.Truncate:
		return "truncate"
	case event.MemberAdd:
		return fmt.Sprintf("add %s/%s/%s", c.Member.Audience, c.Member.User, c.Member.Tenant)
	case event.MemberRemove:
		return fmt.Sprintf("remove %s/%s/%s", c.Member.Audience, c.Member.User, c.Member.Tenant)
	case event.MembersTruncate:
		return "truncate members"
	case event.Define:
		return fmt.Sprintf("define %s v%d %s", c.Definition.Audience, c.Definition.Version, c.Definition.Document)
	case event.Token:
		return "token " + c.Token
	}
	return "?"
}

// describeRow prints a row as name=text, with ~ for NULL and ! for an unchanged marker.
func describeRow(schema *evaluator.Schema, row evaluator.Tuple) string {
	var b strings.Builder
	for i, field := range fields(row) {
		if i > 0 {
			b.WriteString(" ")
		}
		b.WriteString(schema.Columns[i].Name + "=" + field)
	}
	return b.String()
}

// fields splits a tuple by its documented form, markers included.
func fields(row evaluator.Tuple) []string {
	var all []string
	for rest := []byte(row); len(rest) > 0; {
		n, size := uvarint(rest)
		rest = rest[size:]
		switch n {
		case 0:
			all = append(all, "~")
		case 1:
			all = append(all, "!")
		default:
			all = append(all, string(rest[:n-2]))
			rest = rest[n-2:]
		}
	}
	return all
}

func uvarint(b []byte) (uint64, int) {
	var n uint64
	for i, c := range b {
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return n, i + 1
		}
	}
	return n, len(b)
}

func users(chunks []event.SnapshotChunk) []string {
	var all []string
	for _, chunk := range chunks {
		for _, user := range chunk.Users {
			all = append(all, user.ID+" "+describeRow(chunk.Schema, user.Row))
		}
	}
	return all
}
