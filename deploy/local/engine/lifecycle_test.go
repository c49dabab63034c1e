package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// start runs an engine of the test's own.
func start(t *testing.T, o Options) *Server {
	t.Helper()
	s, err := Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s
}

func TestStopAndRestart(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Dir: t.TempDir()})
	conn := connect(t, s, "")
	run(t, conn, "CREATE TABLE kept (x UInt64) ENGINE = MergeTree ORDER BY x")
	insert(t, context.Background(), conn, "INSERT INTO kept (x)", 10)
	addr, http := s.Addr(), s.HTTPAddr()
	if err := errors.Join(s.Stop(), s.Stop()); err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		_ = c.Close()
		t.Error("somebody answers after Stop")
	}
	if err := s.Restart(context.Background()); err != nil {
		t.Fatal(err)
	}
	if s.Addr() != addr || s.HTTPAddr() != http {
		t.Errorf("restarted at %s and %s, was at %s and %s", s.Addr(), s.HTTPAddr(), addr, http)
	}
	if n := one[uint64](t, connect(t, s, ""), "SELECT count() FROM kept"); n != 10 {
		t.Errorf("%d rows after a restart", n)
	}
}

// TestKillInTheMiddleOfInserts holds that after SIGKILL there is all of each answered batch, and of others all or nothing.
func TestKillInTheMiddleOfInserts(t *testing.T) {
	t.Parallel()
	const size = 2000
	s := start(t, Options{Dir: t.TempDir()})
	setup := connect(t, s, "")
	run(t, setup, "CREATE TABLE k (batch UInt64, x UInt64) ENGINE = MergeTree ORDER BY (batch, x)")
	var answered atomic.Uint64
	over := make(chan error, 1)
	conn := connect(t, s, "")
	go func() { over <- keepInserting(conn, size, &answered) }()
	eventually(t, func() bool { return answered.Load() >= 5 })
	s.Kill()
	if err := <-over; err == nil {
		t.Error("inserting went on after the kill")
	}
	if err := s.Restart(context.Background()); err != nil {
		t.Fatal(err)
	}
	conn = connect(t, s, "")
	want := answered.Load()
	if n := one[uint64](t, conn, "SELECT uniqExact(batch) FROM k WHERE batch < "+fmt.Sprint(want)); n != want {
		t.Errorf("%d of %d answered batches are there", n, want)
	}
	if n := one[uint64](t, conn, "SELECT countIf(n != 2000) FROM (SELECT count() AS n FROM k GROUP BY batch)"); n != 0 {
		t.Errorf("%d batches are there in part", n)
	}
	insert(t, context.Background(), conn, "INSERT INTO k (x)", 1)
}

// keepInserting sends batch after batch until one fails.
func keepInserting(conn clickhouse.Conn, size int, answered *atomic.Uint64) error {
	for n := uint64(0); ; n++ {
		batch, err := conn.PrepareBatch(context.Background(), "INSERT INTO k (batch, x)")
		if err != nil {
			return err
		}
		for x := range size {
			if err := batch.Append(n, uint64(x)); err != nil {
				return err
			}
		}
		if err := batch.Send(); err != nil {
			return err
		}
		answered.Add(1)
	}
}

func TestTemporaryDirectoryGoes(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	if _, err := os.Stat(s.Dir()); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is left: %v", err)
	}
}

func TestStopCancelsWhatWouldNotEnd(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	conn, watcher := connect(t, s, ""), connect(t, s, "")
	failed := make(chan error, 1)
	go func() {
		failed <- conn.Exec(context.Background(), "SELECT sum(cityHash64(number)) FROM numbers(3000000000000) SETTINGS max_threads = 1")
	}()
	const running = "SELECT count() FROM system.processes WHERE query LIKE '%numbers(3000000000000)%' AND query NOT LIKE '%processes%'"
	eventually(t, func() bool { return one[uint64](t, watcher, running) == 1 })
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	var e *clickhouse.Exception
	if err := <-failed; !errors.As(err, &e) || e.Code != 394 {
		t.Errorf("the query that ran: %v", err)
	}
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	port := l.Addr().(*net.TCPAddr).Port
	if _, err := Start(context.Background(), Options{Dir: t.TempDir(), Port: port}); !errors.Is(err, errPortTaken) || !strings.Contains(err.Error(), fmt.Sprint(port)) {
		t.Errorf("on a taken port: %v", err)
	}
}

func TestDirectoryInUse(t *testing.T) {
	t.Parallel()
	s, err := Start(context.Background(), Options{Dir: shared.Dir()})
	if err == nil {
		_ = s.Stop()
		t.Fatal("two engines on one directory")
	}
	if !strings.Contains(err.Error(), shared.Dir()) || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a directory in use: %v", err)
	}
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Start(ctx, Options{Dir: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

// parentEnv marks a process of the test's that starts an engine and waits to be killed.
const parentEnv = "MUSTER_TEST_PARENT"

// parent is that process.
func parent() {
	s, err := Start(context.Background(), Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.Addr(), s.Dir())
	select {}
}

// TestNothingOutlivesTheParent kills the process that has started an engine. What the engine still has to say, here about
// a client that makes no sense, nobody reads any more.
func TestNothingOutlivesTheParent(t *testing.T) {
	t.Parallel()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), parentEnv+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var addr, dir string
	_, err = fmt.Fscan(bufio.NewReader(out), &addr, &dir)
	if killed := cmd.Process.Signal(syscall.SIGKILL); err != nil || killed != nil {
		t.Fatal(err, killed)
	}
	_ = cmd.Wait() // it was killed
	eventually(t, func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			_, _ = c.Write([]byte("nonsense"))
			_ = c.Close()
			return false
		}
		_, err = os.Stat(dir)
		return errors.Is(err, os.ErrNotExist)
	})
}
