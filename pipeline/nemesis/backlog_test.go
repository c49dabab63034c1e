package nemesis

import (
	"flag"
	"fmt"
	"math"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	backlogChanges = flag.Int("backlog", 200_000, "changes that BenchmarkBacklog lets pile up")
	backlogUsers   = flag.Int("backlog.users", 100_000, "users that they are of")
)

// BenchmarkBacklog lets changes pile up while no worker runs, and measures how long it takes until they are judged, in the
// state, in Kafka and in ClickHouse, from the start of the process on. Beside it, in the same run and over the same log: how
// fast Postgres wrote them, with nobody else at work, and how fast its own tool reads them into /dev/null. Everything shares
// the processors, the servers and the broker included.
func BenchmarkBacklog(b *testing.B) {
	w := newBacklogWorld(b)
	tool := filepath.Join(w.pg.BinDir(), "pg_recvlogical")
	if _, err := exec.LookPath(tool); err != nil {
		b.Skip("these binaries of Postgres have no pg_recvlogical")
	}
	k := w.newWorker()
	k.start()
	k.ready()
	k.stop()
	var wrote, read, delivered, processor time.Duration
	events := 0.0
	for range b.N {
		b.StopTimer()
		w.eventually("the slot to be free", func() bool {
			return value[bool](w, `SELECT NOT active FROM pg_replication_slots WHERE slot_name = 'muster'`)
		})
		w.exec(`SELECT pg_copy_logical_replication_slot('muster', 'copied')`)
		began := time.Now()
		w.exec(backlogSQL(*backlogUsers, *backlogChanges))
		wrote += time.Since(began)
		end := value[string](w, `SELECT pg_current_wal_lsn()::text`)
		read += w.readByTool(tool, end)
		w.exec(`SELECT pg_drop_replication_slot('copied')`)
		b.StartTimer()
		began = time.Now()
		k.start()
		w.eventuallyLong("everything to be delivered", func() bool { return k.delivered(float64(*backlogChanges)) })
		delivered += time.Since(began)
		b.StopTimer()
		events += sum(eventsTotal, k.metrics())
		k.stop()
		processor += k.used
	}
	changes := float64(*backlogChanges * b.N)
	b.ReportMetric(changes/wrote.Seconds(), "written/s")
	b.ReportMetric(changes/read.Seconds(), "pg_recvlogical/s")
	b.ReportMetric(changes/delivered.Seconds(), "delivered/s")
	b.ReportMetric(read.Seconds()/delivered.Seconds(), "of-pg_recvlogical")
	b.ReportMetric(float64(processor.Microseconds())/changes, "worker-us/change")
	b.ReportMetric(events/changes, "events/change")
	b.Logf("%d processors, %s, %s, %s", runtime.NumCPU(), runtime.Version(), value[string](w, `SHOW server_version`), load())
}

// newBacklogWorld is a world with many users, and without the history that the oracle needs.
func newBacklogWorld(b *testing.B) *world {
	b.Helper()
	w := newWorld(b, "15")
	w.exec(`ALTER TABLE users DISABLE TRIGGER USER`)
	w.exec(`INSERT INTO users (id, plan, score, seen_at, properties) SELECT 'u' || i, 'free', i % 200, now(), '{"country": "IT", "seats": 5}' FROM generate_series(1, $1::int) AS i`, *backlogUsers)
	w.straight()
	return w
}

// backlogSQL changes many users at random, a hundred to a transaction.
func backlogSQL(users, changes int) string {
	return fmt.Sprintf(`DO $$ BEGIN FOR i IN 1..%d LOOP
		UPDATE users SET plan = (ARRAY['pro', 'free', 'team'])[1 + floor(random() * 3)], score = floor(random() * 200), seen_at = clock_timestamp()
			WHERE id IN (SELECT 'u' || (1 + (i::bigint * 7919 + j * 104729) %% %d) FROM generate_series(1, 100) AS j);
		COMMIT;
	END LOOP; END $$`, changes/100, users)
}

// straight makes the worker speak to Postgres and ClickHouse without a proxy between them.
func (w *world) straight() {
	w.Helper()
	text, err := os.ReadFile(w.config)
	if err != nil {
		w.Fatal(err)
	}
	dsn, err := url.Parse(w.pg.DSN())
	if err != nil {
		w.Fatal(err)
	}
	direct := strings.NewReplacer(w.toPostgres.addr(), dsn.Host, w.toClickHouse.addr(), w.ch.Addr(), "evaluator: {workers: 3}\n", "",
		"http: {", "http: {limits: {requests_per_second: 0}, ")
	w.write(w.config, direct.Replace(string(text)))
}

// readByTool is how long Postgres's own tool takes to read a slot up to end.
func (w *world) readByTool(tool, end string) time.Duration {
	w.Helper()
	began := time.Now()
	out, err := exec.Command(tool, "-d", w.pg.DSN(), "-S", "copied", "--start", "-f", "/dev/null", "-o", "proto_version=1",
		"-o", "publication_names=muster", "--endpos", end, "--fsync-interval", "0").CombinedOutput()
	if err != nil {
		w.Fatalf("pg_recvlogical: %v: %s", err, out)
	}
	return time.Since(began)
}

var (
	eventsTotal  = regexp.MustCompile(`(?m)^muster_events_total\{.*\} (\S+)$`)
	changesTotal = regexp.MustCompile(`(?m)^muster_source_changes_total\{.*\} (\S+)$`)
	lags         = regexp.MustCompile(`(?m)^muster_(?:sink_lag_events\{.*\}|source_lag_seconds) (\S+)$`)
)

// delivered reports whether the running process has read so many changes and the sinks have everything.
func (k *worker) delivered(changes float64) bool {
	text := k.metrics()
	return sum(changesTotal, text) >= changes && sum(lags, text) == 0
}

// sum adds what a pattern captures.
func sum(pattern *regexp.Regexp, text string) (n float64) {
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return math.NaN()
		}
		n += v
	}
	return n
}

// load is how busy the machine is, as far as it says so.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "load unknown"
	}
	return "load " + strings.TrimSpace(string(text))
}
