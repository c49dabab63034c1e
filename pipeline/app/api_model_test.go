package app

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/pipeline/event"
)

var modelOps = flag.Int("model.ops", 2_000, "operations of the test of the members API against a model")

// place is a static membership of the model.
type place struct{ audience, user, tenant string }

// model is what one client did, in the plainest way. Clients write different users, so what each did is all that counts.
type model struct {
	recorded map[place]bool
	users    map[string]bool
	events   map[place][]string // type, cause and whether it triggers
}

// step tells what must be published when user and membership of a place become as given.
func (m *model) step(p place, was bool, cause event.Cause) {
	now := m.recorded[p] && m.users[p.user]
	if was == now {
		return
	}
	kind := event.Exited
	if now {
		kind = event.Entered
	}
	trigger := now && cause == event.CauseStatic
	m.events[p] = append(m.events[p], fmt.Sprint(kind, " ", cause, " ", trigger))
}

// TestMembersAgainstAModel has two clients add, remove, identify and delete at once through the API while other users
// change in the database and the worker is stopped and started; then members, missing and every event equal the model's.
// -model.ops=100000 is the long form.
func TestMembersAgainstAModel(t *testing.T) {
	t.Parallel()
	events := new(heard)
	s := serve(t, "http: {limits: {requests_per_second: 0}}", events)
	for _, audience := range []string{"one", "two"} {
		s.want(200, "PUT", "/v1/audiences/"+audience+"?environment=development&commit=true", `{"audience": {"type": "static"}}`)
	}
	var origin atomic.Pointer[string]
	at := s.url // a copy: starting anew writes the field
	origin.Store(&at)
	streaming, stop := context.WithCancel(context.Background())
	var background, clients sync.WaitGroup
	background.Go(func() { churn(streaming, s) })
	models := make([]*model, 2)
	var done atomic.Int64
	for i := range models {
		models[i] = &model{recorded: map[place]bool{}, users: map[string]bool{}, events: map[place][]string{}}
		c := &modelClient{s, &origin, rand.New(rand.NewPCG(8, uint64(i))), models[i], fmt.Sprintf("c%d-", i), &done}
		clients.Go(func() {
			for range *modelOps / len(models) {
				if !c.operate() {
					return
				}
			}
		})
	}
	for restart := range 2 {
		for done.Load() < int64((restart+1)**modelOps/3) && !t.Failed() { // each client has a deadline for each operation
			time.Sleep(time.Millisecond)
		}
		s.stop()
		s.start()
		at := s.url
		origin.Store(&at)
	}
	clients.Wait()
	stop()
	background.Wait()
	if t.Failed() {
		return
	}
	s.delivered(events)
	for _, audience := range []string{"one", "two"} {
		compareMembers(s, audience, models)
	}
	compareEvents(t, events.events, models)
}

// delivered waits until the worker has read all that was written and every event is delivered.
func (s *served) delivered(events *heard) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	reach, err := s.worker.control.Reach(ctx)
	if err == nil {
		err = s.worker.pipeline.AwaitPosition(ctx, reach)
	}
	if err != nil {
		s.Fatal(err)
	}
	s.eventually("every event to be delivered", func() bool {
		events.Lock()
		defer events.Unlock()
		return len(events.events) > 0 && events.events[len(events.events)-1].Sequence == s.worker.Status().Sequence
	})
}

// churn keeps the stream busy with users that no client knows.
func churn(ctx context.Context, s *served) {
	conn := connect(s.T, s.config.Postgres.DSN.Reveal())
	pace := time.NewTicker(10 * time.Millisecond) // busy, but not so that every write waits behind it
	defer pace.Stop()
	for ctx.Err() == nil {
		<-pace.C
		_, err := conn.Exec(ctx, `INSERT INTO users (id, age) SELECT 'other-' || i, 1 FROM generate_series(1, 50) i ON CONFLICT (id) DO UPDATE SET age = users.age + 1`)
		if err != nil && ctx.Err() == nil {
			s.Errorf("churn: %v", err)
			return
		}
	}
}

// modelClient does things and notes what must come of them.
type modelClient struct {
	*served
	origin *atomic.Pointer[string]
	random *rand.Rand
	model  *model
	prefix string
	done   *atomic.Int64
}

// operate does one thing by chance, until it is done: a client tries again while the worker is away.
func (c *modelClient) operate() bool {
	defer c.done.Add(1)
	user := fmt.Sprintf("%s%d", c.prefix, c.random.IntN(40))
	switch c.random.IntN(10) {
	case 0, 1:
		return c.change("PUT", "/v1/users/"+user, object{"age": c.random.IntN(90)}, func() { c.identify(user) })
	case 2:
		return c.change("DELETE", "/v1/users/"+user, nil, func() { c.forget(user) })
	}
	var batch []any
	var apply []func()
	method, audience := []string{"POST", "DELETE"}[c.random.IntN(2)], []string{"one", "two"}[c.random.IntN(2)]
	for range 1 + c.random.IntN(3) {
		id := fmt.Sprintf("%s%d", c.prefix, c.random.IntN(40))
		p := place{audience, id, []string{"", "acme", "umbra"}[c.random.IntN(3)]}
		var tenant any
		if p.tenant != "" {
			tenant = p.tenant
		}
		batch = append(batch, member(id, tenant, nil))
		apply = append(apply, func() {
			was := c.model.recorded[p] && c.model.users[p.user]
			c.model.recorded[p] = method == "POST"
			c.model.step(p, was, event.CauseStatic)
		})
	}
	return c.change(method, "/v1/audiences/"+audience+"/members", object{"members": batch}, func() {
		for _, step := range apply {
			step()
		}
	})
}

func (c *modelClient) identify(user string) { c.appear(user, true, event.CauseIdentified) }
func (c *modelClient) forget(user string)   { c.appear(user, false, event.CauseDelete) }

// appear makes a user be there or not; its recorded memberships follow.
func (c *modelClient) appear(user string, there bool, cause event.Cause) {
	was := c.model.users[user]
	c.model.users[user] = there
	for p, recorded := range c.model.recorded {
		if p.user == user && recorded {
			c.model.step(p, was, cause)
		}
	}
}

// change sends a request under an Idempotency-Key until it is answered, and then applies it to the model.
func (c *modelClient) change(method, path string, body any, apply func()) bool {
	text, err := json.Marshal(body)
	if err != nil || body == nil {
		text = nil
	}
	key := fmt.Sprint(c.prefix, c.random.Uint64())
	for end := time.Now().Add(deadline); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		status, answer, err := c.send(method, path, key, string(text))
		switch {
		case status == http.StatusConflict: // a worker that is gone took the key with it; doing it twice is no change
			key = fmt.Sprint(c.prefix, c.random.Uint64())
			continue
		case err != nil, status >= 500:
			continue // the worker is away, or about to be
		case status < 300, status == http.StatusNotFound && method == "DELETE" && body == nil:
			apply()
			return true
		}
		c.Errorf("%s %s %s: %d %s", method, path, text, status, answer)
		return false
	}
	c.Errorf("%s %s: gave up", method, path)
	return false
}

func (c *modelClient) send(method, path, key, body string) (int, string, error) {
	r, err := http.NewRequest(method, *c.origin.Load()+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// compareMembers pages through the members of an audience and holds them, and who is missing, to the models.
func compareMembers(s *served, audience string, models []*model) {
	s.Helper()
	got := make(map[place]bool) // whether the user is missing
	for query := "?page_size=37"; query != ""; {
		page := s.want(200, "GET", "/v1/audiences/"+audience+"/members"+query, "")
		entries, _ := page.at("entries").([]any)
		for _, e := range entries {
			e := e.(object)
			tenant, _ := e["tenant"].(string)
			missing, _ := e["missing"].(bool)
			got[place{audience, e["user_id"].(string), tenant}] = missing
		}
		query = ""
		if after, ok := page.at("page_info", "after").(string); ok {
			query = "?page_size=37&after=" + after
		}
	}
	want := 0
	for _, m := range models {
		for p, recorded := range m.recorded {
			if p.audience != audience || !recorded {
				continue
			}
			want++
			if missing, listed := got[p]; !listed || missing == m.users[p.user] {
				s.Errorf("%+v: listed %t, missing %t; the user exists %t", p, listed, missing, m.users[p.user])
			}
		}
	}
	if len(got) != want {
		s.Errorf("%s lists %d members, the models have %d", audience, len(got), want)
	}
}

// compareEvents holds every event that the sink took to what the models say was to be published.
func compareEvents(t *testing.T, events []event.Event, models []*model) {
	t.Helper()
	got := make(map[place][]string)
	counts := make(map[place]uint64)
	for i, e := range events {
		if e.Sequence != uint64(i+1) {
			t.Fatalf("event %d has sequence %d", i+1, e.Sequence)
		}
		p := place{e.Audience, e.User, e.Tenant}
		if e.Type == event.Entered {
			counts[p]++
		}
		if e.EntryCount != counts[p] {
			t.Errorf("%+v: entry count %d, want %d", p, e.EntryCount, counts[p])
		}
		got[p] = append(got[p], fmt.Sprint(e.Type, " ", e.Cause, " ", e.Trigger))
	}
	total := 0
	for _, m := range models {
		for p, want := range m.events {
			total += len(want)
			if !slices.Equal(got[p], want) {
				t.Errorf("%+v:\ngot  %q\nwant %q", p, got[p], want)
			}
		}
	}
	if total != len(events) {
		t.Errorf("%d events, the models have %d", len(events), total)
	}
	t.Logf("%d operations, %d events as they must be", *modelOps, total)
}
