package command

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"muster/config"
	"muster/connectors/api"
	"muster/pipeline/app"
)

// work runs a worker without sinks over a deployment and returns the origin of its API.
func (d deployment) work(t *testing.T) string {
	t.Helper()
	c, err := config.Load(d.config, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), c.Postgres.DSN.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	if _, err := conn.Exec(t.Context(), `CREATE TABLE users (id text PRIMARY KEY, email text, age int, properties jsonb)`); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") // for a port that is free
	if err != nil {
		t.Fatal(err)
	}
	c.HTTP.Listen = listener.Addr().String()
	_ = listener.Close()
	c.ClickHouse.Enabled, c.State.Dir, c.Postgres.Slot = false, filepath.Join(t.TempDir(), "state"), conn.Config().Database
	worker, err := app.New(c, slog.New(slog.DiscardHandler), app.Build{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	origin := "http://" + c.HTTP.Listen
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		r, err := http.Get(origin + "/readyz")
		if err == nil {
			_ = r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return origin
			}
		}
		if time.Now().After(end) {
			t.Fatal("the worker does not become ready")
		}
	}
}

// members runs muster member and insists on its exit code.
func (s *shell) members(code int, args ...string) written {
	s.Helper()
	got := s.run(append([]string{"member"}, args...)...)
	if got.code != code {
		s.Fatalf("muster member %v: exit %d, want %d\n%s%s", args, got.code, code, got.out, got.errors)
	}
	return got
}

func TestMembersByCommand(t *testing.T) {
	t.Parallel()
	d := deploy(t, "")
	url := "--url=" + d.work(t)
	s := &shell{T: t, dir: t.TempDir()}
	if got := s.members(exitFailed, "add", "beta", "u1", url); !strings.Contains(got.errors, "beta") {
		t.Errorf("an audience that does not exist: %s", got.errors)
	}
	s.members(exitOK, "add", "beta", "u1", "a/b c", "u2", "--create", url)
	s.members(exitOK, "add", "beta", "u1", "--tenant", "acme", url)
	s.members(exitOK, "remove", "beta", "u2", url)
	eventually(t, "the members to be listed", func() bool {
		list := decoded[[]api.AudienceMember](t, s.members(exitOK, "list", "beta", "--json", url))
		return len(list) == 3 && list[0].UserID == "a/b c" && list[0].Missing && list[2].Tenant != nil
	})
	if got := s.members(exitOK, "list", "beta", "--missing", "--limit", "2", url); !strings.Contains(got.out, "missing") || !strings.Contains(got.errors, "there are more") {
		t.Errorf("%s%s", got.out, got.errors)
	}

	file, report := filepath.Join(s.dir, "gamma.csv"), filepath.Join(s.dir, "skipped.csv")
	if err := os.WriteFile(file, []byte("ID,Email,Org,Years\nu1,a@example.org,acme,30\n,x@example.org,,\nu2,b@example.org,,=old\nu3,c@example.org,,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mapping := "--map=Email=email,ID=id,Org=tenant_id,Years=age"
	dry := decoded[api.ImportReport](t, s.members(exitFailed, "import", file, mapping, "--dry-run", "--json", url))
	if !dry.DryRun || dry.Rows != 4 || dry.Skipped != 1 || dry.Added != 0 {
		t.Errorf("dry run: %+v", dry)
	}
	got := s.members(exitFailed, "import", file, mapping, "--create", "--report", report, url)
	if !strings.Contains(got.out, "4 rows into gamma: 2 added, 0 unchanged, 2 skipped") || !strings.Contains(got.errors, "sent") {
		t.Errorf("import: %s%s", got.out, got.errors)
	}
	text, err := os.ReadFile(report)
	if err != nil || !strings.HasPrefix(string(text), "line,id,reason\n3,,") || !strings.Contains(string(text), "\n4,u2,\"age: ") {
		t.Errorf("report: %v\n%s", err, text)
	}
	eventually(t, "the imported members to be exported", func() bool {
		return strings.Contains(s.run("member", "export", "gamma", url).out, "u1,acme,")
	})
	for _, usage := range [][]string{{"import", file, "--map", "ID", url}, {"import", "-", url}, {"export", "gamma", "--format", "xml", url}, {"add", "beta"}} {
		s.members(exitUsage, usage...)
	}
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("gave up waiting for %s", what)
		}
	}
}
