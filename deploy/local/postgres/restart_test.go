package postgres

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/deploy/local/loopback"
)

func TestRestartKeepsDataAndPort(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		kill bool
	}{{"after a crash", true}, {"of a running server", false}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, Options{})
			execute(t, s, "CREATE TABLE kept AS SELECT 42 AS answer")
			dsn := s.DSN()
			if tt.kill {
				s.Kill()
			}
			if err := s.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if s.DSN() != dsn {
				t.Errorf("DSN %s became %s", dsn, s.DSN())
			}
			if got := query(t, s, "SELECT answer::text FROM kept"); got != "42" {
				t.Errorf("the table holds %s", got)
			}
		})
	}
}

func TestKillIsACrash(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	s.Kill()
	log, err := os.ReadFile(filepath.Join(s.dir, logName))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(log), "shutting down") || strings.Contains(string(log), "shutdown request") {
		t.Errorf("the server had time to shut down:\n%s", log)
	}
	if conn, err := net.Dial("tcp", loopback.Address(s.Port())); err == nil {
		_ = conn.Close()
		t.Error("something still listens")
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(readyPoll) { // what it prints may be on its way to the file yet
		log, err := os.ReadFile(filepath.Join(s.dir, logName))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(log), "not properly shut down") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the server did not recover from a crash:\n%s", log)
		}
	}
}

// Copies of one template must not pass for the same database: Muster tells databases apart by this number.
func TestEveryClusterHasItsOwnIdentifier(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			seen := map[string]bool{}
			for range 3 {
				s := start(t, Options{Version: version})
				id := query(t, s, "SELECT system_identifier::text FROM pg_control_system()")
				if seen[id] {
					t.Errorf("system identifier %s twice", id)
				}
				seen[id] = true
				s.Kill() // recovery reads the log, whose segments name the identifier too
				if err := s.Restart(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
