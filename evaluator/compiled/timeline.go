package compiled

import (
	"slices"

	"muster/evaluator"
)

// span is the time during which a clause holds, from now on, as far as the clock is concerned: one stretch, for each
// condition on the clock holds from an instant on or up to one.
type span struct {
	from, to evaluator.Instant // from inclusive, to exclusive; from is at most now when it holds already
}

// flipOf returns the first instant at which the clock changes the verdict of an audience.
func (s *scratch) flipOf(a int32) evaluator.Instant {
	g := s.part.segment
	s.spans = s.spans[:0]
	for c := g.audiences[a].first; c < g.audiences[a].end; c++ {
		clause := &g.clauses[c]
		if clause.timed && clause.tree != 0 && g.treesTimed(clause) {
			return s.irregularFlip(a)
		}
		if sp, ok := s.spanOf(clause); ok {
			s.spans = append(s.spans, sp)
		}
	}
	return firstFlip(s.spans, s.inputs[after].Now)
}

// firstFlip returns when the union of spans next begins or ends.
func firstFlip(spans []span, now evaluator.Instant) evaluator.Instant {
	end := now
	for extended := true; extended; {
		extended = false
		for _, sp := range spans {
			if sp.from <= end && sp.to > end {
				end, extended = sp.to, true
			}
		}
	}
	if end > now {
		return end
	}
	begin := evaluator.NoInstant
	for _, sp := range spans {
		if sp.from < sp.to {
			begin = min(begin, sp.from)
		}
	}
	return begin
}

// spanOf returns when a clause holds, and false when it will not whatever the time.
func (s *scratch) spanOf(c *clause) (span, bool) {
	sp := span{evaluator.NegativeInfinity, evaluator.Infinity}
	if !c.timed {
		return sp, s.clause(c, after)
	}
	g := s.part.segment
	if c.place != none && s.candidates(uint32(c.place/64))>>(c.place%64)&1 == 0 {
		return sp, false
	}
	for i, l := range g.literals[c.first:c.end] {
		p := &g.predicates[l.predicate()]
		if !p.relative() {
			laned := c.place != none && c.first+uint32(i) >= c.beyond // that it holds is known
			if !laned && !s.holds(g, l, after) {
				return sp, false
			}
			continue
		}
		if !sp.cut(s, p, l.negated()) || sp.to <= sp.from {
			return sp, false
		}
	}
	trees := g.treesOf(c)
	for i := range trees {
		if !s.tree(g, &trees[i], after) {
			return sp, false
		}
	}
	return sp, sp.to > s.inputs[after].Now
}

// cut shortens a span to when a condition on the clock holds, and returns false when it never will.
func (sp *span) cut(s *scratch, p *predicate, negated bool) bool {
	at, rises, holds := s.turn(p, negated)
	switch {
	case holds && !rises:
		sp.to = min(sp.to, at)
	case !holds && rises:
		sp.from = max(sp.from, at)
	}
	return holds || rises && at != evaluator.NoInstant
}

// turn returns what the clock does to a condition on it: whether it holds now, and at which instant that ends, or begins
// (rises). The instant is NoInstant where it does neither.
func (s *scratch) turn(p *predicate, negated bool) (at evaluator.Instant, rises, holds bool) {
	v, ok := s.value(s.part.segment, p.attribute, after).Time()
	if !ok {
		return evaluator.NoInstant, false, negated
	}
	limit := s.inputs[after].Now.Moment().Add(p.offset)
	holds = p.compareMoments(v, limit) != negated
	rises = (p.op == opOnOrAfter) == negated
	if holds == rises { // it began in the past, or ended there
		return evaluator.NoInstant, rises, holds
	}
	turn := v.Add(-p.offset)
	if p.op != opOnOrBefore {
		turn = turn.Next()
	}
	at, ok = turn.Instant()
	if !ok || !at.Finite() {
		at = evaluator.NoInstant
	}
	return at, rises, holds
}

// treesTimed reports whether what a clause could not expand depends on the clock.
func (g *segment) treesTimed(c *clause) bool {
	timed := false
	trees := g.treesOf(c)
	for i := range trees {
		g.eachOfTree(&trees[i], func(p int32) { timed = timed || g.predicates[p].relative() })
	}
	return timed
}

// timeline is a verdict over time: what it is now, and the instants at which it turns.
type timeline struct {
	holds bool
	turns []evaluator.Instant // ascending, without repetition
}

// irregularFlip works out the verdict of an audience over all time to come, for one whose clauses hold conditions on the
// clock in trees.
func (s *scratch) irregularFlip(a int32) evaluator.Instant {
	g := s.part.segment
	lines := make([]timeline, 0, g.audiences[a].end-g.audiences[a].first)
	for c := g.audiences[a].first; c < g.audiences[a].end; c++ {
		clause := &g.clauses[c]
		var factors []timeline
		for _, l := range g.literals[clause.first:clause.end] {
			factors = append(factors, s.literalLine(l))
		}
		trees := g.treesOf(clause)
		for i := range trees {
			factors = append(factors, s.treeLine(&trees[i]))
		}
		lines = append(lines, combine(factors, len(factors)))
	}
	if line := combine(lines, 1); len(line.turns) > 0 {
		return line.turns[0]
	}
	return evaluator.NoInstant
}

func (s *scratch) literalLine(l literal) timeline {
	g := s.part.segment
	p := &g.predicates[l.predicate()]
	if !p.relative() {
		return timeline{holds: s.holds(g, l, after)}
	}
	at, _, holds := s.turn(p, l.negated())
	if at == evaluator.NoInstant {
		return timeline{holds: holds}
	}
	return timeline{holds, []evaluator.Instant{at}}
}

func (s *scratch) treeLine(n *node) timeline {
	if n.kind == isLiteral {
		return s.literalLine(n.literal)
	}
	lines := make([]timeline, len(n.children))
	for i := range n.children {
		lines[i] = s.treeLine(&n.children[i])
	}
	if n.kind == isAll {
		return combine(lines, len(lines))
	}
	return combine(lines, 1)
}

// combine returns when at least so many of lines hold: all of them for an "all", one for an "any".
func combine(lines []timeline, least int) timeline {
	holding := 0
	type turn struct {
		at   evaluator.Instant
		step int
	}
	var turns []turn
	for i := range lines {
		step := 1
		if lines[i].holds {
			holding++
			step = -1
		}
		for _, at := range lines[i].turns {
			turns = append(turns, turn{at, step})
			step = -step
		}
	}
	line := timeline{holds: holding >= least}
	slices.SortFunc(turns, func(a, b turn) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	is := line.holds
	for i := 0; i < len(turns); {
		at := turns[i].at
		for ; i < len(turns) && turns[i].at == at; i++ {
			holding += turns[i].step
		}
		if now := holding >= least; now != is {
			line.turns = append(line.turns, at)
			is = now
		}
	}
	return line
}
