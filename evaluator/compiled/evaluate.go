package compiled

import (
	"strings"

	"muster/evaluator"
)

// side says which of the two inputs of a Diff is meant. A Match has only the later one.
type side uint8

const (
	before side = iota
	after
)

// holds is the verdict of a literal on one side.
func (s *scratch) holds(g *segment, l literal, on side) bool {
	p := &g.predicates[l.predicate()]
	if p.memo == 0 {
		return s.evaluate(g, p, on) != l.negated()
	}
	return s.recall(g, p.memo-1, on) != l.negated()
}

// recall is the verdict of a predicate that is remembered.
func (s *scratch) recall(g *segment, memo int32, on side) bool {
	r := &g.remembered[memo]
	if r.mask&s.mask == 0 {
		on = after // it is the same on both
	}
	m := &s.memos[memo]
	if m.epoch[on&1] != s.epoch {
		m.epoch[on&1], m.holds[on&1] = s.epoch, s.evaluate(g, &g.predicates[r.predicate], on)
	}
	return m.holds[on&1]
}

// evaluate judges one predicate by itself, without any index. It is how residues, clustered clauses and flips are judged.
func (s *scratch) evaluate(g *segment, p *predicate, on side) bool {
	s.looked++
	switch p.op {
	case opMember:
		return s.member(p.reference, on)
	case opSample:
		return p.sample.Covers(s.sampleHash(p.seed, on))
	}
	v := s.value(g, p.attribute, on)
	if p.argument == argConstant {
		return p.compareConstant(v)
	}
	if p.argument == argRelative {
		limit := s.inputs[on].Now.Moment().Add(p.offset)
		t, ok := v.Time()
		return ok && p.compareMoments(t, limit)
	}
	return p.compare(v, s.value(g, p.other, on))
}

// compareConstant compares a value with the constant argument, whose preparation it makes use of.
func (p *predicate) compareConstant(v evaluator.Value) bool {
	switch p.op {
	case opEqual:
		return evaluator.Equal(v, p.value, p.fold)
	case opEqualAny:
		if p.items != nil {
			return p.items.has(v)
		}
	case opGreater, opGreaterOrEqual, opLess, opLessOrEqual:
		order, ordered := p.orderConstant(v)
		return ordered && p.op.accepts(order)
	case opMatches:
		return v.Kind() == evaluator.KindString && strings.Contains(v.Text(), p.required) && p.pattern.MatchString(v.Text())
	case opEmpty:
		return evaluator.Empty(v)
	case opExists:
		return !v.IsNull()
	case opIsTimestamp:
		_, ok := v.Time()
		return ok
	case opBefore, opOnOrAfter, opOnOrBefore:
		t, ok := v.Time()
		return ok && p.compareMoments(t, p.moment)
	}
	return p.compare(v, p.value)
}

// orderConstant is evaluator.Order with the kind of the argument known.
func (p *predicate) orderConstant(v evaluator.Value) (int, bool) {
	switch p.order {
	case evaluator.NumericOrder:
		n, ok := v.Numeric()
		if !ok || n.IsNaN() {
			return 0, false
		}
		return n.Compare(p.number), true
	case evaluator.InstantOrder:
		t, ok := v.Time()
		return t.Compare(p.moment), ok
	case evaluator.CodepointOrder:
		if v.Kind() != evaluator.KindString {
			return 0, false
		}
		return strings.Compare(v.Text(), p.value.Text()), true
	}
	return 0, false
}

// accepts reports whether an operation that compares holds for the order of property and argument.
func (o operation) accepts(order int) bool {
	switch o {
	case opEqual:
		return order == 0
	case opGreater:
		return order > 0
	case opGreaterOrEqual, opOnOrAfter:
		return order >= 0
	case opLess, opBefore:
		return order < 0
	}
	return order <= 0
}

// compare compares two values by the relations of the language.
func (p *predicate) compare(v, argument evaluator.Value) bool {
	switch p.op {
	case opEqual:
		return evaluator.Equal(v, argument, p.fold)
	case opEqualAny:
		return evaluator.EqualAny(v, argument, p.fold)
	case opContains:
		return evaluator.Contains(v, argument, p.fold)
	case opContainsAll:
		return evaluator.ContainsAll(v, argument, p.fold)
	case opPrefix:
		return evaluator.HasPrefix(v, argument, p.fold)
	case opSuffix:
		return evaluator.HasSuffix(v, argument, p.fold)
	case opBefore, opOnOrAfter, opOnOrBefore:
		t, ok := v.Time()
		limit, given := argument.Time()
		return ok && given && p.compareMoments(t, limit)
	}
	order, ordered := evaluator.Order(v, argument)
	return ordered && p.op.accepts(order)
}

func (p *predicate) compareMoments(t, limit evaluator.Moment) bool {
	return p.op.accepts(t.Compare(limit))
}

// tree walks what a clause could not expand.
func (s *scratch) tree(g *segment, n *node, on side) bool {
	switch n.kind {
	case isLiteral:
		return s.holds(g, n.literal, on)
	case isAll:
		for i := range n.children {
			if !s.tree(g, &n.children[i], on) {
				return false
			}
		}
		return true
	}
	for i := range n.children {
		if s.tree(g, &n.children[i], on) {
			return true
		}
	}
	return false
}

// sampleHash is the user's hash of a seed. Samples of one seed share it.
func (s *scratch) sampleHash(seed int32, on side) uint64 {
	if s.mask&userBit == 0 {
		on = after
	}
	h := &s.hashes[seed]
	if h.epoch[on&1] != s.epoch {
		h.epoch[on&1], h.hash[on&1] = s.epoch, evaluator.SampleHash(s.part.segment.seeds[seed], s.inputs[on].User)
	}
	return h.hash[on&1]
}
