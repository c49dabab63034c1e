package pipeline

import (
	"context"
	"sync"

	"muster/pipeline/event"
	"muster/pipeline/state"
)

// remembered is how many tokens are kept after they have passed.
const remembered = 100_000

// waiters knows which tokens have passed through the log lately. A token is a transactional message that a write through
// the API puts into its own transaction: whoever has to read that write waits for it, and since it comes through the log
// by itself the wait never hangs on an idle database.
type waiters struct {
	mu     sync.Mutex
	passed map[string]event.LSN
	order  []string // ring of the tokens in passed
	next   int
	*wake
}

func newWaiters() waiters { return waiters{passed: make(map[string]event.LSN), wake: newWake()} }

func (w *waiters) pass(token string, at event.LSN) {
	w.mu.Lock()
	if len(w.order) < remembered {
		w.order = append(w.order, token)
	} else {
		delete(w.passed, w.order[w.next])
		w.order[w.next] = token
		w.next = (w.next + 1) % remembered
	}
	w.passed[token] = at
	w.mu.Unlock()
	w.ring()
}

func (w *waiters) find(token string) (event.LSN, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, ok := w.passed[token]
	return at, ok
}

// AwaitToken returns the position of the transaction that carried the token, once readers see its effects.
func (p *Pipeline) AwaitToken(ctx context.Context, token string) (event.LSN, error) {
	for {
		ch := p.position.channel()
		if at, ok := p.position.find(token); ok {
			return at, nil
		}
		select {
		case <-ch:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// AwaitPosition returns when readers see the effects of every transaction up to and including the position.
func (p *Pipeline) AwaitPosition(ctx context.Context, at event.LSN) error {
	return p.applied.until(ctx, func(h state.Head) bool { return h.Position >= at })
}
