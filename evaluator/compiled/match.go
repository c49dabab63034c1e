package compiled

import "math/bits"

// match finds the audiences of the segment that hold: those that bits or hashed clauses decide go to s.outcome, those that
// refer to others are touched.
func (s *scratch) match() {
	g := s.part.segment
	if g.blocks > 0 {
		s.fillAll()
	}
	for block := range g.blocks {
		holding := g.used[block] &^ s.compute(block)[after]
		for ; holding != 0; holding &= holding - 1 {
			place := block*64 + bits.TrailingZeros64(holding)
			if owner := g.ownerAt[place]; owner >= 0 {
				s.enter(owner)
			} else if g.residual[block]>>(place%64)&1 == 0 {
				s.satisfied(^owner)
			} else {
				s.tryClause(&g.clauses[g.clauseAt[place]])
			}
		}
	}
	if !g.clustered {
		return
	}
	for a := range g.attributes {
		x := g.attributes[a].index
		if x == nil || len(x.clusters) == 0 {
			continue
		}
		p := s.probe(int32(a), after)
		for _, n := range s.found[p.first:p.end] {
			e := &x.entries[n]
			for _, c := range x.clusters[e.cluster:e.clusterEnd] {
				clause := &g.clauses[c]
				if clause.timed {
					s.hashed = append(s.hashed, c)
				}
				s.tryClause(clause)
			}
		}
	}
}

// enter notes that an audience holds.
func (s *scratch) enter(a int32) {
	if !s.part.isDead(a) {
		s.outcome = append(s.outcome, change{a, true})
	}
}

// satisfied notes that a clause of an audience holds, so that the audience does.
func (s *scratch) satisfied(a int32) {
	if s.touched[a] != s.epoch {
		s.touched[a] = s.epoch
		s.enter(a)
	}
}

func (s *scratch) tryClause(c *clause) {
	if s.touched[c.audience] != s.epoch && s.clause(c, after) {
		s.satisfied(c.audience)
	}
}
