package app

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"muster/connectors/api"
	"muster/pipeline/state"
)

// verify asks the running worker and returns its last line.
func (s *served) verify() api.VerifyLine {
	s.Helper()
	r, err := http.Post(s.url+"/v1/verify", "application/json", strings.NewReader(""))
	if err != nil {
		s.Fatal(err)
	}
	defer r.Body.Close()
	var last api.VerifyLine
	scanner := bufio.NewScanner(r.Body)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		last = api.VerifyLine{}
		if err := json.Unmarshal(scanner.Bytes(), &last); err != nil {
			s.Fatalf("%s: %v", scanner.Text(), err)
		}
	}
	if err := scanner.Err(); err != nil || r.StatusCode != http.StatusOK {
		s.Fatalf("verify: %s %v", r.Status, err)
	}
	return last
}

// populate commits definitions of every kind and makes users move.
func (s *served) populate(users int) {
	s.Helper()
	s.commit("list", static)
	s.commit("pro", plan("pro"))
	s.commit("recent", dynamic(`{"property":"recipient.created_at","operator":"is_timestamp_on_or_after","argument":"1 hours ago"}`))
	s.commit("both", `{"audience":{"name":"B","type":"dynamic","segments":[{"conditions":[{"operator":"is_audience_member","argument":"pro"},{"operator":"is_audience_member","argument":"list"}]}]}}`)
	s.commit("settled", `{"audience":{"name":"W","type":"dynamic","settle":{"enter":"1h"},"segments":[{"conditions":[{"property":"recipient.age","operator":"greater_than","argument":10}]}]}}`)
	exec(s.TB, s.db, `INSERT INTO users (id, plan, age, created_at) SELECT 'u' || i, (ARRAY['free','pro','team'])[i % 3 + 1], i % 30, now() - i * interval '1 minute' FROM generate_series(1, $1) AS i`, users)
	exec(s.TB, s.db, `INSERT INTO muster.members (environment, audience, user_id, tenant) SELECT 'development', 'list', 'u' || i * 5, '' FROM generate_series(1, $1) AS i`, users/4)
}

func TestVerifyBesideAStreamOfChanges(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	s.populate(400)
	s.settle()
	ctx, cancel := context.WithCancel(context.Background())
	writing := make(chan error, 1)
	writer := connect(t, s.config.Postgres.DSN.Reveal())
	go func() {
		for i := 0; ; i++ {
			_, err := writer.Exec(ctx, `UPDATE users SET plan = (ARRAY['free','pro','team'])[$1::int % 3 + 1], age = $1::int % 30 WHERE id = 'u' || $2::int`, i, i%400+1)
			if err != nil {
				writing <- nil
				return
			}
		}
	}()
	for range 3 {
		line := s.verify()
		if line.Result == nil || line.Result.Differences != 0 || line.Result.Users != 400 {
			t.Errorf("%+v %+v", line.Error, line.Result)
		}
	}
	cancel()
	if err := <-writing; err != nil {
		t.Error(err)
	}
}

// TestVerifyFindsWhatDiffers damages a state by hand in every way that a verification knows.
func TestVerifyFindsWhatDiffers(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	s.populate(40)
	s.settle()
	s.stop()
	if r := s.verifyAlone(); r.Differences != 0 || r.Users != 40 {
		t.Fatalf("an intact state differs: %+v", r)
	}
	store, err := state.Open(s.config.State.Dir, state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := store.Audiences()
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]*state.Audience)
	for i := range list {
		ids[list[i].Key] = &list[i]
	}
	damage := func(user string, do func(*state.Record)) {
		var r state.Record
		if _, _, err := store.Record(user, &r, nil); err != nil {
			t.Fatal(err)
		}
		do(&r)
		b := store.NewBatch()
		var encoded []byte
		if !r.Empty() {
			encoded = r.Append(nil)
		}
		if err := b.SetRecord(user, encoded); err != nil {
			t.Fatal(err)
		}
		if err := b.Apply(); err != nil {
			t.Fatal(err)
		}
		if err := b.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	damage("u1", func(r *state.Record) { // pro: forgotten, and its row lost its last byte
		r.Membership(ids["pro"].ID, "").In = false
		tuple := append([]byte(nil), r.Tuple...)
		tuple[len(tuple)-1]++
		r.Tuple = tuple
	})
	damage("u2", func(r *state.Record) { r.Ensure(ids["pro"].ID, "").In = true })
	damage("u3", func(r *state.Record) { r.Flip-- })
	damage("u5", func(r *state.Record) { r.Forget(ids["list"].ID, "") })
	damage("ghost", func(r *state.Record) {
		r.Present, r.Tuple, r.Schema = true, []byte{0, 0, 0, 0, 0, 0, 0, 0}, 1
	})
	damage("u7", func(r *state.Record) { *r = state.NewRecord() })
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bool)
	for _, f := range s.verifyAlone().Found {
		found[fmt.Sprintf("%s %s %s", f.Kind, f.User, f.Audience)] = true
	}
	for _, want := range []string{"row u1 ", "membership u1 pro", "membership u2 pro", "timer u3 ", "recorded u5 list", "membership u5 list", "row ghost ", "row u7 "} {
		if !found[want] {
			t.Errorf("not found: %s", want)
		}
		delete(found, want)
	}
	for f := range found {
		t.Logf("also: %s", f)
	}
}

func (s *served) verifyAlone() *api.Verified {
	s.Helper()
	r, err := Verify(context.Background(), s.config, slog.New(slog.DiscardHandler), func(api.VerifyProgress) {})
	if err != nil {
		s.Fatal(err)
	}
	return r
}
