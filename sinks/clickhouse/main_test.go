package clickhouse

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"muster/deploy/local/engine"
)

// shared is the real engine that most tests use, each with a database of its own. Tests that break a server start their own.
var shared *engine.Server

func TestMain(m *testing.M) {
	engine.RunChild()
	// A round of the property test is some twenty inserts and queries. The command line may ask for more of them.
	if err := flag.Set("rapid.checks", "10"); err != nil {
		panic(err)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "muster-clickhouse-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if shared, err = engine.Start(context.Background(), engine.Options{Dir: dir}); err != nil {
		fmt.Fprintln(os.Stderr, "start the ClickHouse engine:", err)
		return 1
	}
	code := m.Run()
	if err := shared.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stop the ClickHouse engine:", err)
		code = 1
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}
