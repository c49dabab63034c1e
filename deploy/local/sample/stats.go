package sample

import (
	"maps"
	"time"
)

// Stats is what a load has done. Only what is committed counts.
type Stats struct {
	Changes      int64            // rows inserted, updated or deleted
	Transactions int64            // with at least one change
	Kinds        map[string]int64 // changes by kind
	Interrupted  int64            // transactions whose outcome is unknown, since the connection broke
	Elapsed      time.Duration    // from the load's beginning to now or its end
}

// Stats so far.
func (l *Load) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.stats
	s.Kinds = maps.Clone(s.Kinds)
	switch {
	case l.began.IsZero():
	case l.ended.IsZero():
		s.Elapsed = time.Since(l.began)
	default:
		s.Elapsed = l.ended.Sub(l.began)
	}
	return s
}

func (l *Load) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = time.Now()
}

func (l *Load) count(kinds map[string]int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var rows int64
	for kind, n := range kinds {
		if n > 0 {
			l.stats.Kinds[kind] += n
		}
		rows += n
	}
	l.stats.Changes += rows
	if rows > 0 {
		l.stats.Transactions++
	}
}

func (l *Load) changes() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats.Changes
}

func (l *Load) interrupted() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Interrupted++
}
