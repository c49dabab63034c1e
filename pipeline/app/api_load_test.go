package app

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"muster/pipeline"
	"muster/pipeline/event"
)

// heard is every event that the sink has taken.
type heard struct {
	sync.Mutex
	events []event.Event
}

func (h *heard) Committed(*pipeline.Commit) {}
func (h *heard) Failed(*pipeline.Failure)   {}

// Delivered implements pipeline.Observer.
func (h *heard) Delivered(d *pipeline.Delivery) {
	h.Lock()
	defer h.Unlock()
	h.events = append(h.events, d.Events...)
}

// person is what the audience of the test looks at.
type person struct {
	plan string
	age  int
}

// happening is something at a position of the log: a write to a user, or a version of the definition.
type happening struct {
	at      event.LSN
	user    string // "" is a version
	person  person
	version uint32
	in      func(person) bool
}

// TestDefinitionsChangeUnderLoad commits, promotes and reverts while users change thousands of times a second, and holds
// every event to what must have happened by the log: who entered and left, at which position, by which version and cause.
func TestDefinitionsChangeUnderLoad(t *testing.T) {
	t.Parallel()
	const people, transactions, each = 1_000, 160, 50
	events := new(heard)
	s := serve(t, "environment: production\nenvironments: [development, production]", events)
	exec(t, s.db, `INSERT INTO users (id, plan, age) SELECT 'u' || i, 'free', 0 FROM generate_series(0, $1 - 1) i`, people)
	s.want(200, "PUT", "/v1/audiences/busy?environment=development&commit=true", older(30))
	s.want(200, "PUT", "/v1/audiences/mirror?environment=development&commit=true", refersTo("busy"))

	var log []happening
	versions := &versions{served: s}
	versions.made("PUT", "/v1/commits/promote?to_environment=production", "", ages(30))
	writing := make(chan []happening)
	go func() { writing <- write(s, people, transactions, each) }()
	for round := range 4 {
		age := 20 + 10*round
		s.want(200, "PUT", "/v1/audiences/busy?environment=development&commit=true", older(age))
		versions.made("PUT", "/v1/commits/promote?to_environment=production", "", ages(age))
		versions.made("PUT", "/v1/audiences/busy?environment=production&commit=true&force=true", plan("pro"), func(p person) bool { return p.plan == "pro" })
		versions.made("PUT", "/v1/audiences/busy/revert?environment=production&version=1", "", ages(30))
	}
	log = append(<-writing, versions.all...)
	slices.SortStableFunc(log, func(a, b happening) int { return cmp.Compare(a.at, b.at) })

	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	reach, err := s.worker.control.Reach(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.worker.pipeline.AwaitPosition(ctx, reach); err != nil {
		t.Fatal(err)
	}
	s.eventually("every event to be delivered", func() bool {
		status := s.worker.Status()
		events.Lock()
		defer events.Unlock()
		return status.Sequence == uint64(len(events.events)) && !status.Backfill.Running
	})
	checkEvents(t, events.events, expected(log, people))
	checkAgainstSQL(s)
}

func older(than int) string {
	return dynamic(fmt.Sprintf(`{"property": "recipient.age", "operator": "greater_than", "argument": %d}`, than))
}

func ages(than int) func(person) bool { return func(p person) bool { return p.age > than } }

// versions are the versions of busy that came into force, each with its position.
type versions struct {
	*served
	all []happening
}

func (v *versions) made(method, path, body string, in func(person) bool) {
	v.Helper()
	position := v.want(200, method, path, body).header.Get("Muster-Position")
	if position == "" {
		return // it said what was in force already
	}
	token, _, _ := strings.Cut(position, "@")
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	at, err := v.worker.pipeline.AwaitToken(ctx, token)
	if err != nil {
		v.Fatal(err)
	}
	v.all = append(v.all, happening{at: at, version: uint32(len(v.all) + 1), in: in})
}

// write changes users in transactions, each with a token, and returns what it did and where in the log.
func write(s *served, people, transactions, each int) []happening {
	conn := connect(s.TB, s.config.Postgres.DSN.Reveal())
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	random := rand.New(rand.NewPCG(7, 7))
	began := time.Now()
	var done []happening
	for i := range transactions {
		first := len(done)
		var batch pgx.Batch
		batch.Queue(`BEGIN`)
		for range each {
			p := person{[]string{"free", "pro"}[random.IntN(2)], random.IntN(80)}
			user := fmt.Sprintf("u%d", random.IntN(people))
			batch.Queue(`UPDATE users SET plan = $2, age = $3 WHERE id = $1`, user, p.plan, p.age)
			done = append(done, happening{user: user, person: p})
		}
		token := fmt.Sprintf("write-%d", i)
		batch.Queue(`SELECT pg_logical_emit_message(true, 'muster.token', $1::text)`, token)
		batch.Queue(`COMMIT`)
		if err := conn.SendBatch(ctx, &batch).Close(); err != nil {
			s.Errorf("write: %v", err)
			return nil
		}
		at, err := s.worker.pipeline.AwaitToken(ctx, token)
		if err != nil {
			s.Errorf("write: %v", err)
			return nil
		}
		for j := first; j < len(done); j++ {
			done[j].at = at
		}
	}
	s.Logf("%.0f changes a second", float64(len(done))/time.Since(began).Seconds())
	return done
}

// told is what an event says of one user's membership of busy.
type told struct {
	at      event.LSN
	entered bool
	version uint32
	cause   event.Cause
}

// expected replays the log in the plainest way.
func expected(log []happening, people int) map[string][]told {
	persons := make(map[string]person, people)
	for i := range people {
		persons[fmt.Sprintf("u%d", i)] = person{plan: "free"}
	}
	in := make(map[string]bool)
	want := make(map[string][]told)
	var rule happening
	judge := func(user string, at event.LSN, cause event.Cause) {
		if now := rule.in != nil && rule.in(persons[user]); now != in[user] {
			in[user] = now
			want[user] = append(want[user], told{at, now, rule.version, cause})
		}
	}
	for i := 0; i < len(log); {
		h := log[i]
		if h.user == "" {
			rule = h
			for user := range persons {
				judge(user, h.at, event.CauseDefinition)
			}
			i++
			continue
		}
		touched := make(map[string]bool)
		for ; i < len(log) && log[i].at == h.at; i++ { // a transaction is judged once
			persons[log[i].user] = log[i].person
			touched[log[i].user] = true
		}
		for user := range touched {
			judge(user, h.at, event.CauseChange)
		}
	}
	return want
}

func checkEvents(t *testing.T, events []event.Event, want map[string][]told) {
	t.Helper()
	got := make(map[string][]told)
	mirrored := make(map[string]int)
	for i, e := range events {
		if e.Sequence != uint64(i+1) {
			t.Fatalf("event %d has sequence %d", i+1, e.Sequence)
		}
		entered := e.Type == event.Entered
		if e.Trigger != (entered && e.Cause != event.CauseDefinition && !(e.Audience == "mirror" && ofDefinition(want[e.User], e.Position.LSN))) {
			t.Errorf("trigger of %+v", e)
		}
		if e.Audience == "mirror" {
			mirrored[e.User]++
			continue
		}
		got[e.User] = append(got[e.User], told{e.Position.LSN, entered, e.Version, e.Cause})
	}
	total := 0
	for user, list := range want {
		total += len(list)
		if !slices.Equal(got[user], list) {
			t.Errorf("%s:\ngot  %v\nwant %v", user, got[user], list)
		}
		if mirrored[user] != len(list) {
			t.Errorf("%s: %d events of the audience that refers to it, want %d", user, mirrored[user], len(list))
		}
	}
	if len(events) != 2*total {
		t.Errorf("%d events, want %d", len(events), 2*total)
	}
	t.Logf("%d events as they must be", len(events))
}

// ofDefinition reports whether what happened to the user at a position was a definition's doing.
func ofDefinition(list []told, at event.LSN) bool {
	i := slices.IndexFunc(list, func(w told) bool { return w.at == at })
	return i >= 0 && list[i].cause == event.CauseDefinition
}

// checkAgainstSQL compares who is in with what Postgres says of the last version.
func checkAgainstSQL(s *served) {
	s.Helper()
	rows, err := s.db.Query(context.Background(), `SELECT id, age > 30 FROM users`)
	if err != nil {
		s.Fatal(err)
	}
	var user string
	var want bool
	_, err = pgx.ForEachRow(rows, []any{&user, &want}, func() error {
		for _, audience := range []string{"busy", "mirror"} {
			_, in, known, err := s.worker.pipeline.Membership(audience, user, "")
			if err != nil || !known || in != want {
				s.Errorf("%s in %s: %t (known %t), want %t: %v", user, audience, in, known, want, err)
			}
		}
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
}
