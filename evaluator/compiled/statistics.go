package compiled

import (
	"sync"

	"muster/evaluator"
)

const (
	// sampleRows is how many rows make a sample: enough to see a value that one user in a thousand has.
	sampleRows = 8_192
	// maxValues bounds how many different values of one attribute a sample counts; what comes later is as rare as can be.
	maxValues = 20_000
	// driftShare is by how much of all users a frequency must move before clauses are routed anew.
	driftShare = 0.05
)

// Statistics is what is known of how often values occur, from samples of rows. It decides which clauses are found by hash.
// It is safe for concurrent use. The nil Statistics knows nothing.
type Statistics struct {
	mu       sync.Mutex
	rows     int
	counts   map[string]map[string]int // by attribute and value
	previous *snapshot                 // of the last full sample
	drift    bool
	key, at  []byte
}

// snapshot is a full sample.
type snapshot struct {
	rows   int
	counts map[string]map[string]int
}

// NewStatistics returns statistics that know nothing yet.
func NewStatistics() *Statistics { return &Statistics{counts: make(map[string]map[string]int)} }

// Observe counts the values of one row, those that the set asks for equality. Feed it a sample of the rows that pass, such
// as one in a hundred, or some thousands during a snapshot.
func (s *Statistics) Observe(set *Set, row *evaluator.Row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range set.base.segment.attributes {
		a := &set.base.segment.attributes[i]
		if a.index == nil || a.index.equal == nil {
			continue
		}
		if v := row.Read(a.source); v.IsScalar() {
			s.count(a.source, v)
		}
	}
	if s.rows++; s.rows == sampleRows {
		s.turn()
	}
}

func (s *Statistics) count(source evaluator.Source, v evaluator.Value) {
	s.at = appendSource(s.at[:0], source)
	values := s.counts[string(s.at)]
	if values == nil {
		values = make(map[string]int)
		s.counts[string(s.at)] = values
	}
	s.key = v.AppendKey(s.key[:0])
	if _, known := values[string(s.key)]; known || len(values) < maxValues {
		values[string(s.key)]++
	}
}

// turn ends a sample and notes whether it differs from the one before.
func (s *Statistics) turn() {
	full := &snapshot{s.rows, s.counts}
	s.drift = s.drift || s.previous == nil || full.differs(s.previous)
	s.previous = full
	s.rows, s.counts = 0, make(map[string]map[string]int)
}

func (s *snapshot) differs(o *snapshot) bool {
	for at, values := range s.counts {
		for v, n := range values {
			if d := float64(n)/float64(s.rows) - float64(o.counts[at][v])/float64(o.rows); d > driftShare || d < -driftShare {
				return true
			}
		}
	}
	return false
}

// drifted reports once that frequencies are known now, or have moved, since it was asked last.
func (s *Statistics) drifted() bool {
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.drift
	s.drift = false
	return d
}

// frequency is the share of users that have a value, and false while there is no sample of its attribute. A value that no
// row of the sample had counts as half a row.
func (s *Statistics) frequency(source evaluator.Source, v evaluator.Value) (float64, bool) {
	if s == nil {
		return 0, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.previous == nil {
		return 0, false
	}
	values := s.previous.counts[string(appendSource(nil, source))]
	if values == nil {
		return 0, false
	}
	return max(float64(values[string(v.AppendKey(nil))]), 0.5) / float64(s.previous.rows), true
}
