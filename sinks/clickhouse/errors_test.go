package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
)

func TestKinds(t *testing.T) {
	t.Parallel()
	code := func(code int32) error { return fmt.Errorf("wrapped: %w", &clickhouse.Exception{Code: code}) }
	tests := []struct {
		name string
		err  error
		want Kind
	}{
		{"authentication failed", code(516), Authentication},
		{"unknown user", code(192), Authentication},
		{"access denied", code(497), Privilege},
		{"readonly user", code(164), Privilege},
		{"unknown table", code(60), Schema},
		{"no such column", code(16), Schema},
		{"type mismatch", code(53), Schema},
		{"value of the wrong type", &columnError{"id", io.ErrUnexpectedEOF}, Schema},
		{"too many parts", code(252), Busy},
		{"too many queries", code(202), Busy},
		{"memory limit", code(241), Busy},
		{"not enough space", code(243), Busy},
		{"socket timeout on the server", code(209), Timeout},
		{"query timeout", code(159), Timeout},
		{"keeper gone", code(999), Server},
		{"table is read only, its replica lost keeper", code(242), Server},
		{"unknown status of insert", code(319), Server},
		{"a code nobody knows", code(99999), Server},
		{"refused", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, Connection},
		{"reset", fmt.Errorf("read: %w", syscall.ECONNRESET), Connection},
		{"end of file", io.EOF, Connection},
		{"unknown host", &net.DNSError{Err: "no such host", Name: "nowhere"}, Connection},
		{"deadline of the request", context.DeadlineExceeded, Timeout},
		{"deadline of the connection", &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, Timeout},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := kindOf(test.err); got != test.want {
				t.Errorf("kind is %s, want %s", got, test.want)
			}
		})
	}
}

func TestTerminalErrorsNameTheirRepair(t *testing.T) {
	t.Parallel()
	s, err := connect(Options{Environment: "e", Addr: []string{"127.0.0.1:9"}, Username: "writer", Password: "hunter22", Cluster: "main"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for code, want := range map[int32]string{
		516: "clickhouse.password",
		497: "GRANT ON CLUSTER `main` CREATE DATABASE, CREATE TABLE, CREATE VIEW, ALTER TABLE, INSERT, SELECT ON `muster`.* TO `writer`",
		60:  "muster check",
	} {
		cause := &clickhouse.Exception{Code: code, Message: "no"}
		err := s.terminal("insert into t", cause)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "insert into t") || !errors.Is(err, cause) {
			t.Errorf("code %d gives %v, which does not name %q", code, err, want)
		}
	}
	if err := s.terminal("insert into t", &clickhouse.Exception{Code: 252}); err != nil {
		t.Errorf("too many parts is terminal: %v", err)
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	for failures, most := range map[int]int64{1: 50, 2: 100, 5: 800, 8: 6400, 9: 10_000, 1_000_000: 10_000} {
		for range 100 {
			if d := pause(failures).Milliseconds(); d < most/2 || d > most {
				t.Fatalf("pause after %d failures is %d ms, want %d to %d", failures, d, most/2, most)
			}
		}
	}
}
