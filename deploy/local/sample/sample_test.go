package sample

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"muster/deploy/local/postgres"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func database(t *testing.T) *postgres.Server {
	t.Helper()
	s, err := postgres.Start(t.Context(), postgres.Options{Settings: map[string]string{"fsync": "off"}, Log: func(line string) { t.Log(line) }})
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

func count(t *testing.T, conn *pgx.Conn, sql string) int64 {
	t.Helper()
	var n int64
	if err := conn.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func TestUsersAreTheSameForTheSameSeed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	seen := map[string]bool{}
	for number := int64(1); number <= 1000; number++ {
		u := NewUser(7, number, now)
		if again := NewUser(7, number, now); !reflect.DeepEqual(u, again) {
			t.Fatalf("user %d is %+v and then %+v", number, u, again)
		}
		if seen[u.ID] || seen[u.Email] {
			t.Fatalf("%s or %s twice", u.ID, u.Email)
		}
		seen[u.ID], seen[u.Email] = true, true
		if u.SignedUpAt.After(now) || u.LastSeenAt.After(now) || u.LastSeenAt.Before(u.SignedUpAt) {
			t.Errorf("user %d signed up %s, was seen %s, and now is %s", number, u.SignedUpAt, u.LastSeenAt, now)
		}
		if (u.Plan == Trial) != (u.TrialEndsAt != nil) || (pricePerSeat[u.Plan] > 0) != (u.MRR > 0) {
			t.Errorf("user %d is at odds with the plan: %+v", number, u)
		}
	}
	if a, b := NewUser(7, 1, now), NewUser(8, 1, now); a.Email == b.Email && a.Plan == b.Plan && a.SignedUpAt.Equal(b.SignedUpAt) {
		t.Error("another seed gives the same user")
	}
}

func TestMailbox(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"José": "jose", "O'Brien": "obrien", "Van den Berg": "vandenberg", "Alder & Co": "alderco"} {
		if got := mailbox(name); got != want {
			t.Errorf("%s becomes %s, want %s", name, got, want)
		}
	}
}

// meaning of each audience in SQL, which says by itself whether the sample brings it to life.
var meaning = map[string]string{
	"at-risk":             `plan IN ('starter', 'pro', 'enterprise') AND last_seen_at < now() - interval '21 days'`,
	"high-value":          `mrr >= 500 OR plan = 'enterprise' OR 'vip' = ANY (tags)`,
	"mid-size-companies":  `(properties #>> '{company,size}')::int BETWEEN 50 AND 500 AND properties ->> 'source' <> 'ads'`,
	"new-signups":         `signed_up_at >= now() - interval '7 days'`,
	"onboarding-stuck":    `signed_up_at < now() - interval '2 days' AND NOT (properties #>> '{onboarding,completed}')::bool AND (properties #>> '{onboarding,step}')::int < 3`,
	"online-now":          `last_seen_at >= now() - interval '1 minute'`,
	"paying-customers":    `plan IN ('starter', 'pro', 'enterprise') AND card_on_file`,
	"paying-customers-eu": `plan IN ('starter', 'pro', 'enterprise') AND card_on_file AND country IN ('AT', 'DE', 'ES', 'FR', 'IT', 'NL', 'PL', 'SE')`,
	"trial-ending":        `plan = 'trial' AND trial_ends_at >= now() AND trial_ends_at < now() + interval '3 days' AND NOT card_on_file`,
	"trial-expired":       `plan = 'trial' AND trial_ends_at < now()`,
	"trial-offer-holdout": `plan = 'trial' AND trial_ends_at >= now() AND trial_ends_at < now() + interval '3 days' AND NOT card_on_file
		AND ('x' || left(encode(sha256('trial-offer'::bytea || '\x00'::bytea || id::bytea), 'hex'), 16))::bit(64)::bigint::numeric
			+ CASE WHEN left(encode(sha256('trial-offer'::bytea || '\x00'::bytea || id::bytea), 'hex'), 1) >= '8' THEN 18446744073709551616 ELSE 0 END
			< 18446744073709551616 * 0.1`,
}

func TestEveryAudienceHasMembersAndOutsiders(t *testing.T) {
	t.Parallel()
	const users = 1000 // the least that a demo is likely to be run with
	s := database(t)
	if err := Seed(t.Context(), s.DSN(), users, 1); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, s.DSN())
	if n := count(t, conn, "SELECT count(*) FROM users"); n != users {
		t.Fatalf("%d users, want %d", n, users)
	}
	for _, key := range Audiences() {
		if key == BetaTesters {
			continue
		}
		condition, ok := meaning[key]
		if !ok {
			t.Errorf("%s: the test does not know what it means", key)
			continue
		}
		n := count(t, conn, "SELECT count(*) FROM users WHERE "+condition)
		t.Logf("%-20s %4d of %d", key, n, users)
		if n == 0 || n > users*6/10 {
			t.Errorf("%s has %d members of %d users", key, n, users)
		}
	}
}

// With no write at all, a demo of half a minute sees entries and exits.
func TestTimeAloneMovesAudiences(t *testing.T) {
	t.Parallel()
	now := time.Now()
	leaving, entering := 0, 0
	for number := int64(1); number <= 1000; number++ {
		u := NewUser(1, number, now)
		if gone := u.LastSeenAt.Add(time.Minute); gone.After(now) && gone.Before(now.Add(25*time.Second)) {
			leaving++
		}
		if u.Plan == Trial && u.TrialEndsAt.After(now) && u.TrialEndsAt.Before(now.Add(25*time.Second)) {
			entering++
		}
	}
	if leaving < 5 || entering < 2 {
		t.Errorf("within 25 seconds %d users leave online-now and %d enter trial-expired", leaving, entering)
	}
}

func TestDefinitions(t *testing.T) {
	t.Parallel()
	static, references := 0, 0
	for _, key := range Audiences() {
		text, err := Definition(key)
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			Key, Name, Description, Type string
			Segments                     []struct{ Conditions []map[string]any }
		}
		if err := json.Unmarshal(text, &d); err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		if d.Key != key || d.Name == "" || d.Description == "" {
			t.Errorf("%s: key %q, name %q, description %q", key, d.Key, d.Name, d.Description)
		}
		if d.Type == "static" {
			static++
		}
		for _, segment := range d.Segments {
			for _, condition := range segment.Conditions {
				if condition["operator"] == "is_audience_member" {
					references++
					if !slices.Contains(Audiences(), condition["argument"].(string)) {
						t.Errorf("%s refers to %s, which there is not", key, condition["argument"])
					}
				}
			}
		}
	}
	if static != 1 || references == 0 || len(Audiences()) < 10 {
		t.Errorf("%d audiences, %d static, %d references", len(Audiences()), static, references)
	}
	if _, err := Definition("nobody"); err == nil {
		t.Error("there is an audience called nobody")
	}
}

func TestFilesAreWrittenOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testers := filepath.Join(dir, "beta-testers.csv")
	edited := filepath.Join(dir, Audiences()[0], definitionName)
	for round := range 2 {
		if err := WriteAudiences(dir); err != nil {
			t.Fatal(err)
		}
		if err := WriteBetaTesters(testers, 100, 1); err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			if err := os.WriteFile(edited, []byte("edited"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, key := range Audiences() {
		got, err := os.ReadFile(filepath.Join(dir, key, definitionName))
		if err != nil {
			t.Fatal(err)
		}
		want, err := Definition(key)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Join(dir, key, definitionName) == edited {
			want = []byte("edited")
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %s", key, got)
		}
	}
	f, err := os.Open(testers)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil || len(lines) < 10 || !strings.HasPrefix(lines[1][0], "u_") {
		t.Errorf("%d lines, %v", len(lines), err)
	}
	if err := WriteAudiences(testers); err == nil {
		t.Error("audiences were written into a file")
	}
}
