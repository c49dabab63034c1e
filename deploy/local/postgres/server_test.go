package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"muster/deploy/local/loopback"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		child()
	}
	goleak.VerifyTestMain(m)
}

// versions on which the project is tested: one that Debian packages, one that only the portable binaries bring there.
var versions = []string{"15", "17"}

func start(t *testing.T, options Options) *Server {
	t.Helper()
	if options.Settings == nil {
		options.Settings = map[string]string{"fsync": "off"}
	}
	options.Log = func(line string) { t.Log(line) }
	s, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func connect(t *testing.T, s *Server) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func query(t *testing.T, s *Server, sql string) string {
	t.Helper()
	var text string
	if err := connect(t, s).QueryRow(t.Context(), sql).Scan(&text); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return text
}

func execute(t *testing.T, s *Server, sql string) {
	t.Helper()
	if _, err := connect(t, s).Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// enterable is a temporary folder below one that every user may enter, which those of t.TempDir are not.
func enterable(t *testing.T) string {
	t.Helper()
	dir, err := TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func exists(t *testing.T, path string) bool {
	t.Helper()
	_, err := os.Lstat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

func TestServesTheDatabaseWithLogicalReplication(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := start(t, Options{Version: version})
			for sql, want := range map[string]string{
				"SELECT current_database()": "muster",
				"SHOW wal_level":            "logical",
				"SHOW fsync":                "off",
				"SHOW TimeZone":             "UTC",
				"SHOW server_encoding":      "UTF8",
				"SHOW server_version":       s.Version(),
				"SELECT (current_setting('server_version_num')::int / 10000)::text":         version,
				"SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user":          "true",
				"SELECT (current_setting('max_replication_slots')::int >= 20)::text":        "true",
				"SELECT (current_setting('max_wal_senders')::int >= 20)::text":              "true",
				"SELECT slot_name FROM pg_create_logical_replication_slot('s', 'pgoutput')": "s",
			} {
				if got := query(t, s, sql); got != want && !strings.HasPrefix(got, want+" ") {
					t.Errorf("%s: %s, want %s", sql, got, want)
				}
			}
			if !exists(t, filepath.Join(s.BinDir(), "initdb")) {
				t.Errorf("%s holds no initdb", s.BinDir())
			}
		})
	}
}

func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	conn := connect(t, s) // an open connection must not keep the server
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Errorf("second Stop: %v", err)
	}
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("the connection outlived the server")
	}
	if exists(t, s.dir) {
		t.Errorf("%s is still there", s.dir)
	}
	s.Kill() // of what is stopped does nothing
	if err := s.Restart(t.Context()); err == nil {
		t.Error("restarted after Stop")
	}
}

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
	if log, _ = os.ReadFile(filepath.Join(s.dir, logName)); !strings.Contains(string(log), "not properly shut down") {
		t.Errorf("the server did not recover from a crash:\n%s", log)
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

func TestFolderIsUsedAgain(t *testing.T) {
	t.Parallel()
	dir := enterable(t)
	first := start(t, Options{Dir: dir, Version: "15"})
	execute(t, first, "CREATE TABLE kept AS SELECT 42 AS answer")
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := Start(t.Context(), Options{Dir: dir, Version: "17"}); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("another version on the same data: %v", err)
	}
	second := start(t, Options{Dir: dir}) // of the version that the data is of, whatever else is installed
	if got := query(t, second, "SELECT answer::text FROM kept"); got != "42" {
		t.Errorf("the table holds %s", got)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Settings: map[string]string{"wal_level": "replica", "application_name": `it's a \ test`}})
	if got := query(t, s, "SHOW wal_level"); got != "replica" {
		t.Errorf("wal_level is %s", got)
	}
	if got := query(t, s, "SELECT setting FROM pg_file_settings WHERE name = 'application_name'"); got != `it's a \ test` {
		t.Errorf("application_name is %s", got)
	}
	execute(t, s, "ALTER SYSTEM SET wal_level = 'logical'")
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := query(t, s, "SHOW wal_level"); got != "logical" {
		t.Errorf("ALTER SYSTEM is overridden, wal_level is %s", got)
	}
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", loopback.Host+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	foreign := enterable(t)
	if err := os.MkdirAll(filepath.Join(foreign, dataFolder, "family-photos"), 0o755); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(enterable(t), "closed")
	if err := os.MkdirAll(closed, 0o600); err != nil {
		t.Fatal(err)
	}
	port := taken.Addr().(*net.TCPAddr).Port
	for _, tt := range []struct {
		name    string
		options Options
		limit   time.Duration
		want    string
	}{
		{"a version too old", Options{Version: "9.6"}, time.Minute, `Postgres version "9.6"`},
		{"a setting Postgres refuses", Options{Settings: map[string]string{"work_mem": "plenty"}}, time.Minute, "work_mem"},
		{"a setting that is no name", Options{Settings: map[string]string{"a b": "1"}}, time.Minute, `"a b"`},
		{"a setting of two lines", Options{Settings: map[string]string{"work_mem": "1MB\nfsync = off"}}, time.Minute, "work_mem"},
		{"a taken port", Options{Port: port}, time.Minute, strconv.Itoa(port)},
		{"a data folder of something else", Options{Dir: foreign}, time.Minute, filepath.Join(foreign, dataFolder)},
		{"a folder nobody may enter", Options{Dir: closed}, time.Minute, closed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), tt.limit)
			defer cancel()
			s, err := Start(ctx, tt.options)
			if err == nil {
				_ = s.Stop()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error does not name %s: %v", tt.want, err)
			}
			if tt.options.Dir == foreign && !exists(t, filepath.Join(foreign, dataFolder, "family-photos")) {
				t.Error("somebody else's folder was emptied")
			}
		})
	}
}

// A client's own connection may hold the port of a server that is down. It lets go of it in time.
func TestStartWaitsForItsPort(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", loopback.Host+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	dir := enterable(t)
	options := Options{Dir: dir, Port: taken.Addr().(*net.TCPAddr).Port}
	started := make(chan error, 1)
	go func() {
		s, err := Start(t.Context(), options)
		if err == nil {
			err = s.Stop()
		}
		started <- err
	}()
	until(t, "the server finds its port taken", func() bool {
		log, _ := os.ReadFile(filepath.Join(dir, logName))
		return strings.Contains(string(log), "could not bind")
	})
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Error(err)
	}
}

func ExampleStart() {
	ctx := context.Background()
	server, err := Start(ctx, Options{Settings: map[string]string{"fsync": "off"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = server.Stop() }()
	conn, err := pgx.Connect(ctx, server.DSN())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = conn.Close(ctx) }()
	var level string
	if err := conn.QueryRow(ctx, "SHOW wal_level").Scan(&level); err != nil {
		fmt.Println(err)
	}
	fmt.Println(level)
	// Output: logical
}
