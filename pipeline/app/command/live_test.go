package command

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"muster/config"
	"muster/connectors/api"
	"muster/deploy/local/kafka"
	"muster/deploy/local/loopback"
	"muster/pipeline/app"
)

// living is a worker that runs in this process, and commands that are given its configuration.
type living struct {
	*shell
	db     *pgx.Conn
	config *config.Config
	file   string
	stop   func() // ends the worker and waits
}

// live starts a worker over a users table of six, who are on the plans free and pro by turns.
func live(t *testing.T) *living {
	t.Helper()
	ctx := context.Background()
	broker, err := kafka.Start(kafka.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Stop)
	port, err := loopback.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	d := deploy(t, "") // for the database
	base, err := config.Load(d.config, nil)
	if err != nil {
		t.Fatal(err)
	}
	l := &living{shell: d.shell(t, "Ada <ada@example.org>"), file: d.config}
	l.where = []string{"-c", l.file}
	text := fmt.Sprintf("postgres: {dsn: %q, slot: %s, heartbeat: 1s}\nkafka: {brokers: [%q]}\nclickhouse: {enabled: false}\nhttp: {listen: %q, api_keys: [{name: ops, role: admin, key: secret-of-ops-0123456789}]}\nlog: {level: error}\n",
		base.Postgres.DSN.Reveal(), fmt.Sprintf("live_%d_%d", os.Getpid(), time.Now().UnixNano()), broker.Addr(), loopback.Address(port))
	if err := os.WriteFile(l.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if l.config, err = config.Load(l.file, nil); err != nil {
		t.Fatal(err)
	}
	if l.db, err = pgx.Connect(ctx, base.Postgres.DSN.Reveal()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.db.Close(ctx) })
	l.exec(`CREATE TABLE users (id text PRIMARY KEY, plan text, age int)`)
	l.exec(`INSERT INTO users SELECT 'u' || i, (ARRAY['free', 'pro'])[i % 2 + 1], i FROM generate_series(1, 6) AS i`)
	l.start()
	return l
}

func (l *living) exec(sql string) {
	l.Helper()
	if _, err := l.db.Exec(context.Background(), sql); err != nil {
		l.Fatalf("%s: %v", sql, err)
	}
}

func (l *living) start() {
	l.Helper()
	worker, err := app.New(l.config, slog.New(slog.DiscardHandler), app.Build{Version: "test"})
	if err != nil {
		l.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- worker.Run(ctx) }()
	stopped := false
	l.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			l.Errorf("run: %v", err)
		}
		http.DefaultClient.CloseIdleConnections()
	}
	l.Cleanup(l.stop)
	l.eventually("the worker to be ready", func() bool {
		response, err := http.Get(originOf(l.config) + "/readyz")
		if err != nil {
			return false
		}
		_ = response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
}

// eventually waits for a condition.
func (l *living) eventually(what string, condition func() bool) {
	l.Helper()
	for end := time.Now().Add(time.Minute); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			l.Fatalf("gave up waiting for %s", what)
		}
	}
}

// ends runs a command with the configuration and insists on its exit code.
func (l *living) ends(code int, args ...string) written {
	l.Helper()
	got := l.run(append(args, "-c", l.file)...)
	if got.code != code {
		l.Fatalf("muster %v: exit %d, want %d\n%s%s", args, got.code, code, got.out, got.errors)
	}
	return got
}

const onPro = `{"type": "dynamic", "segments": [{"conditions": [{"property": "recipient.plan", "operator": "equal_to", "argument": "pro"}]}]}`

// older is onPro and of age.
const older = `{"type": "dynamic", "segments": [{"conditions": [{"property": "recipient.age", "operator": "greater_than", "argument": 4}]}]}`

// TestCommandsOnALiveWorker goes the way of an operator, from a first definition to a rebuild, with nothing but -c.
func TestCommandsOnALiveWorker(t *testing.T) {
	t.Parallel()
	l := live(t)
	l.write("pro", "audience.json", onPro)
	draft := l.dir + "/pro/audience.json"

	p := decoded[api.Preview](t, l.ends(0, "preview", "-f", draft, "--json"))
	if *p.Count != 3 || p.Live != nil || len(p.Entries) != 3 || p.Entries[0].ID != "u1" || !strings.Contains(string(p.Entries[0].Properties), `"plan": "pro"`) {
		t.Errorf("preview: %+v", p)
	}
	l.want(0, "push", "--all", "--commit")
	l.eventually("the audience to be in force", func() bool {
		e := l.run("explain", "pro", "u1", "--json", "-c", l.file)
		return e.code == 0 && decoded[api.Explanation](t, e).Member
	})
	if out := l.ends(0, "explain", "pro", "u2").out; !strings.Contains(out, "u2") || !strings.Contains(out, `"free"`) || !strings.Contains(out, "recipient.plan") {
		t.Errorf("explain: %s", out)
	}
	if e := l.ends(1, "explain", "nothing", "u2"); !strings.Contains(e.errors, "nothing") {
		t.Errorf("explain an audience that is not there: %s", e.errors)
	}

	l.write("pro", "audience.json", older) // u5 stays, u6 enters, u1 and u3 leave
	if out := l.ends(0, "preview", "-f", draft, "-n", "2").out; !strings.Contains(out, "2 would be in; against version 1, 1 would enter and 2 would leave") ||
		!strings.Contains(out, "Would enter\n  u6") || !strings.Contains(out, "Would leave\n  u1") {
		t.Errorf("preview against what is in force: %s", out)
	}
	where := l.where
	l.where = []string{"--url", originOf(l.config), "--key", "secret-of-ops-0123456789"}
	if out := l.want(0, "diff", "pro").out; !strings.Contains(out, "equal_to") || !strings.Contains(out, "\n1 would enter and 2 leave; 2 would be in\n") {
		t.Errorf("diff: %s", out)
	}
	type difference struct {
		Impact *effect `json:"impact"`
	}
	if d := decoded[difference](t, l.want(0, "diff", "pro", "--json")); d.Impact == nil || *d.Impact != (effect{Count: 2, Enter: 1, Leave: 2}) {
		t.Errorf("diff: %+v", d.Impact)
	}
	l.where = where

	if v := decoded[api.Verified](t, l.ends(0, "verify", "--json")); v.Differences != 0 || v.Users != 6 || v.Memberships != 3 {
		t.Errorf("verify a running worker: %+v", v)
	}
	if r := l.ends(1, "rebuild"); !strings.Contains(r.errors, "a worker is running; stop it first") {
		t.Errorf("rebuild beside a running worker: %s", r.errors)
	}
	l.stop()
	if out := l.ends(0, "verify").out; !strings.Contains(out, "6 users") {
		t.Errorf("verify a worker that is stopped: %s", out)
	}
	if e := l.ends(1, "explain", "pro", "u2"); !strings.Contains(e.errors, originOf(l.config)) {
		t.Errorf("explain without a worker: %s", e.errors)
	}
	l.exec(`UPDATE users SET plan = 'pro' WHERE id = 'u2'`)
	if r := decoded[app.RebuildReport](t, l.ends(0, "rebuild", "--json")); r.Baseline != "state" || r.Users != 6 || r.Entered != 1 || r.Exited != 0 {
		t.Errorf("rebuild: %+v", r)
	}
	l.start()
	if e := decoded[api.Explanation](t, l.ends(0, "explain", "pro", "u2", "--json")); !e.Member {
		t.Errorf("after the rebuild u2 is not in: %+v", e)
	}
	if v := decoded[api.Verified](t, l.ends(0, "verify", "--json")); v.Differences != 0 || v.Memberships != 4 {
		t.Errorf("verify after the rebuild: %+v", v)
	}
}
