package engine

import (
	"errors"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// TestClickHousesOwnClient has the engine connect to itself through the table function remote, so that the other end of
// the native protocol is ClickHouse's own code, which is also what clickhouse-client is made of.
func TestClickHousesOwnClient(t *testing.T) {
	t.Parallel()
	conn := open(t)
	table := "remote('" + shared.Addr() + "', " + one[string](t, conn, "SELECT currentDatabase()") + ", r)"
	run(t, conn, "CREATE TABLE r (x UInt64, s LowCardinality(String), n Nullable(String), a Array(String)) ENGINE = MergeTree ORDER BY x")
	const rows = 150_000
	run(t, conn, "INSERT INTO FUNCTION "+table+" SELECT number, toString(number % 7), if(number % 2 = 0, NULL, 'odd'), [toString(number), ''] FROM numbers({n:UInt64})",
		clickhouse.Named("n", rows))
	const check = "SELECT count() = {n:UInt64} AND sum(x) = {n:UInt64} * ({n:UInt64} - 1) / 2 AND uniqExact(s) = 7 AND countIf(n = 'odd') * 2 = {n:UInt64} AND countIf(a[1] = toString(x)) = {n:UInt64} FROM "
	for _, from := range []string{"r", "(SELECT * FROM " + table + ")", table} {
		if one[uint8](t, conn, check+from, clickhouse.Named("n", rows)) != 1 {
			t.Errorf("other rows come from %s", from)
		}
	}
	if n := one[uint64](t, conn, "SELECT count() FROM (SELECT * FROM "+table+" WHERE x > 1000000)"); n != 0 {
		t.Errorf("%d rows where there are none", n)
	}
	var e *clickhouse.Exception
	if err := conn.Exec(t.Context(), "SELECT throwIf(x = 140000) FROM "+table); !errors.As(err, &e) || e.Code != 395 {
		t.Errorf("an exception in the middle: %v", err)
	}
	if err := conn.Exec(t.Context(), "SELECT * FROM remote('"+shared.Addr()+"', system, nowhere)"); !errors.As(err, &e) || e.Code != 60 {
		t.Errorf("an unknown table: %v", err)
	}
}
