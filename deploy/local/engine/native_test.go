package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

func TestPingAndVersion(t *testing.T) {
	t.Parallel()
	conn := open(t)
	if err := conn.Ping(context.Background()); err != nil {
		t.Fatal(err)
	}
	v, err := conn.ServerVersion()
	if err != nil || v.Version.Major != 26 || v.Version.Minor != 7 {
		t.Errorf("version %v, %v", v, err)
	}
}

// TestTypesAndEngines walks the product's kinds of column through a table, by a batch and back.
func TestTypesAndEngines(t *testing.T) {
	t.Parallel()
	conn := open(t)
	run(t, conn, `CREATE TABLE events (
		id UInt64, audience LowCardinality(String), tenant LowCardinality(Nullable(String)), at DateTime64(6, 'UTC'),
		tags Array(LowCardinality(String)), note Nullable(String), props Map(String, String), pair Tuple(UInt8, String), version UInt32 DEFAULT 7
	) ENGINE = ReplacingMergeTree(version) PARTITION BY toYYYYMM(at) ORDER BY id TTL toDateTime(at) + INTERVAL 50 YEAR`)
	at := time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)
	note := "it's\ta 'note'\n"
	batch, err := conn.PrepareBatch(context.Background(), "INSERT INTO events (id, audience, tenant, at, tags, note, props, pair)")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		var n *string
		if i > 0 {
			n = &note
		}
		if err := batch.Append(uint64(i), "trial-ending", n, at, []string{"a", "b"}, n, map[string]string{"k": "v"}, []any{uint8(i), "x"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
	var (
		id       uint64
		audience string
		tenant   *string
		got      time.Time
		tags     []string
		nullable *string
		props    map[string]string
		pair     []any
		version  uint32
	)
	row := conn.QueryRow(context.Background(), "SELECT * FROM events FINAL WHERE id = 2")
	if err := row.Scan(&id, &audience, &tenant, &got, &tags, &nullable, &props, &pair, &version); err != nil {
		t.Fatal(err)
	}
	if id != 2 || audience != "trial-ending" || *tenant != note || !got.Equal(at) || fmt.Sprint(tags) != "[a b]" || *nullable != note ||
		props["k"] != "v" || fmt.Sprint(pair) != "[2 x]" || version != 7 {
		t.Error(id, audience, *tenant, got, tags, *nullable, props, pair, version)
	}
	if err := conn.QueryRow(context.Background(), "SELECT tenant, note FROM events WHERE id = 0").Scan(&tenant, &nullable); err != nil || tenant != nil || nullable != nil {
		t.Error(tenant, nullable, err)
	}
}

func TestReplacingMergeTreeFinal(t *testing.T) {
	t.Parallel()
	conn := open(t)
	run(t, conn, "CREATE TABLE m (k String, n UInt64) ENGINE = ReplacingMergeTree ORDER BY k")
	for range 3 {
		run(t, conn, "INSERT INTO m VALUES ('a', 1), ('b', 2)")
	}
	if all, final := one[uint64](t, conn, "SELECT count() FROM m"), one[uint64](t, conn, "SELECT count() FROM m FINAL"); all < 2 || final != 2 {
		t.Errorf("%d rows, %d of them final", all, final)
	}
}

func TestTTLRemovesRows(t *testing.T) {
	t.Parallel()
	conn := open(t)
	run(t, conn, "CREATE TABLE old (at DateTime64(6, 'UTC')) ENGINE = MergeTree ORDER BY at TTL toDateTime(at) + INTERVAL 1 DAY")
	run(t, conn, "INSERT INTO old VALUES ('2020-01-01 00:00:00'), ('2099-01-01 00:00:00')")
	run(t, conn, "OPTIMIZE TABLE old FINAL")
	if n := one[uint64](t, conn, "SELECT count() FROM old"); n != 1 {
		t.Errorf("%d rows are left", n)
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	conn := open(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)
	for _, text := range []string{"", "it's", `back\slash`, "tab\tand\nline", "{a:String}", "ünï"} {
		if got := one[string](t, conn, "SELECT {text:String}", clickhouse.Named("text", text)); got != text {
			t.Errorf("%q came back as %q", text, got)
		}
	}
	if got := one[time.Time](t, conn, "SELECT {at:DateTime64(6, 'UTC')}", clickhouse.Named("at", at)); !got.Equal(at) {
		t.Errorf("time came back as %v", got)
	}
	if got := one[uint64](t, conn, "SELECT sum(x) FROM (SELECT arrayJoin({xs:Array(UInt64)}) AS x)", clickhouse.Named("xs", []uint64{1, 2, 3})); got != 6 {
		t.Errorf("sum %d", got)
	}
	ctx := clickhouse.Context(context.Background(), clickhouse.WithParameters(clickhouse.Parameters{"table": "numbers"}))
	var n uint64
	if err := conn.QueryRow(ctx, "SELECT count() FROM system.{table:Identifier} WHERE number < 5").Scan(&n); err != nil || n != 5 {
		t.Error(n, err)
	}
}

func TestParameterisedView(t *testing.T) {
	t.Parallel()
	conn := open(t)
	run(t, conn, "CREATE TABLE e (user String, at DateTime64(6, 'UTC')) ENGINE = MergeTree ORDER BY user")
	run(t, conn, "INSERT INTO e VALUES ('a', '2026-01-01 00:00:00'), ('b', '2026-02-01 00:00:00')")
	run(t, conn, "CREATE VIEW members_at AS SELECT user FROM e WHERE at <= {at:DateTime64(6, 'UTC')}")
	at := time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC)
	if got := one[string](t, conn, "SELECT user FROM members_at(at = {at:DateTime64(6, 'UTC')})", clickhouse.Named("at", at)); got != "a" {
		t.Errorf("member %q", got)
	}
	if got := one[string](t, conn, "SELECT user FROM members_at(at = '2026-01-15 00:00:00')"); got != "a" {
		t.Errorf("member %q", got)
	}
}

func TestDeduplicationByToken(t *testing.T) {
	t.Parallel()
	conn := open(t)
	run(t, conn, "CREATE TABLE d (x UInt64) ENGINE = MergeTree ORDER BY x SETTINGS non_replicated_deduplication_window = 100")
	for i, token := range []string{"one", "one", "two", "one", "two"} {
		ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"insert_deduplication_token": token}))
		insert(t, ctx, conn, "INSERT INTO d (x)", 10)
		if n, want := one[uint64](t, conn, "SELECT count() FROM d"), uint64(10*min(2, 1+i/2)); n != want {
			t.Errorf("after insert %d with token %s: %d rows, want %d", i, token, n, want)
		}
	}
}

// insert sends a batch of the numbers below n.
func insert(t *testing.T, ctx context.Context, conn driver.Conn, statement string, n int) {
	t.Helper()
	batch, err := conn.PrepareBatch(ctx, statement)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := batch.Append(uint64(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := batch.Send(); err != nil {
		t.Fatal(err)
	}
}

func TestLargeBatches(t *testing.T) {
	t.Parallel()
	for name, method := range map[string]clickhouse.CompressionMethod{"none": clickhouse.CompressionNone, "lz4": clickhouse.CompressionLZ4, "zstd": clickhouse.CompressionZSTD} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := open(t, func(o *clickhouse.Options) { o.Compression = &clickhouse.Compression{Method: method} })
			run(t, conn, "CREATE TABLE big (x UInt64) ENGINE = MergeTree ORDER BY x")
			const rows = 100_000
			insert(t, context.Background(), conn, "INSERT INTO big (x)", rows)
			if parts := one[uint64](t, conn, "SELECT count() FROM system.parts WHERE active AND table = 'big' AND database = currentDatabase()"); parts != 1 {
				t.Errorf("the batch became %d parts", parts)
			}
			read, err := conn.Query(context.Background(), "SELECT x, toString(x) FROM big ORDER BY x")
			if err != nil {
				t.Fatal(err)
			}
			n := uint64(0)
			for ; read.Next(); n++ {
				var x uint64
				var s string
				if err := read.Scan(&x, &s); err != nil || x != n || s != fmt.Sprint(n) {
					t.Fatal(n, x, s, err)
				}
			}
			if err := errors.Join(read.Err(), read.Close()); err != nil || n != rows {
				t.Fatal(n, err)
			}
		})
	}
}

func TestEmptyResultsHaveColumns(t *testing.T) {
	t.Parallel()
	conn := open(t)
	run(t, conn, "CREATE TABLE e (a UInt8, b LowCardinality(String)) ENGINE = MergeTree ORDER BY a")
	for query, want := range map[string]string{
		"SELECT * FROM e": "[a b] UInt8 LowCardinality(String)",
		"SELECT a AS x, b FROM e WHERE a = 3 -- end": "[x b] UInt8 LowCardinality(String)",
		"WITH 1 AS one SELECT a + one AS y FROM e;":  "[y] UInt16",
		"SHOW TABLES LIKE 'none'":                    "[name] String",
	} {
		read, err := conn.Query(context.Background(), query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		got := fmt.Sprint(read.Columns())
		for _, c := range read.ColumnTypes() {
			got += " " + c.DatabaseTypeName()
		}
		if read.Next() || read.Err() != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", query, got, read.Err(), want)
		}
		_ = read.Close()
	}
}

func TestExceptionsHaveCodes(t *testing.T) {
	t.Parallel()
	conn := open(t)
	for query, want := range map[string]int32{
		"SELECT * FROM nowhere": 60, "SELEKT": 62, "SELECT nothing": 47, "SELECT 1; SELECT 2": 62, "CREATE TABLE t": 80,
		"SELECT throwIf(number = 70000) FROM numbers(100000)": 395, "INSERT INTO nowhere VALUES": 60, "DROP TABLE nowhere": 60,
		"SELECT toUInt8('x')": 6,
	} {
		err := conn.Exec(context.Background(), query)
		var e *clickhouse.Exception
		if !errors.As(err, &e) || e.Code != want {
			t.Errorf("%s: %v, want code %d", query, err, want)
		}
	}
	// The connection goes on after each.
	if one[uint8](t, conn, "SELECT 1") != 1 {
		t.Error("no answer after exceptions")
	}
	var e *clickhouse.Exception
	if err := connect(t, shared, "absent").Ping(context.Background()); !errors.As(err, &e) || e.Code != 81 {
		t.Errorf("a database that is not there: %v", err)
	}
}

func TestRefusedBatchLeavesTheConnectionUsable(t *testing.T) {
	t.Parallel()
	conn := open(t, func(o *clickhouse.Options) { o.MaxOpenConns = 1 })
	run(t, conn, "CREATE TABLE c (x UInt64, CONSTRAINT small CHECK x < 5) ENGINE = MergeTree ORDER BY x")
	batch, err := conn.PrepareBatch(context.Background(), "INSERT INTO c (x)")
	if err != nil {
		t.Fatal(err)
	}
	for x := range uint64(10) {
		if err := batch.Append(x); err != nil {
			t.Fatal(err)
		}
	}
	var e *clickhouse.Exception
	if err := batch.Send(); !errors.As(err, &e) || e.Code != 469 {
		t.Errorf("a batch against a constraint: %v", err)
	}
	if n := one[uint64](t, conn, "SELECT count() FROM c"); n != 0 {
		t.Errorf("%d rows of it are there", n)
	}
}

func TestSettingsLastForTheirStatement(t *testing.T) {
	t.Parallel()
	conn := open(t, func(o *clickhouse.Options) { o.MaxOpenConns = 1; o.Settings = clickhouse.Settings{"max_threads": 3} })
	const threads = "SELECT toUInt64(getSetting('max_threads'))"
	with := func(s clickhouse.Settings) (n uint64, err error) {
		err = conn.QueryRow(clickhouse.Context(context.Background(), clickhouse.WithSettings(s)), threads).Scan(&n)
		return n, err
	}
	if n, err := with(clickhouse.Settings{"max_threads": 5}); n != 5 || err != nil {
		t.Error(n, err)
	}
	if n := one[uint64](t, conn, threads); n != 3 {
		t.Errorf("max_threads is %d after a statement with another", n)
	}
	const block = "SELECT toUInt64(getSetting('max_block_size'))"
	ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"max_block_size": 77}))
	var size uint64
	if err := conn.QueryRow(ctx, block).Scan(&size); size != 77 || err != nil {
		t.Error(size, err)
	}
	if one[uint64](t, conn, block) == 77 {
		t.Error("max_block_size stays after the statement it came with")
	}
	run(t, conn, "SET max_threads = 9") // what comes with the next statement rules
	if n := one[uint64](t, conn, threads); n != 3 {
		t.Errorf("max_threads is %d after SET", n)
	}
	var e *clickhouse.Exception
	if _, err := with(clickhouse.Settings{"no_such_setting": 1}); !errors.As(err, &e) || e.Code != 115 {
		t.Errorf("unknown setting: %v", err)
	}
	if n := one[uint64](t, conn, threads); n != 3 {
		t.Errorf("max_threads is %d after an unknown setting", n)
	}
}

func TestNamesAreQuoted(t *testing.T) {
	t.Parallel()
	const name = "odd ` \\ 'name'; --"
	conn := connect(t, shared, "")
	run(t, conn, "CREATE DATABASE IF NOT EXISTS `odd \\` \\\\ 'name'; --`")
	if got := one[string](t, connect(t, shared, name), "SELECT currentDatabase()"); got != name {
		t.Errorf("connected to %q, want %q", got, name)
	}
	ctx := clickhouse.Context(context.Background(), clickhouse.WithSettings(clickhouse.Settings{"format_custom_escaping_rule": "CSV", "format_custom_field_delimiter": name}))
	var got string
	if err := conn.QueryRow(ctx, "SELECT getSetting('format_custom_field_delimiter')").Scan(&got); err != nil || got != name {
		t.Errorf("setting %q, %v; want %q", got, err, name)
	}
}

func TestConnectionsInParallel(t *testing.T) {
	t.Parallel()
	conn := open(t, func(o *clickhouse.Options) { o.MaxOpenConns = 8; o.MaxIdleConns = 8 })
	run(t, conn, "CREATE TABLE p (x UInt64) ENGINE = MergeTree ORDER BY x")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 5 {
				insert(t, context.Background(), conn, "INSERT INTO p (x)", 100)
				one[uint64](t, conn, "SELECT sum(x) FROM p")
			}
		})
	}
	group.Wait()
	if n := one[uint64](t, conn, "SELECT count() FROM p"); n != 8*5*100 {
		t.Errorf("%d rows", n)
	}
}

func TestCancelStopsTheQuery(t *testing.T) {
	t.Parallel()
	conn := open(t)
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error, 1)
	const endless = "SELECT sum(cityHash64(number)) FROM numbers(1000000000000) SETTINGS max_threads = 1"
	go func() { failed <- conn.Exec(ctx, endless) }()
	const running = "SELECT count() FROM system.processes WHERE query LIKE '%numbers(1000000000000)%' AND query NOT LIKE '%processes%'"
	eventually(t, func() bool { return one[uint64](t, conn, running) == 1 })
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled query: %v", err)
	}
	eventually(t, func() bool { return one[uint64](t, conn, running) == 0 })
}

// eventually waits until a condition holds.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	deadline, tick := time.After(20*time.Second), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("what was waited for has not come")
		case <-tick.C:
		}
	}
}
