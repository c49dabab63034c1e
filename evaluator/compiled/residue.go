package compiled

import "math/bits"

// question is what a clause asks beyond its lanes. Most ask one thing, which is found here without a look at clause, literal
// and predicate: those of an audience are neighbours of those of the next.
type question struct {
	index   int32 // a memo or a reference
	kind    questionKind
	negated uint8 // 1 when the answer is the opposite
}

type questionKind uint8

const (
	asksNothing questionKind = iota
	asksMemo                 // a predicate whose verdict is remembered
	asksMember               // membership in another audience
	asksMore
)

// finishResidue lists the questions of a group's clauses, those of one audience after those of another.
func (g *segment) finishResidue(gr *group) {
	gr.asks = make([]uint64, gr.size)
	for bit := range bits.Len64(gr.used) {
		a := &g.audiences[int(gr.audience)+bit]
		for i := range a.end - a.first {
			q := g.questionOf(&g.clauses[a.first+i])
			gr.questions = append(gr.questions, q)
			if q.kind != asksNothing {
				gr.asks[i] |= 1 << bit
			}
		}
		if a.whole {
			gr.whole |= 1 << bit
		}
	}
}

func (g *segment) questionOf(c *clause) question {
	switch {
	case !c.residual():
		return question{kind: asksNothing}
	case c.tree != 0 || c.beyond-c.first > 1:
		return question{kind: asksMore}
	}
	l := g.literals[c.first]
	var q question
	switch p := &g.predicates[l.predicate()]; {
	case p.op == opMember:
		q = question{kind: asksMember, index: p.reference}
	case p.memo != 0:
		q = question{kind: asksMemo, index: p.memo - 1}
	default:
		return question{kind: asksMore}
	}
	if l.negated() {
		q.negated = 1
	}
	return q
}

// visitResidual compares the audiences of a group that have conditions beyond the lanes: those that the lanes let through on
// some side, if the lanes' verdict or what those conditions read differs. It works on the words of 64 audiences, and looks at
// the questions of those only that their other clauses do not decide.
func (s *scratch) visitResidual(n int) {
	gr, m := &s.part.segment.groups[n], &s.part.members[n-s.part.segment.bitGroups]
	var flipped uint64
	var free, holds pair // free are audiences that a clause without a question lets in
	differ := s.asking[n]
	s.asking[n] = 0
	for i, asks := range gr.asks {
		b := gr.block(i)
		w := s.blocks.at(b)
		flipped |= w[before] ^ w[after]
		differ |= s.residue[b]
		s.residue[b] = 0
		free[before] |= ^w[before] &^ asks
		free[after] |= ^w[after] &^ asks
	}
	through := (flipped | differ) & s.part.live[n] &^ (s.violated[before][n] & s.violated[after][n])
	if through &^= free[before] & free[after]; through == 0 {
		return
	}
	holds = free
	for i, asks := range gr.asks {
		w := s.blocks.at(gr.block(i))
		open := through & asks &^ (w[before] & w[after]) &^ (holds[before] & holds[after])
		for members := open & m.clauses[i]; members != 0; members &= members - 1 {
			bit := bits.TrailingZeros64(members)
			q := &m.questions[bit*gr.size+i]
			v := s.judge.parts[q.part].groupViolated(q.group)
			holds[before] |= (v[before]>>q.bit ^ q.holds) & (^w[before] >> bit) & 1 << bit
			holds[after] |= (v[after]>>q.bit ^ q.holds) & (^w[after] >> bit) & 1 << bit
		}
		for open &^= m.clauses[i]; open != 0; open &= open - 1 {
			bit := bits.TrailingZeros64(open)
			was, is := s.answer(gr, bit, i, ^w[before]>>bit&1, ^w[after]>>bit&1)
			holds[before] |= was << bit
			holds[after] |= is << bit
		}
	}
	owned := flipped & gr.whole // some literal in the lanes flipped, and it is one of the audience's own conditions
	for changed := (holds[before] ^ holds[after]) & through; changed != 0; changed &= changed - 1 {
		bit := bits.TrailingZeros64(changed)
		a := gr.audience + int32(bit)
		s.tell(a, holds[after]>>bit&1 != 0)
		s.judge.credit(s.part.position[a], owned>>bit&1)
	}
}

// answer answers the question of a clause on the sides where its lanes let it through: those of had and has that are 1.
func (s *scratch) answer(gr *group, bit, clause int, had, has uint64) (was, is uint64) {
	q := &gr.questions[bit*gr.size+clause]
	switch q.kind {
	case asksMemo:
		was, is = s.recallBoth(q.index, had, has)
	case asksMember:
		was, is = s.memberBoth(q.index, had, has)
	default:
		g := s.part.segment
		c := &g.clauses[g.audiences[int(gr.audience)+bit].first+int32(clause)]
		if had != 0 {
			was = oneIf(s.beyond(c, before))
		}
		if has != 0 {
			is = oneIf(s.beyond(c, after))
		}
	}
	return (was ^ uint64(q.negated)) & had, (is ^ uint64(q.negated)) & has
}

func oneIf(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// recallBoth is the verdict of a predicate that is remembered, on the sides asked for.
func (s *scratch) recallBoth(memo int32, had, has uint64) (was, is uint64) {
	g := s.part.segment
	if g.remembered[memo].mask&s.mask == 0 {
		is = oneIf(s.recall(g, memo, after))
		return is, is
	}
	if had != 0 {
		was = oneIf(s.recall(g, memo, before))
	}
	if has != 0 {
		is = oneIf(s.recall(g, memo, after))
	}
	return was, is
}

// memberBoth is the answer to a question about another audience, on the sides asked for.
func (s *scratch) memberBoth(reference int32, had, has uint64) (was, is uint64) {
	if had != 0 {
		was = oneIf(s.member(reference, before))
	}
	if has != 0 {
		is = oneIf(s.member(reference, after))
	}
	return was, is
}

// members are the questions of a group about memberships that are bits: they are answered without a branch.
type members struct {
	clauses   []uint64 // by clause: the audiences that ask one
	questions []memberBit
}

// memberBit is a question about the audience at a bit of a group.
type memberBit struct {
	group int32
	part  uint8
	bit   uint8
	holds uint64 // 1 when those pass who are a member: whose audience is not violated
}

// listMembers finds the questions about bits among those of the groups.
func (p *part) listMembers() {
	g := p.segment
	p.members = make([]members, len(g.groups)-g.bitGroups)
	for n := range p.members {
		gr := &g.groups[g.bitGroups+n]
		if gr.kind != byResidue {
			continue
		}
		m := &p.members[n]
		m.clauses, m.questions = make([]uint64, len(gr.asks)), make([]memberBit, len(gr.questions))
		for i, q := range gr.questions {
			if q.kind != asksMember || p.targets[q.index].kind != targetBit {
				continue
			}
			t := &p.targets[q.index]
			m.clauses[i%gr.size] |= 1 << (i / gr.size)
			m.questions[i] = memberBit{t.group, uint8(t.part), t.bit, 1 ^ uint64(q.negated)}
		}
	}
}
