package app

import (
	"context"
	"testing"
)

// TestAWriteDoesNotHangOnALock: a transaction that somebody left open must not take the API's connections, one request after
// the other. The caller is told to ask again, and the same request, with the same key, then does its work.
func TestAWriteDoesNotHangOnALock(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	exec(t, s.db, `INSERT INTO users (id, plan) VALUES ('u1', 'pro')`)
	writes := []struct{ name, lock, method, path, body string }{
		{"a user", `SELECT FROM users WHERE id = 'u1' FOR UPDATE`, "PUT", "/v1/users/u1", `{"plan": "free"}`},
		{"a draft", `LOCK TABLE muster.drafts IN SHARE MODE`, "PUT", "/v1/audiences/a" + dev, plan("pro")},
		{"a commit", `LOCK TABLE muster.commits IN SHARE MODE`, "PUT", "/v1/audiences/b" + dev + "&commit=true", plan("pro")},
	}
	for _, w := range writes {
		t.Run(w.name, func(t *testing.T) {
			held, err := s.db.Begin(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := held.Exec(context.Background(), w.lock); err != nil {
				t.Fatal(err)
			}
			r := s.call(w.method, w.path, w.body, "Idempotency-Key: "+w.name)
			if r.status != 503 || r.header.Get("Retry-After") == "" || r.at("code") != "unavailable" {
				t.Errorf("while the lock is held: %d %s %v", r.status, r.text, r.header)
			}
			if err := held.Rollback(context.Background()); err != nil {
				t.Fatal(err)
			}
			r = s.call(w.method, w.path, w.body, "Idempotency-Key: "+w.name)
			if r.status != 200 || r.header.Get("Idempotency-Replayed") != "" {
				t.Errorf("then: %d %s", r.status, r.text)
			}
		})
	}
}
