package where_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"muster/deploy/local/postgres"
	"muster/evaluator/compiled/internal/where"
)

// database is one real Postgres for all tests of the package, started by the first.
var database struct {
	sync.Mutex
	server *postgres.Server
}

func TestMain(m *testing.M) {
	code := m.Run()
	if database.server != nil {
		if err := database.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop:", err)
			code = 1
		}
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// server returns the server, in whose database the functions are that clauses call.
func server(t *testing.T) *postgres.Server {
	t.Helper()
	database.Lock()
	defer database.Unlock()
	if database.server != nil {
		return database.server
	}
	s, err := postgres.Start(context.Background(), postgres.Options{
		Log:      func(line string) { t.Log(line) },
		Settings: map[string]string{"fsync": "off", "jit": "off"}, // clauses are asked once, and are long
	})
	if err != nil {
		t.Fatalf("start Postgres: %v", err)
	}
	database.server = s
	conn, err := pgx.Connect(context.Background(), s.DSN())
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), where.Functions); err != nil {
		t.Fatalf("make the functions of clauses: %v", err)
	}
	return s
}
