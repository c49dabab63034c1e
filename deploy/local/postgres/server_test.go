package postgres

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func query(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	var text string
	if err := conn.QueryRow(t.Context(), sql).Scan(&text); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return text
}

func TestServesTheDatabaseWithLogicalReplication(t *testing.T) {
	t.Parallel()
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := start(t, Options{Version: version})
			conn := connect(t, s.DSN())
			for sql, want := range map[string]string{
				"SELECT current_database()": "muster",
				"SHOW wal_level":            "logical",
				"SHOW fsync":                "off",
				"SHOW TimeZone":             "UTC",
				"SHOW server_encoding":      "UTF8",
				"SELECT (current_setting('server_version_num')::int / 10000)::text":              version,
				"SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user":               "true",
				"SELECT (current_setting('max_replication_slots')::int >= 20)::text":             "true",
				"SELECT (current_setting('max_wal_senders')::int >= 20)::text":                   "true",
				"SELECT (pg_create_logical_replication_slot('s', 'pgoutput')::text <> '')::text": "true",
			} {
				if got := query(t, conn, sql); got != want {
					t.Errorf("%s: %s, want %s", sql, got, want)
				}
			}
		})
	}
}
