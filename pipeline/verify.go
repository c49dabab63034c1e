package pipeline

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"muster/evaluator"
	"muster/pipeline/event"
)

// ErrPassed is returned by ReadAt when transactions after the position are applied already. Ask for a later one.
var ErrPassed = errors.New("the state is beyond that position")

// cuts are the positions at which somebody wants to see the state, neither earlier nor later. Whoever compares the state
// with another view of the database needs the very point of that view: the order in which Postgres makes commits visible
// is not the order of the log, so no two moments that merely lie close together compare without false alarms.
type cuts struct {
	active atomic.Int32 // wishes and lags: nothing is locked or waited for while there are none
	mu     sync.Mutex
	lag    time.Duration
	wanted []*cut
	*wake  // a wish was added, or the lag is over
}

// cut is one wish.
type cut struct {
	at    event.LSN
	taken chan reached // holds one
}

type reached struct {
	reading *Reading
	err     error
}

// Lag makes the pipeline apply what it reads that much later, until release is called. A position that becomes known within
// that time, such as the point of a snapshot that is just being made, is then still ahead of the state. Throughput
// stays; it is not meant to last.
func (p *Pipeline) Lag(by time.Duration) (release func()) {
	c := &p.cuts
	c.mu.Lock()
	c.lag = max(c.lag, by)
	c.mu.Unlock()
	c.active.Add(1)
	var once sync.Once
	return func() {
		once.Do(func() {
			c.mu.Lock()
			c.lag = 0
			c.mu.Unlock()
			c.active.Add(-1)
			c.ring()
		})
	}
}

// ReadAt returns a reading of the state with the effects of every transaction up to and including a position and of none
// after it. It waits until a transaction after the position arrives, which shows that the state has all before; on an idle
// database the caller lets the source write one (Source.Tick). It returns ErrPassed when the position lies behind.
func (p *Pipeline) ReadAt(ctx context.Context, at event.LSN) (*Reading, error) {
	c := &p.cuts
	wish := &cut{at: at, taken: make(chan reached, 1)}
	c.mu.Lock()
	c.wanted = append(c.wanted, wish)
	c.mu.Unlock()
	c.active.Add(1)
	c.ring()
	select {
	case got := <-wish.taken:
		return got.reading, got.err
	case <-ctx.Done():
	}
	c.mu.Lock()
	if i := slices.Index(c.wanted, wish); i >= 0 {
		c.wanted = slices.Delete(c.wanted, i, i+1)
		c.active.Add(-1)
	}
	c.mu.Unlock()
	select {
	case got := <-wish.taken: // taken while ctx ended
		if got.reading != nil {
			return nil, errors.Join(context.Cause(ctx), got.reading.Close())
		}
	default:
	}
	return nil, context.Cause(ctx)
}

// cutBefore shows the state to those who want it as it is before the queue's first transaction. It then sets
// aside what lies beyond the next position wanted, so that no batch reaches over it; the caller puts that back.
func (p *Pipeline) cutBefore(ctx context.Context, q *queue) (aside [][]event.Transaction, err error) {
	c := &p.cuts
	if c.active.Load() == 0 {
		return nil, nil
	}
	if err := c.wait(ctx); err != nil {
		return nil, err
	}
	t := q.first()
	c.mu.Lock()
	defer c.mu.Unlock()
	next := event.LSN(0)
	c.wanted = slices.DeleteFunc(c.wanted, func(wish *cut) bool {
		if wish.at >= t.Commit {
			if next == 0 || wish.at < next {
				next = wish.at
			}
			return false
		}
		c.active.Add(-1)
		if p.head.Position > wish.at || p.head.Known > wish.at {
			wish.taken <- reached{err: ErrPassed}
		} else {
			wish.taken <- reached{reading: &Reading{p.store.Snapshot(), p.head, p.catalogue.current()}}
		}
		return true
	})
	if next == 0 || isLarge(t) { // a large transaction is applied by itself anyway
		return nil, nil
	}
	return q.splitAfter(next), nil
}

// wait holds the run loop back for the lag, or until somebody says what they want.
func (c *cuts) wait(ctx context.Context) error {
	woken := c.channel()
	c.mu.Lock()
	lag := c.lag
	if len(c.wanted) > 0 {
		lag = 0
	}
	c.mu.Unlock()
	if lag == 0 {
		return nil
	}
	return sleep(ctx, lag, woken)
}

// splitAfter takes the transactions after a position off the queue.
func (q *queue) splitAfter(at event.LSN) (after [][]event.Transaction) {
	for i, chunk := range q.chunks {
		for j := range chunk {
			if chunk[j].Commit <= at {
				continue
			}
			after = append(after, chunk[j:])
			after = append(after, q.chunks[i+1:]...)
			q.chunks = q.chunks[:i:i]
			if j > 0 {
				q.chunks = append(q.chunks, chunk[:j:j])
			}
			q.changes -= changesIn(after)
			return after
		}
	}
	return nil
}

// putBack appends what splitAfter took.
func (q *queue) putBack(after [][]event.Transaction) {
	q.chunks = append(q.chunks, after...)
	q.changes += changesIn(after)
}

func changesIn(chunks [][]event.Transaction) (n int) {
	for _, chunk := range chunks {
		for i := range chunk {
			n += len(chunk[i].Changes)
		}
	}
	return n
}

// Sequence is that of the last event the reading has.
func (r *Reading) Sequence() uint64 { return r.head.Sequence }

// Backfilling reports whether users are still being brought to the definitions in force, or to a new shape of their
// table: until that is done, the memberships of some are those of before.
func (r *Reading) Backfilling() bool { return r.head.Backfill.Running || r.head.Reread.Wanted }

// Keys returns the key of every audience id that the state has given out, also of audiences no longer in force.
func (r *Reading) Keys() (map[evaluator.AudienceID]string, error) {
	list, err := r.snapshot.Audiences()
	if err != nil {
		return nil, err
	}
	keys := make(map[evaluator.AudienceID]string, len(list))
	for i := range list {
		keys[list[i].ID] = list[i].Key
	}
	return keys, nil
}

// Undelivered calls visit with each event that a sink had not taken yet when the reading was made.
func (r *Reading) Undelivered(sink string, visit func(*event.Event)) error {
	cursor, err := r.snapshot.Cursor(sink)
	if err != nil {
		return err
	}
	const bytes = 4 << 20
	for after := cursor.Delivered; after < r.head.Sequence; {
		events, err := r.snapshot.Outbox(nil, after+1, r.head.Sequence, bytes)
		if err != nil || len(events) == 0 {
			return err
		}
		for i := range events {
			visit(&events[i])
		}
		after = events[len(events)-1].Sequence
	}
	return nil
}
