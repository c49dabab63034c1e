package compiled

import "math/bits"

// question is what a clause asks beyond its lanes. Most ask one thing, which is found here without a look at clause, literal
// and predicate: those of an audience are neighbours of those of the next.
type question struct {
	kind    questionKind
	negated bool
	index   int32 // a memo or a reference
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
	for bit := range bits.Len64(gr.used) {
		a := &g.audiences[int(gr.audience)+bit]
		for c := a.first; c < a.end; c++ {
			gr.questions = append(gr.questions, g.questionOf(&g.clauses[c]))
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
	switch p := &g.predicates[l.predicate()]; {
	case p.op == opMember:
		return question{asksMember, l.negated(), p.reference}
	case p.memo != 0:
		return question{asksMemo, l.negated(), p.memo - 1}
	}
	return question{kind: asksMore}
}

// visitResidual compares the audiences of a group that have conditions beyond the lanes: those that the lanes let through on
// some side, if the lanes' verdict or what those conditions read differs.
func (s *scratch) visitResidual(n int) {
	gr := &s.part.segment.groups[n]
	violated := s.violated(n)
	var flipped, residue uint64
	for b := gr.first; b < gr.end; b++ {
		flipped |= s.blocks[b][before] ^ s.blocks[b][after]
		residue |= s.residue[b]
		s.residue[b] = 0
	}
	owned := flipped & gr.whole // some literal in the lanes flipped, and it is one of the audience's own conditions
	through := (flipped | residue) & s.part.live[n] &^ (violated[before] & violated[after])
	for ; through != 0; through &= through - 1 {
		bit := bits.TrailingZeros64(through)
		if was, is := s.compareBit(gr, bit); was != is {
			a := gr.audience + int32(bit)
			s.tell(a, is)
			s.judge.credit(s.part.position[a], owned>>bit&1)
		}
	}
}

// compareBit judges an audience of a group on both sides.
func (s *scratch) compareBit(gr *group, bit int) (was, is bool) {
	size := int(gr.end - gr.first)
	questions := gr.questions[bit*size:][:size]
	for i := 0; i < size && !(was && is); i++ {
		w := &s.blocks[int(gr.first)+i]
		had, has := w[before]>>bit&1 == 0, w[after]>>bit&1 == 0
		if q := &questions[i]; q.kind == asksMore {
			g := s.part.segment
			c := g.audiences[int(gr.audience)+bit].first + int32(i)
			was, is = was || had && s.beyond(&g.clauses[c], before), is || has && s.beyond(&g.clauses[c], after)
		} else {
			was, is = was || had && s.answer(q, before), is || has && s.answer(q, after)
		}
	}
	return was, is
}

// answer answers a question that is one thing at most.
func (s *scratch) answer(q *question, on side) bool {
	switch q.kind {
	case asksMemo:
		return s.recall(s.part.segment, q.index, on) != q.negated
	case asksMember:
		return s.member(q.index, on) != q.negated
	}
	return true
}
