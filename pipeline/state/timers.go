package state

import (
	"slices"
	"sync"

	"muster/evaluator"
)

// Due calls visit with each timer from one instant through another, earliest first, until it returns false. The clock
// is a good lower bound: timers that have fired leave tombstones, which a scan from the very start would have to skip.
func (v *View) Due(from, through evaluator.Instant, visit func(due evaluator.Instant, user string) bool) error {
	if from > through {
		return nil
	}
	lower := timerKey(nil, from, "")
	upper := after(timerKey(nil, through, ""))
	return v.walk(lower, upper, func(key, _ []byte) (bool, error) {
		due, user := parseTimerKey(key)
		return visit(due, user), nil
	})
}

// NextTimer returns the earliest timer at or after an instant; NoInstant when there is none.
func (v *View) NextTimer(from evaluator.Instant) (evaluator.Instant, error) {
	next := evaluator.NoInstant
	err := v.walk(timerKey(nil, from, ""), []byte{prefixTimer + 1}, func(key, _ []byte) (bool, error) {
		next, _ = parseTimerKey(key)
		return false, nil
	})
	return next, err
}

// Timers counts the pending timers. It reads all of them.
func (v *View) Timers() (n uint64, err error) {
	err = v.walk([]byte{prefixTimer}, []byte{prefixTimer + 1}, func(_, _ []byte) (bool, error) {
		n++
		return true, nil
	})
	return n, err
}

// earliest is an instant before which no timer is set. A timer that moves on, as one does with each change of its user,
// leaves a tombstone behind, in the place where the search for the next one begins: hundreds of thousands may lie
// there until Pebble gets to them. Each is passed once from there, and not once in every batch.
//
// One goroutine writes timers, several search. A timer becomes visible before it is noted here; whoever searches just then and
// finds a later one only raises the bound for as long as it takes the writer to lower it.
type earliest struct {
	mu       sync.Mutex
	instant  evaluator.Instant
	searches []*search
}

// search is one that is under way.
type search struct {
	from evaluator.Instant
	set  evaluator.Instant // the earliest timer that was set meanwhile
}

// note takes in that a timer is set.
func (e *earliest) note(due evaluator.Instant) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.instant = min(e.instant, due)
	for _, s := range e.searches {
		s.set = min(s.set, due)
	}
}

// begin begins a search at an instant before which the caller knows of no timer, or later.
func (e *earliest) begin(from evaluator.Instant) *search {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := &search{from: max(e.instant, from), set: evaluator.NoInstant}
	e.searches = append(e.searches, s)
	return s
}

// end ends a search that met no timer before an instant.
func (e *earliest) end(s *search, met evaluator.Instant) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.searches = slices.DeleteFunc(e.searches, func(other *search) bool { return other == s })
	e.instant = max(e.instant, min(met, s.set))
}

// Due is View's, for a caller that knows that no timer is set for before from.
func (s *Store) Due(from, through evaluator.Instant, visit func(due evaluator.Instant, user string) bool) error {
	search := s.earliest.begin(from)
	next := through + 1
	err := s.View.Due(search.from, through, func(due evaluator.Instant, user string) bool {
		next = min(next, due)
		return visit(due, user)
	})
	if err != nil {
		next = search.from
	}
	s.earliest.end(search, next)
	return err
}

// NextTimer is View's, for a caller that knows that no timer is set for before from.
func (s *Store) NextTimer(from evaluator.Instant) (evaluator.Instant, error) {
	search := s.earliest.begin(from)
	next, err := s.View.NextTimer(search.from)
	if err != nil {
		next = search.from
	}
	s.earliest.end(search, next)
	return next, err
}
