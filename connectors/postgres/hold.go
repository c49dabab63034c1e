package postgres

import (
	"context"
	"sync"
	"time"
)

// holdPatience is how long a worker that never saw another one in its slot waits for the server before it counts as the
// holder all the same.
const holdPatience = 30 * time.Second

// hold knows whether this source's worker is the one that reads the slot. A slot has one reader at a time, so whoever
// streams from it is the worker; one that waits for it is a standby and must not disturb what the other publishes.
type hold struct {
	mu      sync.Mutex
	held    chan struct{} // closed once, when the slot is ours as far as can be known
	granted bool
	taken   bool      // another reader was seen, and we have not been in since
	away    time.Time // since when the server does not let us in for another reason
}

func newHold() *hold { return &hold{held: make(chan struct{})} }

// grant says that the slot is ours.
func (h *hold) grant() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.taken, h.away = false, time.Time{}
	h.open()
}

func (h *hold) open() {
	if !h.granted {
		h.granted = true
		close(h.held)
	}
}

// occupied says that somebody else reads the slot.
func (h *hold) occupied() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.taken, h.away = true, time.Time{}
}

// failed says that the server could not be streamed from. What is in the outbox then goes out without it, after a while:
// the outbox was filled from this slot, and nobody else was seen in it. Where somebody was, that one publishes it.
func (h *hold) failed(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.away.IsZero():
		h.away = now
	case !h.taken && now.Sub(h.away) >= holdPatience:
		h.open()
	}
}

// waiting reports whether another reader keeps us out.
func (h *hold) waiting() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.taken
}

// Held returns nil once this source reads its slot, or begins a snapshot while nobody does. While another worker reads it,
// it waits. Where the server cannot be reached, and nobody else was seen in the slot before, it returns after half a minute:
// what is to be published then does not wait for Postgres. It returns the cause of ctx's end.
func (s *Source) Held(ctx context.Context) error {
	select {
	case <-s.hold.held:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
