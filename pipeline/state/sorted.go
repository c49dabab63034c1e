package state

import (
	"cmp"
	"slices"
	"strings"

	"muster/evaluator"
)

// sorted keeps the timers and index entries of a batch until it is written, and writes them in the order of their keys. For
// Pebble's memtable a key that follows the one before is a step, and any other one a search: in the order in which users
// change and events happen, that took a sixth of all the work of a change.
type sorted struct {
	timers  []timerMove
	indexes []indexMove
	size    int // bytes of keys, about
}

// timerMove is a timer that is set, or no longer is.
type timerMove struct {
	due  evaluator.Instant
	user string
	set  bool
}

// indexMove is an entry of an index that is set, or no longer is.
type indexMove struct {
	prefix   byte
	present  bool
	audience evaluator.AudienceID
	user     string
	tenant   string
	ordinal  int // of several for one key the last counts
}

func (s *sorted) timer(m timerMove) {
	s.timers = append(s.timers, m)
	s.size += 9 + len(m.user)
}

func (s *sorted) index(m indexMove) {
	s.indexes = append(s.indexes, m)
	s.size += 6 + len(m.user) + len(m.tenant)
}

func (s *sorted) write(b *Batch) error {
	slices.SortFunc(s.timers, func(x, y timerMove) int {
		return cmp.Or(cmp.Compare(x.due, y.due), strings.Compare(x.user, y.user))
	})
	for i := range s.timers {
		m := &s.timers[i]
		b.key = timerKey(b.key[:0], m.due, m.user)
		if err := b.mark(m.set); err != nil {
			return err
		}
	}
	slices.SortFunc(s.indexes, indexMove.compare)
	for i := range s.indexes {
		m := &s.indexes[i]
		b.key = memberKey(b.key[:0], m.prefix, m.audience, m.user, m.tenant)
		if err := b.mark(m.present); err != nil {
			return err
		}
	}
	return nil
}

// earliest is the first of the timers that are set, once they are in order.
func (s *sorted) earliest() evaluator.Instant {
	for i := range s.timers {
		if s.timers[i].set {
			return s.timers[i].due
		}
	}
	return evaluator.NoInstant
}

// reset empties s and keeps its memory for the next batch.
func (s *sorted) reset() {
	clear(s.timers)
	clear(s.indexes)
	*s = sorted{timers: s.timers[:0], indexes: s.indexes[:0]}
}

func (m indexMove) compare(n indexMove) int {
	switch {
	case m.prefix != n.prefix:
		return int(m.prefix) - int(n.prefix)
	case m.audience != n.audience:
		return cmp.Compare(m.audience, n.audience)
	case m.user != n.user:
		return strings.Compare(m.user, n.user)
	case m.tenant != n.tenant:
		return strings.Compare(m.tenant, n.tenant)
	}
	return m.ordinal - n.ordinal
}

// mark sets or deletes the key at hand, which has no value.
func (b *Batch) mark(present bool) error {
	if present {
		return b.set(b.key, nil)
	}
	return b.delete(b.key)
}
