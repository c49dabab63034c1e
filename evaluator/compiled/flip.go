package compiled

import (
	"math/bits"

	"muster/evaluator"
)

// patience is how many clauses are tried along the thresholds before the candidates themselves are gone through.
const patience = 256

// nextFlip returns the first instant after the later input's, and before limit, at which time alone changes the verdict of an
// audience of the segment; limit if there is none.
//
// Memberships of others are taken as they are: where a flip comes through a reference, the audience referred to flips at
// that instant, or earlier, itself, and is found there.
func (s *scratch) nextFlip(limit evaluator.Instant) evaluator.Instant {
	g := s.part.segment
	if g.timedLanes {
		s.fill()
	}
	for _, f := range s.hashed {
		if s.held(f) {
			limit = s.try(g.clauses[f.clause].audience, limit)
		}
	}
	for _, c := range g.irregular {
		limit = s.try(g.clauses[c].audience, limit)
	}
	if g.timedLanes {
		limit = s.walk(limit)
	}
	return limit
}

// candidates are the timed clauses of a block that nothing but the clock violates.
func (s *scratch) candidates(block uint32) uint64 {
	return s.part.segment.timed[block] &^ (s.constant[block] | s.later[block])
}

func (s *scratch) countCandidates() int {
	n := 0
	for block := range s.part.segment.timed {
		n += bits.OnesCount64(s.candidates(uint32(block)))
	}
	return n
}

// try returns the flip of an audience if it is before limit, and limit otherwise.
func (s *scratch) try(a int32, limit evaluator.Instant) evaluator.Instant {
	if s.tried[a] == s.epoch || s.part.isDead(a) {
		return limit
	}
	s.tried[a] = s.epoch
	return min(limit, s.flipOf(a))
}

// cursor is a place on a scale of ages, which time walks downwards.
type cursor struct {
	vector  *vector
	instant evaluator.Instant // the value
	moment  evaluator.Moment  // the same where it is far away
	far     bool
	rank    int32 // the next to be left
	at      evaluator.Instant
}

// walk goes along the thresholds that time is about to pass, the nearest first, and tries the candidates that each
// concerns. The first flip is usually a few thresholds away, however many candidates there are. When many were
// tried in vain, the candidates left are tried one by one: most of them have their thresholds behind them.
func (s *scratch) walk(limit evaluator.Instant) evaluator.Instant {
	s.placeCursors()
	passed, enough := 0, 0 // enough is worked out when it may be reached
	for {
		c := s.earliest()
		if c == nil || c.at >= limit {
			return limit
		}
		l := &c.vector.lanes[0]
		for _, bit := range l.toggles[l.starts[c.rank]:l.starts[c.rank+1]] {
			passed++
			block := c.vector.blocks[bit>>6]
			if s.candidates(block)>>(bit&63)&1 == 0 {
				continue
			}
			switch s.effect(block, bit&63) {
			case certain:
				return c.at
			case unclear:
				limit = s.try(s.clauseAt(int(block), int(bit&63)).audience, limit)
			}
		}
		if passed > patience && enough == 0 {
			enough = max(patience, 4*s.countCandidates())
		}
		if passed > patience && passed > enough {
			return s.tryAll(limit)
		}
		c.rank--
		c.settle()
	}
}

// effect is what it does to an audience that the clock turns one of its clauses.
type effect uint8

const (
	unclear effect = iota
	certain        // it flips
	without        // it does not: another clause holds whatever the time
)

// effect tells what it does when the clock turns a candidate before it flips any audience.
func (s *scratch) effect(block, bit uint32) effect {
	g := s.part.segment
	if g.plainTimed[block]>>bit&1 == 0 {
		return unclear
	}
	n := g.groupAt[block]
	gr := &g.groups[n]
	switch {
	case s.part.live[n]>>bit&1 == 0:
		return without
	case gr.size == 1:
		return certain
	case s.violated[after][n]>>bit&1 != 0: // its one clause that turns lets it in
		return certain
	}
	for i := range gr.size {
		if b := gr.block(i); (s.blocks[after][b]|g.timed[b])>>bit&1 == 0 {
			return without
		}
	}
	return unclear
}

func (s *scratch) clauseAt(block, bit int) *clause {
	g := s.part.segment
	return &g.clauses[g.clauseAt[block*64+bit]]
}

// placeCursors puts a cursor on each age that is a time.
func (s *scratch) placeCursors() {
	g := s.part.segment
	s.cursors = s.cursors[:0]
	for n := range g.vectors {
		v := &g.vectors[n]
		if v.kind != ageLane {
			continue
		}
		c := cursor{vector: v}
		value := s.value(g, v.attribute, after)
		if i, ok := value.Instant(); ok && near(i) && v.lanes[0].scale.micros != nil {
			c.instant = i
		} else if t, ok := value.Time(); ok && t.Finite() {
			c.moment, c.far = t, true
		} else {
			continue
		}
		_, c.rank = s.ageRanks(n)
		c.settle()
		s.cursors = append(s.cursors, c)
	}
}

// settle moves a cursor to the next rank whose leaving concerns any clause, and works out when it is left.
func (c *cursor) settle() {
	l := &c.vector.lanes[0]
	for c.rank > 0 && l.starts[c.rank] == l.starts[c.rank+1] {
		c.rank--
	}
	c.at = evaluator.NoInstant
	if c.rank <= 0 {
		return
	}
	threshold := (c.rank - 1) / 2
	if !c.far {
		c.at = c.instant - evaluator.Instant(l.scale.micros[threshold]) + evaluator.Instant(c.rank&1)
		return
	}
	// At an odd rank the value is a threshold's offset from now, and no longer is from the next microsecond on; at an even one
	// it is further away, and will be there when now is that far before it.
	left := c.moment.Add(-l.scale.offsets[threshold])
	if c.rank&1 != 0 {
		left = left.Next()
	}
	if at, ok := left.Instant(); ok {
		c.at = at
	}
}

// earliest returns the cursor that time passes first, or nil when there is none.
func (s *scratch) earliest() *cursor {
	var first *cursor
	for i := range s.cursors {
		if c := &s.cursors[i]; c.at != evaluator.NoInstant && (first == nil || c.at < first.at) {
			first = c
		}
	}
	return first
}

// tryAll tries every candidate.
func (s *scratch) tryAll(limit evaluator.Instant) evaluator.Instant {
	g := s.part.segment
	for block := range g.timed {
		for rest := s.candidates(uint32(block)); rest != 0; rest &= rest - 1 {
			limit = s.try(s.clauseAt(block, bits.TrailingZeros64(rest)).audience, limit)
		}
	}
	return limit
}
