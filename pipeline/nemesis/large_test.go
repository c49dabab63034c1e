package nemesis

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/jackc/pgx/v5"

	"muster/pipeline/state"
)

var (
	largeRows    = flag.Int("large", 5_000_000, "rows of the large transaction, in the long form")
	snapshotRows = flag.Int("snapshot", 1_000_000, "users of the large snapshot, in the long form")
)

// memoryLimit is what the worker may have resident through a transaction of any size.
const memoryLimit = 512 << 20

// newLargeWorld is a world for millions of rows: no history is kept of them, and the worker is one without race detector.
func newLargeWorld(t *testing.T) (*world, *worker) {
	t.Helper()
	if *rounds == 0 {
		t.Skip("part of the long form: make nemesis ROUNDS=1")
	}
	w := newWorld(t, "17")
	w.exec(`DROP TRIGGER user_changed ON users; DROP TRIGGER users_emptied ON users`)
	program := filepath.Join(w.dir, "muster")
	build(t, program)
	return w, w.newWorker(program)
}

// TestNemesisLargeTransaction commits millions of rows at once, and kills the worker in the middle of applying them.
func TestNemesisLargeTransaction(t *testing.T) {
	w, k := newLargeWorld(t)
	k.start()
	k.ready()
	began := time.Now()
	w.exec(fmt.Sprintf(`INSERT INTO users (id, plan, seen_at) SELECT 'v' || i, CASE i %% 10 WHEN 0 THEN 'pro' END, '2000-01-01' FROM generate_series(1, %d) AS i`, *largeRows))
	inserted := time.Since(began)
	began = time.Now()
	w.eventuallyLong("a fifth of the events", func() bool { return w.countEvents("change") >= uint64(*largeRows/50) })
	k.kill()
	k.start()
	w.finish()
	w.eventuallyLong("all events", func() bool { return w.countEvents("change") > uint64(*largeRows/10) })
	took := time.Since(began)
	k.settle()
	k.stop()
	w.everyEventOnce(*largeRows/10 + 1)
	t.Logf("%d rows in one transaction: inserted in %s, events of all of them %s after the commit (one kill in between), worker %d MB at most",
		*largeRows, inserted.Round(time.Millisecond), took.Round(time.Millisecond), k.memory>>20)
	if k.memory > memoryLimit {
		t.Errorf("the worker had %d MB", k.memory>>20)
	}
}

// TestNemesisLargeSnapshot kills the worker in the middle of a first snapshot, which then goes on where it was.
func TestNemesisLargeSnapshot(t *testing.T) {
	w, k := newLargeWorld(t)
	w.exec(fmt.Sprintf(`INSERT INTO users (id, plan, seen_at) SELECT 'v' || i, CASE i %% 10 WHEN 0 THEN 'pro' END, '2000-01-01' FROM generate_series(1, %d) AS i`, *snapshotRows))
	w.exec(`ANALYZE users`)
	began := time.Now()
	k.start()
	w.eventuallyLong("a third of the snapshot", func() bool { return k.metric("muster_snapshot_rows") >= float64(*snapshotRows)/3 })
	k.kill()
	head := w.head()
	if !head.Snapshot.Running || head.Snapshot.Done < uint64(*snapshotRows)/4 || head.Snapshot.After == "" {
		t.Fatalf("on the disk is %+v", head.Snapshot)
	}
	w.exec(`UPDATE users SET plan = 'pro' WHERE id = 'v1'; UPDATE users SET plan = NULL WHERE id = 'v10'`) // meanwhile
	k.start()
	first := -1.0
	w.eventuallyLong("the worker to be ready", func() bool {
		if rows := k.metric("muster_snapshot_rows"); first < 0 && rows > 0 {
			first = rows
		}
		return k.isReady()
	})
	took := time.Since(began)
	w.finish()
	k.settle()
	k.stop()
	if first >= 0 && first < float64(head.Snapshot.Done) {
		t.Errorf("%d users were done, and it went on from %.0f", head.Snapshot.Done, first)
	}
	w.everyEventOnce(*snapshotRows/10 + 3) // v1 enters, v10 exits, and the end
	t.Logf("%d users: snapshot in %s, killed at %d and gone on from there, worker %d MB at most", *snapshotRows, took.Round(time.Millisecond),
		head.Snapshot.Done, k.memory>>20)
}

// TestNemesisCatchUp writes as fast as it can, kills the worker, writes on for a while, and sees how long the next one
// takes to be where it would have been.
func TestNemesisCatchUp(t *testing.T) {
	const down = 3 * time.Second
	w, k := newLargeWorld(t)
	w.exec(`INSERT INTO users (id, plan, seen_at) SELECT 'v' || i, 'pro', '2000-01-01' FROM generate_series(1, 10000) AS i`)
	k.start()
	k.ready()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var changes atomic.Int64
	var running sync.WaitGroup
	for i := range 2 {
		running.Go(func() { w.hurry(ctx, i, &changes) })
	}
	w.eventually("changes", func() bool { return changes.Load() > 20_000 })
	k.kill()
	before := changes.Load()
	downtime := time.NewTimer(down)
	defer downtime.Stop()
	<-downtime.C
	backlog := changes.Load() - before
	cancel()
	running.Wait()
	w.finish()
	began := time.Now()
	k.start()
	k.settle()
	t.Logf("%d changes in %s of downtime: all of them through Kafka and ClickHouse %s after the start of the process", backlog, down, time.Since(began).Round(time.Millisecond))
	k.stop()
}

// hurry changes users, many in a transaction, as fast as the server takes them.
func (w *world) hurry(ctx context.Context, part int, changes *atomic.Int64) {
	conn, err := pgx.Connect(ctx, w.pg.DSN())
	if err != nil {
		w.Error(err)
		return
	}
	defer func() { _ = conn.Close(context.Background()) }()
	for i := 0; ctx.Err() == nil; i++ {
		tag, err := conn.Exec(context.Background(), `UPDATE users SET plan = CASE WHEN $1::int % 4 = 0 THEN 'pro' ELSE 'free' END, score = $1 WHERE id = ANY
 (SELECT 'v' || (($2::int * 5000) + ($1 * 50 + j) % 5000 + 1) FROM generate_series(0, 49) AS j)`, i, part)
		if err != nil {
			w.Error(err)
			return
		}
		changes.Add(tag.RowsAffected())
	}
}

// eventuallyLong is eventually for what takes minutes.
func (w *world) eventuallyLong(what string, condition func() bool) {
	w.Helper()
	w.within(15*time.Minute, 100*time.Millisecond, what, condition)
}

// countEvents is how many events of a cause are in ClickHouse; 0 while it has no answer.
func (w *world) countEvents(cause string) (n uint64) {
	conn := w.openClickHouse()
	defer func() { _ = conn.Close() }()
	_ = conn.QueryRow(context.Background(), `SELECT count() FROM membership_events WHERE cause = {cause:String}`, clickhouse.Named("cause", cause)).Scan(&n)
	return n
}

// everyEventOnce holds the numbers of both readers against what there must be.
func (w *world) everyEventOnce(want int) {
	w.Helper()
	records := w.readKafka()
	ids := make(map[string]bool, len(records))
	var last uint64
	for _, r := range records {
		ids[r.ID()] = true
		last = max(last, r.Sequence)
	}
	if len(records) != want || len(ids) != want || last != uint64(want) {
		w.Errorf("Kafka has %d events, %d of them different, up to sequence %d; want %d", len(records), len(ids), last, want)
	}
	conn := w.openClickHouse()
	defer func() { _ = conn.Close() }()
	var rows, distinct uint64
	if err := conn.QueryRow(context.Background(), `SELECT count(), uniqExact(id) FROM membership_events FINAL`).Scan(&rows, &distinct); err != nil {
		w.Fatal(err)
	}
	if rows != uint64(want) || distinct != uint64(want) {
		w.Errorf("ClickHouse has %d events, %d of them different; want %d", rows, distinct, want)
	}
}

// head is where the state of a dead worker stands.
func (w *world) head() state.Head {
	w.Helper()
	store, err := state.Open(w.stateDir, state.Options{})
	if err != nil {
		w.Fatal(err)
	}
	head, err := store.Head()
	if cerr := store.Close(); err != nil || cerr != nil {
		w.Fatal(err, cerr)
	}
	return head
}

// metric is the value of one of the worker's metrics without labels, -1 while there is none.
func (k *worker) metric(name string) float64 {
	m := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindStringSubmatch(k.metrics())
	if m == nil {
		return -1
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return -1
	}
	return v
}
