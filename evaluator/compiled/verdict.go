package compiled

// clause judges one clause on one side.
func (s *scratch) clause(c *clause, on side) bool {
	g := s.part.segment
	if c.place != none {
		block := c.place / 64
		s.fill()
		if s.blocks[on&1][block]>>(c.place%64)&1 != 0 {
			return false
		}
	} else if !s.holds(g, g.literals[c.end-1], on) { // the pin
		return false
	}
	return s.beyond(c, on)
}

// beyond judges what a clause asks beyond its lanes or its pin.
func (s *scratch) beyond(c *clause, on side) bool {
	g := s.part.segment
	for _, l := range g.literals[c.first:c.beyond] {
		if !s.holds(g, l, on) {
			return false
		}
	}
	trees := g.treesOf(c)
	for i := range trees {
		if !s.tree(g, &trees[i], on) {
			return false
		}
	}
	return true
}

// verdict judges an audience on one side, whatever its clauses are. It is remembered.
func (s *scratch) verdict(a int32, on side) bool {
	v := &s.verdicts[a]
	if v.epoch[on&1] != s.epoch {
		v.epoch[on&1], v.holds[on&1] = s.epoch, s.judgeAudience(a, on)
	}
	return v.holds[on&1]
}

func (s *scratch) judgeAudience(a int32, on side) bool {
	g := s.part.segment
	if n := g.groupOf[a]; n != none {
		gr := &g.groups[n]
		if violated := s.groupViolated(n)[on&1] >> (a - gr.audience) & 1; violated != 0 || gr.kind == byBits {
			return violated == 0
		}
	}
	for c := g.audiences[a].first; c < g.audiences[a].end; c++ {
		if s.clause(&g.clauses[c], on) {
			return true
		}
	}
	return false
}

// member is the answer to a question about another audience.
func (s *scratch) member(reference int32, on side) bool {
	t := &s.part.targets[reference]
	switch t.kind {
	case targetGiven:
		return isGiven(s.inputs[on].Given, *t.given)
	case targetBit:
		return s.judge.parts[t.part].groupViolated(t.group)[on&1]>>t.bit&1 == 0
	case targetJudged:
		return s.judge.parts[t.part].verdict(t.audience, on)
	}
	return false
}

// own reports whether a change of an audience is its own: a condition of it that asks about no other audience has another
// verdict, or none that asks does either, which is so where a user who appears satisfies nothing but negations. For a user
// who is absent every condition is false.
func (s *scratch) own(a *audience) bool {
	for i := range a.leaves {
		if a.leaves[i].mask&s.mask != 0 && s.leaf(&a.leaves[i], before) != s.leaf(&a.leaves[i], after) {
			return true
		}
	}
	for _, r := range a.asks {
		if s.member(r, before) != s.member(r, after) {
			return false
		}
	}
	return true
}

// ownAlone is own where one side has no row: the other is the later one to a judge.
func (s *scratch) ownAlone(a *audience) bool {
	for i := range a.leaves {
		if s.leaf(&a.leaves[i], after) {
			return true
		}
	}
	for _, r := range a.asks {
		if s.member(r, after) {
			return false
		}
	}
	return true
}

func (s *scratch) leaf(l *leaf, on side) bool {
	g := s.part.segment
	holds := s.holds(g, literalOf(l.first, false), on)
	if l.second != none {
		holds = holds && s.holds(g, literalOf(l.second, false), on)
	}
	return holds != l.negated
}
