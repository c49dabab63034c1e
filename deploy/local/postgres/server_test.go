package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
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
