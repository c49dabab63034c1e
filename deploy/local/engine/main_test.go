package engine

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.uber.org/goleak"
)

// shared is the engine of all tests that do not kill it. Each of them has a database of its own.
var shared *Server

func TestMain(m *testing.M) {
	RunChild()
	if os.Getenv(parentEnv) != "" {
		parent()
	}
	os.Exit(runAll(m))
}

func runAll(m *testing.M) int {
	var err error
	if shared, err = Start(context.Background(), Options{Log: os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := shared.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	return code
}

// databases counts those that were made.
var databases atomic.Int64

// database makes a database for the test and returns its name.
func database(t *testing.T) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	conn := connect(t, shared, "")
	run(t, conn, "CREATE DATABASE "+name)
	return name
}

// connect opens a client of the engine's on a database, "" being the default one.
func connect(t *testing.T, s *Server, database string, options ...func(*clickhouse.Options)) driver.Conn {
	t.Helper()
	o := &clickhouse.Options{Addr: []string{s.Addr()}, Auth: clickhouse.Auth{Database: database}}
	for _, set := range options {
		set(o)
	}
	conn, err := clickhouse.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// open is a client on a database of the test's own.
func open(t *testing.T, options ...func(*clickhouse.Options)) driver.Conn {
	t.Helper()
	return connect(t, shared, database(t), options...)
}

func run(t *testing.T, conn driver.Conn, query string, args ...any) {
	t.Helper()
	if err := conn.Exec(context.Background(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// one returns the only value of a query's only row.
func one[T any](t *testing.T, conn driver.Conn, query string, args ...any) (value T) {
	t.Helper()
	if err := conn.QueryRow(context.Background(), query, args...).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}
