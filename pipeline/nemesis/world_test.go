package nemesis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/twmb/franz-go/pkg/kfake"

	"muster/deploy/local/engine"
	"muster/deploy/local/loopback"
	"muster/deploy/local/postgres"
	"muster/evaluator"
	"muster/pipeline/event"
)

// deadline bounds every wait. It is generous, since the machine may be busy, and never the expected way out.
const deadline = 2 * time.Minute

//go:embed schema.sql
var schemaSQL string

//go:embed members.sql
var membersSQL string

//go:embed oracle.sql
var oracleSQL string

// world is everything around the worker: the servers, the networks between them and the worker, and its files.
type world struct {
	testing.TB
	pg    *postgres.Server
	kafka *kfake.Cluster
	ch    *engine.Server
	db    *pgxpool.Pool // straight to Postgres, not through the proxy

	toPostgres, toKafka, toClickHouse *proxy

	dir, config, stateDir, api string
	topic, clickhouse          string

	snapshot  snapshotPoint
	changes   bool              // definitions do
	upheavals bool              // the users table may be read again
	finished  event.LSN         // behind the last transaction that is to be judged
	last      event.LSN         // commit of the last transaction that is to be judged
	end       evaluator.Instant // the clock there
}

// snapshotPoint is where the worker's snapshot was taken: the oracle takes it as given.
type snapshotPoint struct {
	lastRow int64 // of history.users
	lsn     event.LSN
	at      evaluator.Instant
}

// newWorld starts the servers. Everything is gone again when the test ends.
func newWorld(t testing.TB, version string) *world {
	t.Helper()
	w := &world{TB: t, topic: "memberships", clickhouse: "muster", dir: t.TempDir()}
	var err error
	w.pg, err = postgres.Start(context.Background(), postgres.Options{
		Version: version, Log: func(line string) { t.Log(line) },
		Settings: map[string]string{"fsync": "off", "max_replication_slots": "8", "max_wal_senders": "8", "deadlock_timeout": "50ms"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.pg.Stop(); err != nil {
			t.Error(err)
		}
	})
	if w.ch, err = engine.Start(context.Background(), engine.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.ch.Stop(); err != nil {
			t.Error(err)
		}
	})
	w.toPostgres = newProxy(t, func() string { return loopback.Address(w.pg.Port()) })
	w.toClickHouse = newProxy(t, w.ch.Addr)
	w.startKafka()
	if w.db, err = pgxpool.New(context.Background(), w.pg.DSN()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.db.Close)
	w.exec(schemaSQL)
	w.writeConfig()
	return w
}

// startKafka starts a broker that tells its clients the proxy's address instead of its own.
func (w *world) startKafka() {
	w.Helper()
	var target atomic.Value // the proxy accepts before the broker listens
	target.Store("")
	w.toKafka = newProxy(w, func() string { return target.Load().(string) })
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ClusterID("nemesis"), kfake.DefaultNumPartitions(4),
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			listener, err := net.Listen(network, "127.0.0.1:0")
			if err != nil {
				return nil, err
			}
			target.Store(listener.Addr().String())
			return advertised{listener, w.toKafka.listener.Addr()}, nil
		}))
	if err != nil {
		w.Fatal(err)
	}
	w.kafka = cluster
	w.Cleanup(cluster.Close)
}

// advertised is a listener that says it is somewhere else.
type advertised struct {
	net.Listener
	addr net.Addr
}

func (a advertised) Addr() net.Addr { return a.addr }

func (w *world) writeConfig() {
	w.Helper()
	w.stateDir = filepath.Join(w.dir, "state")
	w.config = filepath.Join(w.dir, "muster.yaml")
	port, err := loopback.FreePort()
	if err != nil {
		w.Fatal(err)
	}
	w.api = loopback.Address(port)
	dsn, err := url.Parse(w.pg.DSN())
	if err != nil {
		w.Fatal(err)
	}
	dsn.Host = w.toPostgres.addr()
	text := fmt.Sprintf(`environment: nemesis
postgres: {dsn: %q, heartbeat: 1s}
kafka: {brokers: [%q], topic: %s, partitions: 4}
clickhouse: {addr: [%q], database: %s, flush: {interval: 50ms}}
http: {listen: %q}
state: {dir: %q}
evaluator: {workers: 3}
audiences: {dir: audiences}
log: {level: info, format: text}
`, dsn, w.toKafka.addr(), w.topic, w.toClickHouse.addr(), w.clickhouse, w.api, w.stateDir)
	w.write(w.config, text)
	for _, a := range audiences {
		if a.document == "" {
			continue
		}
		w.write(filepath.Join(w.dir, "audiences", a.key, "audience.json"), a.document)
	}
}

func (w *world) write(path, text string) {
	w.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

// exec runs SQL, several statements at a time when there are no arguments.
func (w *world) exec(sql string, args ...any) {
	w.Helper()
	if err := w.try(sql, args...); err != nil {
		w.Fatalf("%s: %v", strings.TrimSpace(sql), err)
	}
}

func (w *world) try(sql string, args ...any) error {
	conn, err := w.db.Acquire(context.Background())
	if err != nil {
		return err
	}
	defer conn.Release()
	if len(args) == 0 {
		_, err = conn.Conn().PgConn().Exec(context.Background(), sql).ReadAll()
		return err
	}
	_, err = conn.Exec(context.Background(), sql, args...)
	return err
}

// value returns the one value of a query. After a crash of the server the pool's connections may be broken once each.
func value[T any](w *world, sql string, args ...any) (v T) {
	w.Helper()
	w.eventually("an answer to "+sql, func() bool {
		err := w.db.QueryRow(context.Background(), sql, args...).Scan(&v)
		var refused *pgconn.PgError
		if errors.As(err, &refused) && !strings.HasPrefix(refused.Code, "57P") {
			w.Fatalf("%s: %v", sql, err)
		}
		return err == nil
	})
	return v
}

// observe begins the oracle's watch. The worker has made its snapshot, and nobody writes.
func (w *world) observe() {
	w.Helper()
	w.exec(membersSQL)
	// From here on the order of transactions is known. What is in the table now is what the worker's snapshot saw.
	w.exec(`SELECT pg_create_logical_replication_slot('oracle', 'pgoutput')`)
	w.snapshot.lastRow = value[int64](w, `SELECT coalesce(max(seq), 0) FROM history.users`)
}

// finish commits the last transaction that counts: somebody who enters one audience, and whose entry is therefore the
// last event.
func (w *world) finish() {
	w.Helper()
	w.db.Reset()
	w.exec(`INSERT INTO users (id, plan, seen_at) VALUES ('the end', 'pro', '2000-01-01')`)
	end, err := event.ParseLSN(value[string](w, `SELECT pg_current_wal_insert_lsn()::text`))
	if err != nil {
		w.Fatal(err)
	}
	w.finished = end
}

// eventually waits for a condition.
func (w *world) eventually(what string, condition func() bool) {
	w.Helper()
	w.within(deadline, 5*time.Millisecond, what, condition)
}

// within waits for a condition, for no longer than limit, and looks at it every so often.
func (w *world) within(limit, every time.Duration, what string, condition func() bool) {
	w.Helper()
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !condition() {
		select {
		case <-timeout.C:
			w.Fatalf("waited in vain for %s", what)
		case <-tick.C:
		}
	}
}

// connection is a connection of its own to Postgres.
func (w *world) connection() *pgx.Conn {
	w.Helper()
	conn, err := pgx.Connect(context.Background(), w.pg.DSN())
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}
