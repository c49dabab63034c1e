package compiled

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"unsafe"

	"muster/evaluator"
)

// check is a literal of a clause found by hash, with as much of it beside the others of its cluster as most values need to be
// judged by: a look at the predicate would be another place in memory.
type check struct {
	constant  int64 // a small number, an instant, an offset from now in microseconds, the head of a text
	attribute int32
	literal   literal
	size      int32 // of a text
	kind      checkKind
	op        operation
	negated   bool
}

// checkKind is the kind of value that a check is about. Values of other kinds are judged by the predicate. It is also the
// order in which the checks of a clause are gone through.
type checkKind uint8

const (
	checkBool    checkKind = iota // equality
	checkNumber                   // equality and order
	checkText                     // equality
	checkInstant                  // order
	checkAge                      // order of an instant less now
	checkOther                    // by the predicate, always
)

// valued reports whether the verdict depends on nothing but the value of the attribute.
func (c *check) valued() bool { return c.kind < checkAge }

// checks returns what a clause found by hash asks beside its pin and its trees.
func (g *segment) checks(c *clause) []check {
	var checks []check
	for _, l := range g.literals[c.first:c.beyond] {
		checks = append(checks, newCheck(&g.predicates[l.predicate()], l))
	}
	slices.SortStableFunc(checks, func(a, b check) int { return cmp.Compare(a.kind, b.kind) })
	return checks
}

func newCheck(p *predicate, l literal) check {
	c := check{attribute: p.attribute, literal: l, kind: checkOther, op: p.op, negated: l.negated()}
	if p.attribute == none {
		return c
	}
	switch {
	case p.argument == argRelative:
		if p.op.timed() && -farthestOffset < p.offset && p.offset < farthestOffset {
			c.kind, c.constant = checkAge, p.offset*1_000_000
		}
	case p.argument == argDynamic:
	case p.op == opEqual && !p.fold:
		c.equality(p)
	case p.op.timed():
		if at, ok := p.moment.Instant(); ok {
			c.kind, c.constant = checkInstant, int64(at)
		}
	case p.op <= opLessOrEqual && p.order == evaluator.NumericOrder:
		if n, small := p.number.Int64(); small {
			c.kind, c.constant = checkNumber, n
		}
	}
	return c
}

func (c *check) equality(p *predicate) {
	switch p.value.Kind() {
	case evaluator.KindBool:
		c.kind, c.constant = checkBool, int64(oneIf(p.value.Bool()))
	case evaluator.KindNumber:
		if n, small := p.value.Number().Int64(); small {
			c.kind, c.constant = checkNumber, n
		}
	case evaluator.KindString:
		if text := p.value.Text(); len(text) <= math.MaxInt32 {
			c.kind, c.constant, c.size = checkText, head(text), int32(len(text))
		}
	}
}

// head is the first eight bytes of a text, those that are not there as zeros.
func head(text string) int64 {
	if len(text) >= 8 {
		return int64(binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(text), 8)))
	}
	h := int64(0)
	for i := range len(text) {
		h |= int64(text[i]) << (8 * i)
	}
	return h
}

// passes is the verdict of a check on one side.
func (s *scratch) passes(g *segment, c *check, on side) bool {
	if c.kind == checkOther {
		return s.holds(g, c.literal, on)
	}
	v := s.value(g, c.attribute, on)
	holds, known := false, false
	switch c.kind {
	case checkBool:
		holds, known = oneIf(v.Bool()) == uint64(c.constant), v.Kind() == evaluator.KindBool
	case checkNumber:
		n, small := v.Number().Int64()
		holds, known = c.op.accepts(cmp.Compare(n, c.constant)), small && v.Kind() == evaluator.KindNumber
	case checkText:
		text := v.Text()
		holds = len(text) == int(c.size) && head(text) == c.constant &&
			(len(text) <= 8 || text == g.predicates[c.literal.predicate()].value.Text())
		known = v.Kind() == evaluator.KindString
	case checkInstant:
		var at evaluator.Instant
		at, known = v.Instant()
		holds = c.op.accepts(cmp.Compare(int64(at), c.constant))
	case checkAge:
		at, exact := v.Instant()
		now := s.inputs[on].Now
		holds = c.op.accepts(cmp.Compare(int64(at), int64(now)+c.constant))
		known = exact && near(now)
	}
	if !known {
		return s.holds(g, c.literal, on)
	}
	s.looked++
	return holds != c.negated
}
