package compiled

// visitClusters judges the clauses found by hash from a value of either side, where anything that they read differs.
func (s *scratch) visitClusters() {
	g := s.part.segment
	for _, a := range g.clustered {
		x, p := g.attributes[a].index, s.probe(a, after)
		if !s.differs(a) {
			s.visitFound(x, p, s.mask, true)
			continue
		}
		s.visitFound(x, p, anything, true)
		s.visitFound(x, s.probe(a, before), anything, false)
	}
}

// anything is the mask of a clause whose pin differs: whatever else it reads, it is judged.
const anything = ^uint64(0)

// visitFound judges the clauses of what one probe found that read any of mask.
func (s *scratch) visitFound(x *index, p *probe, mask uint64, later bool) {
	g := s.part.segment
	for _, n := range s.found[p.first:p.end] {
		e := &x.entries[n]
		if e.cluster == e.clusterEnd || mask != anything && e.clusterMask&(mask|clockBit) == 0 {
			continue
		}
		for _, h := range x.clusters[e.cluster:e.clusterEnd] {
			if h.timed && later {
				s.hashed = append(s.hashed, h.clause)
			}
			if h.mask&mask != 0 || mask == anything {
				s.judgeHashed(&g.clauses[h.clause], mask == anything)
			}
		}
	}
}

// judgeHashed compares a clause found by hash on both sides.
func (s *scratch) judgeHashed(c *clause, pinDiffers bool) {
	was, is := s.compareHashed(c, pinDiffers)
	if was == is || s.touched[c.audience] == s.epoch || s.part.isDead(c.audience) {
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

// compareHashed judges a clause found by hash on both sides at once: most of what it asks is the same on both.
func (s *scratch) compareHashed(c *clause, pinDiffers bool) (was, is bool) {
	g := s.part.segment
	was, is = true, true
	if pinDiffers {
		pin := g.literals[c.end-1]
		was, is = s.holds(g, pin, before), s.holds(g, pin, after)
	}
	for _, l := range g.literals[c.first:c.beyond] {
		if !was && !is {
			return false, false
		}
		if p := &g.predicates[l.predicate()]; p.argument == argConstant && p.attribute != none && !s.differs(p.attribute) {
			holds := s.holds(g, l, after)
			was, is = was && holds, is && holds
		} else {
			was, is = was && s.holds(g, l, before), is && s.holds(g, l, after)
		}
	}
	trees := g.treesOf(c)
	for i := range trees {
		was, is = was && s.tree(g, &trees[i], before), is && s.tree(g, &trees[i], after)
	}
	return was, is
}
