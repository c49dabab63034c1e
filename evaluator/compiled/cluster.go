package compiled

// visitClusters judges the clauses found by hash from a value of either side, where anything that they read differs.
func (s *scratch) visitClusters() {
	g := s.part.segment
	for a := range g.attributes {
		x := g.attributes[a].index
		if x == nil || len(x.clusters) == 0 {
			continue
		}
		p := s.probe(int32(a), after)
		if !s.differs(int32(a)) {
			s.visitFound(x, p, s.mask, true)
			continue
		}
		s.visitFound(x, p, ^uint64(0), true)
		s.visitFound(x, s.probe(int32(a), before), ^uint64(0), false)
	}
}

// visitFound judges the clauses of what one probe found that read any of mask.
func (s *scratch) visitFound(x *index, p *probe, mask uint64, later bool) {
	g := s.part.segment
	for _, n := range s.found[p.first:p.end] {
		e := &x.entries[n]
		if e.cluster == e.clusterEnd || e.clusterMask&(mask|clockBit) == 0 && mask != ^uint64(0) {
			continue
		}
		for _, c := range x.clusters[e.cluster:e.clusterEnd] {
			clause := &g.clauses[c]
			if clause.timed && later {
				s.hashed = append(s.hashed, c)
			}
			if clause.mask&mask != 0 || mask == ^uint64(0) {
				s.judgeClause(clause)
			}
		}
	}
}

// judgeClause compares a clause found by hash on both sides.
func (s *scratch) judgeClause(c *clause) {
	if s.touched[c.audience] == s.epoch || s.part.isDead(c.audience) {
		return
	}
	was, is := s.clause(c, before), s.clause(c, after)
	if was == is {
		return
	}
	a := &s.part.segment.audiences[c.audience]
	if a.end-a.first > 1 {
		s.touch(c.audience)
		return
	}
	s.touched[c.audience] = s.epoch // it may be found again by another of its values
	s.tell(c.audience, is)
}
