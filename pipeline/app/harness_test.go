package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"muster/config"
	"muster/pipeline"
)

// deadline bounds every wait of the tests: generous, since the machine may be busy, and never the expected way out.
const deadline = 60 * time.Second

// served is a worker that runs on a database of its own, and its API.
type served struct {
	testing.TB
	db     *pgx.Conn
	config *config.Config
	worker *Worker
	url    string
	name   string
	file   string // muster.yaml
	watch  []pipeline.Observer
	stop   func() // ends the worker and waits; start begins another
}

const usersTable = `CREATE TABLE users (id text PRIMARY KEY, name text, email text, plan text, age int, properties jsonb,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now())`

// newDatabase makes a database with a users table and returns its DSN.
func newDatabase(t testing.TB) (dsn, name string) {
	t.Helper()
	server := sharedServer(t)
	database.Lock()
	database.count++
	name = fmt.Sprintf("app_%d_%d", os.Getpid(), database.count)
	database.Unlock()
	admin := connect(t, server.DSN())
	exec(t, admin, `CREATE DATABASE `+name)
	u, err := url.Parse(server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String(), name
}

// serve starts a worker and waits until its first snapshot is done. The YAML is appended to its
// configuration.
func serve(t testing.TB, yaml string, watch ...pipeline.Observer) *served {
	t.Helper()
	dsn, name := newDatabase(t)
	s := &served{TB: t, name: name, db: connect(t, dsn)}
	exec(t, s.db, usersTable)
	path := filepath.Join(t.TempDir(), "muster.yaml")
	if !strings.Contains(yaml, "clickhouse:") {
		yaml += "\nclickhouse: {enabled: false}"
	}
	text := fmt.Sprintf("postgres: {dsn: %q, slot: %s, heartbeat: 1s}\nstate: {dir: %q}\nkafka: {brokers: [%q], topic: %s}\n%s",
		dsn, name, filepath.Join(filepath.Dir(path), "state"), sharedBroker(t).Addr(), name, yaml)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.config, s.file, s.watch = c, path, watch
	s.start()
	return s
}

func (s *served) start() {
	s.Helper()
	var out io.Writer = testWriter{s.TB}
	if _, fuzzing := s.TB.(*testing.F); fuzzing {
		out = io.Discard // nothing can be logged there while an input is tried
	}
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s.config.HTTP.Listen = "127.0.0.1:0"
	worker, err := New(s.config, log, Build{Version: "test"}, s.watch...)
	if err != nil {
		s.Fatal(err)
	}
	s.worker = worker
	server := httptest.NewServer(worker.routes())
	s.url = server.URL
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx) }()
	var once sync.Once
	s.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				s.Errorf("run: %v", err)
			}
			server.Close()
		})
	}
	s.Cleanup(s.stop)
	s.eventually("the worker to be ready", func() bool {
		select {
		case err := <-done:
			done <- err
			s.Fatalf("the worker ended: %v", err)
		default:
		}
		r, err := http.Get(s.url + "/readyz")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

// testWriter is a test's log.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Logf("%s", bytes.TrimSpace(p))
	return len(p), nil
}

// eventually waits for a condition.
func (s *served) eventually(what string, condition func() bool) {
	s.Helper()
	for end := time.Now().Add(deadline); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("gave up waiting for %s", what)
		}
	}
}

func connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exec(t testing.TB, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// reply is an answer of the API, decoded.
type reply struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// call sends a request and decodes the answer. Headers are "Name: value".
func (s *served) call(method, path, body string, header ...string) reply {
	s.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	got := reply{status: response.StatusCode, header: response.Header, text: string(text)}
	if len(text) > 0 && text[0] == '{' {
		if err := json.Unmarshal(text, &got.body); err != nil {
			s.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
	return got
}

// want is call that insists on a status.
func (s *served) want(status int, method, path, body string, header ...string) reply {
	s.Helper()
	got := s.call(method, path, body, header...)
	if got.status != status {
		s.Fatalf("%s %s: %d %s, want %d", method, path, got.status, got.text, status)
	}
	return got
}

// at finds a value in the answer by keys and indexes.
func (r reply) at(path ...any) any {
	var v any = r.body
	for _, step := range path {
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}
