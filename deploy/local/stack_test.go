package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"go.uber.org/goleak"

	"muster/deploy/local/engine"
	"muster/deploy/local/postgres"
	"muster/deploy/local/sample"
)

func TestMain(m *testing.M) {
	engine.RunChild()
	if os.Getenv(childEnv) != "" {
		child()
	}
	goleak.VerifyTestMain(m)
}

var quick = map[string]string{"fsync": "off"}

func up(t *testing.T, options Options) *Stack {
	t.Helper()
	options.PostgresSettings = quick
	options.Log = func(line string) { t.Log(line) }
	s, err := Up(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { down(t, s) })
	return s
}

func down(t *testing.T, s *Stack) {
	t.Helper()
	if err := s.Down(); err != nil {
		t.Error(err)
	}
}

// enterable is a temporary folder that every user may enter, unlike t.TempDir's.
func enterable(t *testing.T) string {
	t.Helper()
	dir, err := postgres.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
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

func TestEverythingIsThereAndGoesAgain(t *testing.T) {
	t.Parallel()
	s := up(t, Options{Users: 50, Seed: 1})
	info := s.Info()
	if got := inPostgres(t, info, "SELECT count(*)::text || ' ' || current_setting('wal_level') FROM users"); got != "50 logical" {
		t.Errorf("Postgres says %s", got)
	}
	if got := topics(t, info, "events"); !slices.Contains(got, "events") {
		t.Errorf("Kafka has the topics %v", got)
	}
	if got := inClickHouse(t, info, "SELECT toString(6 * 7)"); got != "42" {
		t.Errorf("ClickHouse says %s", got)
	}
	if got := overHTTP(t, info, "SELECT 6 * 7"); got != "42" {
		t.Errorf("ClickHouse says over HTTP %s", got)
	}
	for _, key := range sample.Audiences() {
		if !exists(t, filepath.Join(s.Dir(), "audiences", key, "audience.json")) {
			t.Errorf("audience %s was not written", key)
		}
	}
	for _, address := range addresses(t, info) {
		if !strings.HasPrefix(address, "127.0.0.1:") {
			t.Errorf("%s is not on loopback", address)
		}
	}
	down(t, s)
	down(t, s)
	for _, address := range addresses(t, info) {
		if listens(address) {
			t.Errorf("%s still listens", address)
		}
	}
	if exists(t, s.Dir()) {
		t.Errorf("%s is still there", s.Dir())
	}
}

func TestConfigPointsAtTheServices(t *testing.T) {
	t.Parallel()
	s := up(t, Options{})
	info := s.Info()
	text, err := os.ReadFile(info.Config)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]map[string]any
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	want := map[string]map[string]any{
		"postgres":   {"dsn": info.Postgres},
		"kafka":      {"brokers": []any{info.Kafka[0]}},
		"clickhouse": {"addr": []any{info.ClickHouse.Addr}},
		"http":       {"listen": strings.TrimPrefix(info.API, "http://")},
		"state":      {"dir": "state"},
		"audiences":  {"dir": "audiences"},
	}
	for section, keys := range want {
		if fmt.Sprint(got[section]) != fmt.Sprint(keys) {
			t.Errorf("%s: %v, want %v", section, got[section], keys)
		}
	}
	if len(got) != len(want) {
		t.Errorf("sections %v", slices.Sorted(maps.Keys(got)))
	}
}

func TestInfoIsTheContractsLine(t *testing.T) {
	t.Parallel()
	line, err := json.Marshal(Info{
		Postgres: "postgres://p", Kafka: []string{"k:1"}, ClickHouse: ClickHouseInfo{Addr: "c:1", HTTP: "c:2"}, Config: "/m.yaml", API: "http://a",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"postgres":"postgres://p","kafka":["k:1"],"clickhouse":{"addr":"c:1","http":"c:2"},"config":"/m.yaml","api":"http://a"}`
	if string(line) != want {
		t.Errorf("%s, want %s", line, want)
	}
}

func TestFolderIsUsedAgain(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(enterable(t), "stack")
	first := up(t, Options{Dir: dir, Users: 10})
	info := first.Info()
	inPostgres(t, info, "DELETE FROM users WHERE id <> 'u_000001' RETURNING id")
	inClickHouse(t, info, "CREATE TABLE kept (n UInt8) ENGINE = MergeTree ORDER BY n")
	inClickHouse(t, info, "INSERT INTO kept VALUES (42)")
	topics(t, info, "kept")
	edited, err := os.ReadFile(info.Config)
	if err != nil {
		t.Fatal(err)
	}
	edited = append(edited, "# edited\n"...)
	if err := os.WriteFile(info.Config, edited, 0o644); err != nil {
		t.Fatal(err)
	}
	down(t, first)

	second := up(t, Options{Dir: dir, Users: 10})
	if got := second.Info(); fmt.Sprint(got) != fmt.Sprint(info) {
		t.Errorf("%+v became %+v", info, got)
	}
	if got := inPostgres(t, info, "SELECT count(*)::text FROM users"); got != "1" {
		t.Errorf("%s users", got)
	}
	if got := inClickHouse(t, info, "SELECT toString(n) FROM kept"); got != "42" {
		t.Errorf("ClickHouse has %s", got)
	}
	if got := topics(t, info, ""); !slices.Contains(got, "kept") {
		t.Errorf("topics %v", got)
	}
	if text, err := os.ReadFile(info.Config); err != nil || string(text) != string(edited) {
		t.Errorf("the configuration was written anew: %v\n%s", err, text)
	}
	down(t, second)
	if !exists(t, dir) {
		t.Error("a folder that was named has been removed")
	}
}

func TestFailureLeavesNothing(t *testing.T) {
	temporary := enterable(t)
	t.Setenv("TMPDIR", temporary)
	for name, tt := range map[string]struct {
		options Options
		context func() (context.Context, context.CancelFunc)
		want    string
	}{
		"Postgres refuses": {
			Options{PostgresSettings: map[string]string{"work_mem": "plenty"}},
			func() (context.Context, context.CancelFunc) { return context.WithCancel(t.Context()) }, "work_mem",
		},
		"interrupted": {
			Options{},
			func() (context.Context, context.CancelFunc) {
				return whenMade(t, filepath.Join(temporary, "muster-postgres-*"))
			}, "context",
		},
	} {
		ctx, cancel := tt.context()
		s, err := Up(ctx, tt.options)
		cancel()
		if err == nil {
			down(t, s)
			t.Errorf("%s: it started", name)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		left, err := os.ReadDir(temporary)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range left {
			t.Errorf("%s: %s is left", name, entry.Name())
		}
	}
}

// whenMade is a context that ends as soon as something of that pattern exists: in the middle of a start.
func whenMade(t *testing.T, pattern string) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for ctx.Err() == nil {
			if made, _ := filepath.Glob(pattern); made != nil {
				cancel()
			}
			<-tick.C
		}
	})
	return ctx, func() { cancel(); watching.Wait() }
}

func TestSpoiltAddresses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"no JSON":       "{",
		"no broker":     `{"postgres": "postgres://h:1", "kafka": [], "clickhouse": {"addr": "h:1", "http": "h:2"}, "api": "http://h:3"}`,
		"no port":       `{"postgres": "postgres://h", "kafka": ["h:1"], "clickhouse": {"addr": "h:1", "http": "h:2"}, "api": "http://h:3"}`,
		"no number":     `{"postgres": "postgres://h:1", "kafka": ["h:x"], "clickhouse": {"addr": "h:1", "http": "h:2"}, "api": "http://h:3"}`,
		"no connection": `{"postgres": "postgres://%zz", "kafka": ["h:1"], "clickhouse": {"addr": "h:1", "http": "h:2"}, "api": "http://h:3"}`,
	} {
		path := filepath.Join(t.TempDir(), stackName)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if p, err := readPorts(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

// until waits for a condition, with a deadline that is only reached when the test fails.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}
