package api

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// memory is Replies in memory.
type memory struct {
	mu sync.Mutex
	m  map[string]*memo
}

type memo struct {
	digest  string
	reply   *Reply
	renewed int
}

func (m *memory) Claim(_ context.Context, caller, key string, digest []byte) (Claimed, Claim, Reply, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	got := m.m[caller+" "+key]
	switch {
	case got == nil:
		m.m[caller+" "+key] = &memo{digest: string(digest)}
		return Fresh, memoClaim{m, caller + " " + key}, Reply{}, nil
	case got.digest != string(digest):
		return Reused, nil, Reply{}, nil
	case got.reply == nil:
		return Running, nil, Reply{}, nil
	}
	return Replayed, nil, *got.reply, nil
}

type memoClaim struct {
	of *memory
	at string
}

func (c memoClaim) Renew(context.Context) error {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.m[c.at].renewed++
	return nil
}

func (c memoClaim) Keep(_ context.Context, reply Reply) error {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.m[c.at].reply = &reply
	return nil
}

func (c memoClaim) Forget(context.Context) error {
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	delete(c.of.m, c.at)
	return nil
}

func TestARetriedWriteIsDoneOnce(t *testing.T) {
	t.Parallel()
	part := new(things)
	h, _ := serve(t, Options{Replies: &memory{m: map[string]*memo{}}, Positions: &log{}}, part)
	put := func(body, key string) *httptest.ResponseRecorder {
		return call(t, h, "PUT", "/v1/things/a", body, "Idempotency-Key: "+key)
	}
	first, again := put(`{"name": "ab"}`, "k1"), put(`{"name": "ab"}`, "k1")
	if first.Code != 200 || first.Body.String() != again.Body.String() || again.Header().Get("Idempotency-Replayed") != "true" ||
		again.Header().Get(positionHeader) != first.Header().Get(positionHeader) || again.Header().Get(positionHeader) == "" || part.calls != 1 {
		t.Errorf("first %d %s, again %d %s %v, %d calls", first.Code, first.Body, again.Code, again.Body, again.Header(), part.calls)
	}
	if w := put(`{"name": "other"}`, "k1"); w.Code != 422 || errorOf(t, w).Code != "idempotency_key_reused" {
		t.Errorf("another body: %d %s", w.Code, w.Body)
	}
	if w := put(`{"name": "ab"}`, "k2"); w.Code != 200 || part.calls != 2 {
		t.Errorf("another key: %d, %d calls", w.Code, part.calls)
	}
	part.failure = unavailable("not now")
	if w := put(`{"name": "ab"}`, "k3"); w.Code != 503 {
		t.Errorf("failing: %d", w.Code)
	}
	part.failure = nil
	if w := put(`{"name": "ab"}`, "k3"); w.Code != 200 || w.Header().Get("Idempotency-Replayed") != "" {
		t.Errorf("after a failure that passed: %d %s", w.Code, w.Body)
	}
}

// slow is a part whose writes take two minutes.
type slow struct{}

func (slow) register(a *API) {
	register(a, endpoint{method: http.MethodPut, path: "/v1/slow", id: "put-slow", role: RoleWrite}, func(context.Context, *struct{}) (*answer[thing], error) {
		time.Sleep(2*time.Minute + renewal/2)
		return &answer[thing]{thing{Name: "done"}}, nil
	})
}

// TestAClaimIsRenewedWhileItsRequestIsServed: a claim lasts a minute, a request may take longer.
func TestAClaimIsRenewedWhileItsRequestIsServed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept := &memory{m: map[string]*memo{}}
		h, _ := serve(t, Options{Replies: kept}, slow{})
		if w := call(t, h, "PUT", "/v1/slow", "", "Idempotency-Key: k"); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		var memo *memo
		for _, memo = range kept.m { // there is one
		}
		if want := int(2 * time.Minute / renewal); memo.renewed != want || memo.reply == nil {
			t.Errorf("renewed %d times, want %d; kept %v", memo.renewed, want, memo.reply)
		}
		time.Sleep(2 * renewal)
		if want := int(2 * time.Minute / renewal); memo.renewed != want {
			t.Errorf("renewed %d times, the last after it was answered", memo.renewed)
		}
	})
}
