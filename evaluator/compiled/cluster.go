package compiled

import "slices"

// visitClusters judges the clauses found by hash from a value of either side, where anything that they read differs.
func (s *scratch) visitClusters() {
	g := s.part.segment
	for _, a := range g.clustered {
		x, p := g.attributes[a].index, s.probe(a, after)
		if !s.differs(a) {
			s.visitFound(x, p)
			continue
		}
		q := s.probe(a, before)
		s.visitTurned(x, p, q, after)
		s.visitTurned(x, q, p, before)
	}
}

// visitFound judges clauses whose pin is the same on both sides.
func (s *scratch) visitFound(x *index, p *probe) {
	for _, n := range s.found[p.first:p.end] {
		e := &x.entries[n]
		if e.cluster == e.clusterEnd || e.clusterMask&(s.mask|clockBit) == 0 {
			continue
		}
		clauses := x.clusters[e.cluster:e.clusterEnd]
		for i := range clauses {
			h := &clauses[i]
			if h.timed {
				s.hashed = append(s.hashed, found{x, h})
			}
			if h.mask&s.mask != 0 {
				s.judgeHashed(x, h, true, true)
			}
		}
	}
}

// visitTurned judges the clauses that the value of one side leads to, whatever else they read: their pin differs.
func (s *scratch) visitTurned(x *index, p, other *probe, on side) {
	g := s.part.segment
	for _, n := range s.found[p.first:p.end] {
		e := &x.entries[n]
		if e.cluster == e.clusterEnd {
			continue
		}
		both := slices.Contains(s.found[other.first:other.end], n)
		if both && on == before {
			continue // the later side led there
		}
		clauses := x.clusters[e.cluster:e.clusterEnd]
		for i := range clauses {
			h := &clauses[i]
			was, is := both || on == before, both || on == after
			switch {
			case h.alone || both:
			case on == after:
				was = s.holds(g, g.literals[g.clauses[h.clause].end-1], before)
			default:
				is = s.holds(g, g.literals[g.clauses[h.clause].end-1], after)
			}
			if h.timed && on == after {
				s.hashed = append(s.hashed, found{x, h})
			}
			s.judgeHashed(x, h, was, is)
		}
	}
}

// judgeHashed compares a clause found by hash on both sides, given whether its pin holds.
func (s *scratch) judgeHashed(x *index, h *hashed, was, is bool) {
	was, is = s.compareHashed(x, h, was, is)
	if was == is {
		return
	}
	g := s.part.segment
	a := g.clauses[h.clause].audience
	if s.touched[a] == s.epoch || s.part.isDead(a) {
		return
	}
	if g.audiences[a].end-g.audiences[a].first > 1 {
		s.touch(a)
		return
	}
	s.touched[a] = s.epoch // it may be found again by another of its values
	s.tell(a, is)
}

// compareHashed judges what a clause asks beside its pin on both sides at once: most of it is the same on both.
func (s *scratch) compareHashed(x *index, h *hashed, was, is bool) (bool, bool) {
	g := s.part.segment
	checks := x.checks[h.first:h.end]
	for i := range checks {
		if !was && !is {
			return false, false
		}
		c := &checks[i]
		if c.valued() && !s.differs(c.attribute) {
			holds := s.passes(g, c, after)
			was, is = was && holds, is && holds
			continue
		}
		was, is = was && s.passes(g, c, before), is && s.passes(g, c, after)
	}
	if h.tree {
		trees := g.treesOf(&g.clauses[h.clause])
		for i := range trees {
			was, is = was && s.tree(g, &trees[i], before), is && s.tree(g, &trees[i], after)
		}
	}
	return was, is
}

// found is a clause that depends on the clock and was found by hash.
type found struct {
	index *index
	*hashed
}

// held reports whether everything holds on the later side that a clause asks beside its pin, the clock and its trees: else
// time alone does not turn it.
func (s *scratch) held(f found) bool {
	g := s.part.segment
	checks := f.index.checks[f.first:f.end]
	for i := range checks {
		c := &checks[i]
		timed := c.kind == checkAge || c.kind == checkOther && g.predicates[c.literal.predicate()].relative()
		if !timed && !s.passes(g, c, after) {
			return false
		}
	}
	return true
}
