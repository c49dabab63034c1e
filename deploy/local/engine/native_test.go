package engine

import (
	"context"
	"testing"
)

func TestPingAndVersion(t *testing.T) {
	t.Parallel()
	conn := open(t)
	if err := conn.Ping(context.Background()); err != nil {
		t.Fatal(err)
	}
	v, err := conn.ServerVersion()
	if err != nil || v.Version.Major != 26 {
		t.Errorf("version %v, %v", v, err)
	}
	if got := one[uint64](t, conn, "SELECT count() FROM numbers(10)"); got != 10 {
		t.Errorf("count %d", got)
	}
	run(t, conn, "CREATE TABLE t (x UInt8) ENGINE=MergeTree ORDER BY x")
	run(t, conn, "INSERT INTO t VALUES (1),(2)")
	if got := one[uint64](t, conn, "SELECT count() FROM t"); got != 2 {
		t.Errorf("count %d", got)
	}
}
