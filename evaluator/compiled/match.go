package compiled

import "math/bits"

// match notes the audiences of the segment that hold.
func (s *scratch) match() {
	g := s.part.segment
	if len(g.groups) > 0 {
		s.fill()
	}
	for n := range g.groups {
		gr := &g.groups[n]
		if gr.kind == scattered {
			for holding := gr.used &^ s.violated[after][n]; holding != 0; holding &= holding - 1 {
				s.tryClause(&g.clauses[g.clauseAt[int(gr.first)*64+bits.TrailingZeros64(holding)]])
			}
			continue
		}
		for holding := s.part.live[n] &^ s.violated[after][n]; holding != 0; holding &= holding - 1 {
			a := gr.audience + int32(bits.TrailingZeros64(holding))
			if gr.kind == byBits || s.verdict(a, after) {
				s.judge.note(s.part.position[a], 1)
			}
		}
	}
	s.matchClusters()
}

func (s *scratch) matchClusters() {
	g := s.part.segment
	for _, a := range g.clustered {
		x, p := g.attributes[a].index, s.probe(a, after)
		for _, n := range s.found[p.first:p.end] {
			e := &x.entries[n]
			clauses := x.clusters[e.cluster:e.clusterEnd]
			for i := range clauses {
				h := &clauses[i]
				if h.timed {
					s.hashed = append(s.hashed, found{x, h})
				}
				s.tryClause(&g.clauses[h.clause])
			}
		}
	}
}

// tryClause notes the audience of a clause that was found, if it holds.
func (s *scratch) tryClause(c *clause) {
	if s.touched[c.audience] == s.epoch || s.part.isDead(c.audience) || !s.clause(c, after) {
		return
	}
	s.touched[c.audience] = s.epoch
	s.judge.note(s.part.position[c.audience], 1)
}
