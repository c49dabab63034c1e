package postgres

import (
	"testing"
	"time"
)

func TestHold(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	after := func(h *hold, d time.Duration) { h.failed(began.Add(d)) }
	for _, c := range []struct {
		name          string
		steps         func(*hold)
		held, waiting bool
	}{
		{"nothing is known", func(*hold) {}, false, false},
		{"we stream", func(h *hold) { h.grant() }, true, false},
		{"another one streams", func(h *hold) { h.occupied() }, false, true},
		{"another one streamed and we do now", func(h *hold) { h.occupied(); h.grant() }, true, false},
		{"we streamed and another one does now: only the fence can tell", func(h *hold) { h.grant(); h.occupied() }, true, true},
		{"the server is away", func(h *hold) { after(h, 0); after(h, holdPatience-1) }, false, false},
		{"the server stays away", func(h *hold) { after(h, 0); after(h, holdPatience) }, true, false},
		{"the server is away with the other one", func(h *hold) { h.occupied(); after(h, 0); after(h, 100*holdPatience) }, false, true},
		{"seen in between", func(h *hold) { after(h, 0); h.occupied(); after(h, holdPatience) }, false, true},
		{"twice", func(h *hold) { h.grant(); h.grant(); after(h, 0); after(h, holdPatience) }, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHold()
			c.steps(h)
			held := false
			select {
			case <-h.held:
				held = true
			default:
			}
			if held != c.held || h.waiting() != c.waiting {
				t.Errorf("held %t, waiting %t; want %t, %t", held, h.waiting(), c.held, c.waiting)
			}
		})
	}
}
