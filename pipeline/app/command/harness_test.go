package command

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"muster/config"
	"muster/connectors/postgres"
	local "muster/deploy/local/postgres"
	"muster/pipeline/app"
)

// database is one real Postgres for all tests that need one.
var database struct {
	sync.Mutex
	server *local.Server
	count  int
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

// deployment is a control schema and the API over it.
type deployment struct {
	url    string
	config string // path of a muster.yaml
}

// deploy makes a database of the test's own, and serves the definitions API over it; the YAML is added to its
// configuration.
func deploy(t *testing.T, yaml string) deployment {
	t.Helper()
	ctx := context.Background()
	database.Lock()
	defer database.Unlock()
	if database.server == nil {
		server, err := local.Start(ctx, local.Options{Log: func(line string) { t.Log(line) }, Settings: map[string]string{"fsync": "off"}})
		if err != nil {
			t.Fatalf("start Postgres: %v", err)
		}
		database.server = server
	}
	database.count++
	name := fmt.Sprintf("command_%d_%d", os.Getpid(), database.count)
	admin, err := pgx.Connect(ctx, database.server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close(ctx) }()
	if _, err := admin.Exec(ctx, `CREATE DATABASE `+name); err != nil {
		t.Fatal(err)
	}
	dsn, err := url.Parse(database.server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	dsn.Path = "/" + name
	path := filepath.Join(t.TempDir(), "muster.yaml")
	text := fmt.Sprintf("postgres: {dsn: %q}\nkafka: {enabled: false}\nclickhouse: {addr: [localhost:9000]}\n%s", dsn, yaml)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	control, err := postgres.OpenControl(c.Postgres.DSN.Reveal(), c.Postgres.Schema, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(control.Close)
	if err := control.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(app.DefinitionsAPI(c, control, slog.New(slog.DiscardHandler)))
	t.Cleanup(server.Close)
	return deployment{server.URL, path}
}

// shell runs commands in one place, as one person.
type shell struct {
	*testing.T
	where []string // --url or -c
	dir   string   // of the definitions
	who   string
}

func (d deployment) shell(t *testing.T, who string) *shell {
	t.Helper()
	return &shell{T: t, where: []string{"--url", d.url}, dir: filepath.Join(t.TempDir(), "audiences"), who: who}
}

// written is what a command printed and how it ended.
type written struct {
	code        int
	out, errors string
}

// run runs a command; "{dir}" in an argument stands for the folder of definitions.
func (s *shell) run(args ...string) written {
	s.Helper()
	full := append([]string{}, args...)
	for i := range full {
		full[i] = strings.ReplaceAll(full[i], "{dir}", s.dir)
	}
	var out, errors bytes.Buffer
	code := execute(context.Background(), full, &out, &errors)
	return written{code, out.String(), errors.String()}
}

// audience runs muster audience with where and who, as far as the command takes them.
func (s *shell) audience(name string, args ...string) written {
	s.Helper()
	all := append([]string{"audience", name}, args...)
	if name != "new" {
		all = append(all, s.where...)
	}
	switch name {
	case "push", "pull", "validate", "new", "diff":
		all = append(all, "--dir", s.dir)
	}
	switch name {
	case "push", "commit", "revert", "archive":
		all = append(all, "--author", s.who)
	}
	return s.run(all...)
}

// want is audience that insists on the exit code.
func (s *shell) want(code int, name string, args ...string) written {
	s.Helper()
	got := s.audience(name, args...)
	if got.code != code {
		s.Fatalf("muster audience %s %v: exit %d, want %d\n%s%s", name, args, got.code, code, got.out, got.errors)
	}
	return got
}

// write writes a definition file.
func (s *shell) write(key, name, text string) {
	s.Helper()
	path := filepath.Join(s.dir, key, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.Fatal(err)
	}
}

func (s *shell) read(key, name string) string {
	s.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, key, name))
	if err != nil {
		s.Fatal(err)
	}
	return string(text)
}

// edit replaces a part of a definition file.
func (s *shell) edit(key, name, old, replacement string) {
	s.Helper()
	text := s.read(key, name)
	if !strings.Contains(text, old) {
		s.Fatalf("%s is not in %s", old, text)
	}
	s.write(key, name, strings.Replace(text, old, replacement, 1))
}

// decoded reads what a command printed as JSON.
func decoded[T any](t *testing.T, w written) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(w.out), &v); err != nil {
		t.Fatalf("%v: %s%s", err, w.out, w.errors)
	}
	return v
}
