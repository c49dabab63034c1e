package app

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"muster/deploy/local/engine"
	"muster/deploy/local/kafka"
	local "muster/deploy/local/postgres"
)

// database is one real Postgres for all tests of the package that need one, started by the first.
var database struct {
	sync.Mutex
	server *local.Server
	broker *kafka.Broker
	count  int
}

func TestMain(m *testing.M) {
	engine.RunChild()
	code := m.Run()
	if database.server != nil {
		if err := database.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop:", err)
			code = 1
		}
	}
	if database.broker != nil {
		database.broker.Stop()
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func sharedServer(t testing.TB) *local.Server {
	t.Helper()
	database.Lock()
	defer database.Unlock()
	if database.server == nil {
		server, err := local.Start(context.Background(), local.Options{Log: func(line string) { t.Log(line) },
			Settings: map[string]string{"fsync": "off", "max_replication_slots": "120", "max_wal_senders": "120", "max_connections": "300"}})
		if err != nil {
			t.Fatalf("start Postgres: %v", err)
		}
		database.server = server
	}
	return database.server
}

func sharedBroker(t testing.TB) *kafka.Broker {
	t.Helper()
	database.Lock()
	defer database.Unlock()
	if database.broker == nil {
		broker, err := kafka.Start(kafka.Options{})
		if err != nil {
			t.Fatalf("start Kafka: %v", err)
		}
		database.broker = broker
	}
	return database.broker
}
