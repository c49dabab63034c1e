package pipeline

import (
	"sync/atomic"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// batch is a stretch of the log that is judged and committed as one: whole transactions, or no transaction but timers
// that are due before one, or a part of a large transaction.
type batch struct {
	transactions    []event.Transaction
	nows            []evaluator.Instant // of each transaction; ascending
	previous        evaluator.Instant   // the clock before the batch
	head            state.Head          // where the state stands after the batch
	origin          event.LSN           // where the state stood before
	originCommitted evaluator.Instant   // commit time of the transaction there
	snapshot        bool                // the transactions are chunks of a snapshot
	rebuild         bool                // of a snapshot that a rebuild takes, or the sweep after it
	reread          bool                // of the users table that is read again
	once            bool                // its users are walked through once, and not worth remembering
	retire          bool                // no record is judged by an earlier generation after the batch
	horizon         horizon

	subjects      []*subject
	spare         *spares
	byUser        map[string]*subject
	visited       atomic.Int64 // predicates looked at
	disagreements atomic.Int64 // verdicts that the stored membership already agreed with
	changes       int
}

// horizon is how far timers fire in a batch: in the order of (instant, user), up to and including this pair.
type horizon struct {
	instant evaluator.Instant
	user    string
	whole   bool // every user at that instant
}

// of returns the last instant at which a user's timer fires.
func (h horizon) of(user string) evaluator.Instant {
	if h.whole || user <= h.user {
		return h.instant
	}
	return h.instant - 1
}

func (b *batch) horizonOf(user string) evaluator.Instant { return b.horizon.of(user) }

// subject returns the subject of a user, adding it at first sight.
func (b *batch) subject(user string) *subject {
	if s := b.byUser[user]; s != nil {
		return s
	}
	s := b.spare.take(user)
	b.byUser[user] = s
	b.subjects = append(b.subjects, s)
	return s
}

// touch gives a change to the subject it concerns, unless the state has its effect already.
func (b *batch) touch(user string, t touch) {
	ofRow := t.op == event.Upsert || t.op == event.Delete
	if ofRow && !b.snapshot && known(&b.head, user, b.transactions[t.transaction].Commit) {
		return
	}
	s := b.subject(user)
	s.touches = append(s.touches, t)
}

// nowBefore is the clock just before transaction k.
func (b *batch) nowBefore(k int) evaluator.Instant {
	if k == 0 {
		return b.previous
	}
	return b.nows[k-1]
}

// rankAt is the rank of a timer: with the first transaction that passes it, or owed from before.
func (b *batch) rankAt(at evaluator.Instant) int {
	if at <= b.previous {
		return 0
	}
	for k, now := range b.nows {
		if now >= at {
			return k + 1
		}
	}
	return len(b.nows)
}

// rankOfGeneration is 1 when the batch's first transaction brought the generation, else it is owed from before.
func (b *batch) rankOfGeneration(g *generation) int {
	if len(b.transactions) > 0 && b.transactions[0].Commit == g.Position.LSN {
		return 1
	}
	return 0
}

// positionOf is the position of what happens at a rank, and the commit time of its transaction.
func (b *batch) positionOf(rank int) (event.Position, evaluator.Instant) {
	if rank == 0 {
		return event.Position{LSN: b.origin}, b.originCommitted
	}
	t := &b.transactions[rank-1]
	return event.Position{LSN: t.Commit}, t.Time
}
