package compiled

// popular is from how many clauses on a predicate that no lane can answer is judged for every change, as if it were an
// attribute of its own: as many are hardly ever all decided without it. What is asked by fewer is judged when one of
// them comes down to it.
const popular = 12

// markPopular finds the popular predicates.
func (g *segment) markPopular(r routing) {
	least := popular
	if r == everythingInLanes {
		least = 1
	}
	clauses := make([]int, len(g.predicates))
	for _, l := range g.literals {
		clauses[l.predicate()]++
	}
	for i := range g.predicates {
		p := &g.predicates[i]
		p.popular = clauses[i] >= least && p.op != opMember && !p.relative() && laneOf(p) == noLane
	}
}

// placeVerdicts makes the words of a vector that a predicate decides.
func (v *vector) placeVerdicts(shares []placed) {
	for verdict := range v.verdicts {
		v.verdicts[verdict] = make([]uint64, len(v.blocks))
	}
	for _, p := range shares {
		violating := 0
		if p.literals[0].negated() {
			violating = 1
		}
		v.verdicts[violating][p.bit>>6] |= 1 << (p.bit & 63)
	}
}

// fillVerdict adds the clauses to the planes that a popular predicate violates.
func (s *scratch) fillVerdict(v *vector) {
	was, is := s.verdictsOf(v)
	if was == is {
		v.collect(s.constant, v.verdicts[is])
		return
	}
	v.collect(s.earlier, v.verdicts[was])
	v.collect(s.later, v.verdicts[is])
}

func (s *scratch) verdictsOf(v *vector) (was, is uint64) {
	return s.recallBoth(s.part.segment.predicates[v.attribute].memo-1, 1, 1)
}
