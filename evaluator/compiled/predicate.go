package compiled

import (
	"encoding/binary"
	"regexp"

	"muster/evaluator"
)

// operation is what a predicate asks. Negations are signs of literals, and a between is two predicates, so there are fewer
// of them than operators.
type operation uint8

const (
	opEqual operation = iota
	opEqualAny
	opGreater
	opGreaterOrEqual
	opLess
	opLessOrEqual
	opContains
	opContainsAll
	opPrefix
	opSuffix
	opMatches
	opEmpty
	opExists
	opIsTimestamp
	opBefore     // instant < argument
	opOnOrAfter  // instant >= argument
	opOnOrBefore // instant <= argument: the far end of a between
	opMember
	opSample
)

// timed reports whether the operation compares instants, which a relative argument makes depend on the clock.
func (o operation) timed() bool { return o == opBefore || o == opOnOrAfter || o == opOnOrBefore }

// source of a predicate's argument
type argument uint8

const (
	argConstant argument = iota // predicate.value, or nothing
	argDynamic                  // the value of predicate.other
	argRelative                 // now + predicate.offset
)

const none = -1 // an index of nothing

// predicate is one question about a user, shared by all the conditions of a segment that ask it.
type predicate struct {
	op        operation
	argument  argument
	fold      bool
	attribute int32 // what it reads, or none: the value is null
	other     int32 // the attribute of a dynamic argument, or none: that value is null
	reference int32 // of opMember: index of segment.references
	memo      int32 // place + 1 where its verdicts are remembered; 0 is none
	value     evaluator.Value
	offset    int64            // seconds
	moment    evaluator.Moment // of a constant argument of a timed operation
	order     evaluator.OrderKind
	number    evaluator.Number // of a constant argument with NumericOrder
	pattern   *regexp.Regexp
	required  string // what every match of the pattern holds
	sample    *evaluator.Sample
	seed      int32       // of the sample: index of segment.seeds
	items     *dictionary // of an equal_to_any with a long list: finds the item without walking
	popular   bool        // it has a vector of its own
	unlaned   bool        // it could sit in a lane, and its automaton has no room for it
}

// relative reports whether the verdict depends on the clock.
func (p *predicate) relative() bool { return p.argument == argRelative }

// inverted reports whether the entry that tells the predicate is of values for which it does not hold. Nearly every value
// is there: the words of a vector are those of one that is, and only null finds anything.
func (p *predicate) inverted() bool { return p.op == opExists }

// appendKey appends bytes that two predicates share exactly when they ask the same.
func (p *predicate) appendKey(dst []byte) []byte {
	dst = append(dst, byte(p.op), byte(p.argument))
	if p.fold {
		dst = append(dst, 1)
	} else {
		dst = append(dst, 0)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(p.attribute))
	dst = binary.BigEndian.AppendUint32(dst, uint32(p.other))
	dst = binary.BigEndian.AppendUint32(dst, uint32(p.reference))
	dst = binary.BigEndian.AppendUint64(dst, uint64(p.offset))
	dst = p.value.AppendKey(dst)
	if p.pattern != nil {
		dst = append(dst, p.pattern.String()...)
	}
	if p.sample != nil {
		dst = evaluator.NumberValue(p.sample.Percent).AppendKey(dst)
		dst = append(dst, p.sample.Seed...)
	}
	return dst
}

// literal is a predicate or its negation.
type literal uint32

func literalOf(predicate int32, negated bool) literal {
	l := literal(predicate) << 1
	if negated {
		l |= 1
	}
	return l
}

func (l literal) predicate() int32 { return int32(l >> 1) }
func (l literal) negated() bool    { return l&1 != 0 }
