package pipeline

import (
	"context"
	"sync"
	"sync/atomic"

	"muster/pipeline/state"
)

// wake is a broadcast: everybody who fetched the channel before a Ring is woken by it.
type wake struct {
	mu sync.Mutex
	ch chan struct{}
}

func newWake() *wake { return &wake{ch: make(chan struct{})} }

// channel is closed at the next ring.
func (w *wake) channel() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ch
}

func (w *wake) ring() {
	w.mu.Lock()
	defer w.mu.Unlock()
	close(w.ch)
	w.ch = make(chan struct{})
}

// progress is a head that others look at and wait for.
type progress struct {
	head atomic.Pointer[state.Head]
	*wake
}

func newProgress() progress { return progress{wake: newWake()} }

func (p *progress) set(h state.Head) {
	p.head.Store(&h)
	p.ring()
}

func (p *progress) get() state.Head {
	if h := p.head.Load(); h != nil {
		return *h
	}
	return state.Head{}
}

// until waits for a head that satisfies done.
func (p *progress) until(ctx context.Context, done func(state.Head) bool) error {
	for {
		ch := p.channel()
		if done(p.get()) {
			return nil
		}
		select {
		case <-ch:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// outbox counts what the sinks have yet to take.
type outbox struct {
	events, bytes atomic.Int64
	discarding    sync.Mutex
	discarded     uint64 // events up to this sequence are removed
	*wake                // rung when it shrinks
}

func (o *outbox) add(events, bytes int64) {
	o.events.Add(events)
	o.bytes.Add(bytes)
	if bytes < 0 {
		o.ring()
	}
}

// room waits until the outbox is below limit bytes.
func (o *outbox) room(ctx context.Context, limit int64) error {
	for {
		ch := o.channel()
		if o.bytes.Load() < limit {
			return nil
		}
		select {
		case <-ch:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
