package sample

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// audited makes the database write down every row change by itself, to hold a load to its word.
const audited = `
CREATE TABLE audit (tx xid8 DEFAULT pg_current_xact_id(), op text);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit (op) VALUES (TG_OP); RETURN NULL; END $$;
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON users FOR EACH ROW EXECUTE FUNCTION audit();`

func TestLoadCountsWhatIsCommitted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		options LoadOptions
	}{
		{"one change a transaction", LoadOptions{Changes: 600}},
		{"many, and few users to meet at", LoadOptions{Changes: 2000, PerTransaction: 40}},
		{"at a rate", LoadOptions{Changes: 200, Rate: 2000, PerTransaction: 5, Connections: 3}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := database(t)
			if err := Seed(t.Context(), s.DSN(), 200, 1); err != nil {
				t.Fatal(err)
			}
			conn := connect(t, s.DSN())
			if _, err := conn.Exec(t.Context(), audited); err != nil {
				t.Fatal(err)
			}
			stats, err := Run(t.Context(), s.DSN(), tt.options)
			if err != nil {
				t.Fatal(err)
			}
			for what, pair := range map[string][2]int64{
				"changes":      {stats.Changes, count(t, conn, "SELECT count(*) FROM audit")},
				"transactions": {stats.Transactions, count(t, conn, "SELECT count(DISTINCT tx) FROM audit")},
				"sign-ups":     {stats.Kinds[SignUp], count(t, conn, "SELECT count(*) FROM audit WHERE op = 'INSERT'")},
				"deletions":    {stats.Kinds["deletion"], count(t, conn, "SELECT count(*) FROM audit WHERE op = 'DELETE'")},
			} {
				if pair[0] != pair[1] {
					t.Errorf("the load says %d %s, the database %d", pair[0], what, pair[1])
				}
			}
			if stats.Changes < tt.options.Changes || stats.Interrupted != 0 || stats.Elapsed <= 0 {
				t.Errorf("%+v, %d changes asked for", stats, tt.options.Changes)
			}
			for _, k := range kinds {
				if stats.Kinds[k.value.name] == 0 && stats.Changes > 500 {
					t.Errorf("no %s in %d changes", k.value.name, stats.Changes)
				}
			}
		})
	}
}

// A load may be run on users that an earlier one has changed, and on none at all.
func TestLoadGoesOnWhereTheLastOneEnded(t *testing.T) {
	t.Parallel()
	s := database(t)
	if err := Seed(t.Context(), s.DSN(), 0, 1); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(2) {
		if _, err := Run(t.Context(), s.DSN(), LoadOptions{Changes: 300, Seed: seed}); err != nil {
			t.Fatal(err)
		}
	}
	if err := Seed(t.Context(), s.DSN(), 100_000, 1); err != nil {
		t.Errorf("seeding a table that is there: %v", err)
	}
	if n := count(t, connect(t, s.DSN()), "SELECT count(*) FROM users"); n == 0 || n > 1000 {
		t.Errorf("%d users", n)
	}
}

func TestLoadOutlivesTheServer(t *testing.T) {
	t.Parallel()
	s := database(t)
	if err := Seed(t.Context(), s.DSN(), 100, 1); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	load := NewLoad(s.DSN(), LoadOptions{})
	ended := make(chan error, 1)
	go func() { ended <- load.Run(ctx) }()
	until(t, "the load changes users", ended, func() bool { return load.Stats().Changes > 50 })
	s.Kill()
	until(t, "the load notices", ended, func() bool { return load.Stats().Interrupted > 0 })
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := load.Stats().Changes
	until(t, "the load goes on", ended, func() bool { return load.Stats().Changes > before })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("told to end, it returned %v", err)
	}
	if a, b := load.Stats(), load.Stats(); a.Elapsed != b.Elapsed {
		t.Errorf("time went on after the end: %s, %s", a.Elapsed, b.Elapsed)
	}
}

// until waits for a condition, with a deadline that is only reached when the test fails.
func until(t *testing.T, what string, ended <-chan error, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case err := <-ended:
			t.Fatalf("the load ended: %v", err)
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		case <-tick.C:
		}
	}
}

func TestLoadFails(t *testing.T) {
	t.Parallel()
	s := database(t)
	for name, tt := range map[string]struct{ dsn, prepare, want string }{
		"without a table":      {s.DSN(), "", "users"},
		"with another table":   {s.DSN(), "CREATE TABLE users (id text, last_seen_at int)", "column"},
		"with no server there": {"postgres://postgres@127.0.0.1:1/muster", "", "127.0.0.1"},
		"with no DSN":          {"postgres://%zz", "", "parse"},
	} {
		if tt.prepare != "" {
			if _, err := connect(t, s.DSN()).Exec(t.Context(), tt.prepare); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Run(t.Context(), tt.dsn, LoadOptions{Changes: 100}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
		if tt.prepare != "" {
			if _, err := connect(t, s.DSN()).Exec(t.Context(), "DROP TABLE users"); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestPassing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{errors.New("connection reset by peer"), true},
		{&pgconn.PgError{Code: "57P01"}, true},
		{&pgconn.PgError{Code: "40P01"}, true},
		{&pgconn.PgError{Code: "53300"}, true},
		{&pgconn.PgError{Code: "42703"}, false},
		{&pgconn.PgError{Code: "23505"}, false},
	} {
		if got := passing(tt.err); got != tt.want {
			t.Errorf("%v: %v", tt.err, got)
		}
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		name      string
		perSecond float64
		now       time.Duration // after the beginning
		n         int64
		want      time.Duration
	}{
		{"the first at once", 10, 0, 0, 0},
		{"the second after an interval", 10, 0, 1, 100 * time.Millisecond},
		{"late ones at once", 10, 500 * time.Millisecond, 2, -300 * time.Millisecond},
		{"far too late ones count as a second late", 10, time.Hour, 2, -mostCatchUp},
		{"no rate, no waiting", 0, 0, 1000, 0},
		{"no drift at odd rates", 3, 0, 3_000_000, 1_000_000 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := &pace{perSecond: tt.perSecond, began: began}
			if got := p.left(began.Add(tt.now), tt.n); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
	p := &pace{perSecond: 10, began: began}
	p.left(began.Add(time.Hour), 2)
	if got := p.left(began.Add(time.Hour), 3+10); got != 100*time.Millisecond {
		t.Errorf("after a pause of an hour, a second is made up for and then the rate holds: %s", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.wait(ctx, 1<<40); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting beyond the end: %v", err)
	}
}
