package where

import (
	"fmt"

	"muster/evaluator"
)

// leaf is the condition of one leaf. It is never NULL.
func (c *Clauses) leaf(l *evaluator.Condition) (string, error) {
	positive, negated := l.Operator.Positive()
	condition, err := c.positive(positive, l)
	if err != nil {
		return "", err
	}
	condition = "(" + condition + ") IS TRUE"
	if negated {
		return "NOT (" + condition + ")", nil
	}
	return condition, nil
}

func (c *Clauses) positive(op evaluator.Operator, l *evaluator.Condition) (string, error) {
	if l.IgnoreCase || op == evaluator.OpMatches {
		return "", fmt.Errorf("%s: %w", l.At, ErrNotSQL)
	}
	switch op {
	case evaluator.OpIsAudienceMember:
		return c.member(l.Argument.Reference)
	case evaluator.OpInSample:
		return sample(l.Argument.Sample), nil
	}
	p := c.property(l.Property)
	switch op {
	case evaluator.OpEmpty:
		return empty(p), nil
	case evaluator.OpExists:
		return "NOT " + p.null, nil
	case evaluator.OpIsBetween:
		return terms("AND", order(">=", p, c.argument(&l.Argument.Ends[0])), order("<=", p, c.argument(&l.Argument.Ends[1]))), nil
	case evaluator.OpIsTimestamp, evaluator.OpIsTimestampBefore, evaluator.OpIsTimestampOnOrAfter,
		evaluator.OpIsTimestampBetween, evaluator.OpIsTimestampBeforeNow, evaluator.OpIsTimestampOnOrAfterNow:
		return c.time(op, l, p), nil
	}
	return compare(op, p, c.argument(&l.Argument)), nil
}

func compare(op evaluator.Operator, p, a operand) string {
	switch op {
	case evaluator.OpEqualTo:
		return equal(p, a)
	case evaluator.OpEqualToAny:
		return equalAny(p, a)
	case evaluator.OpContains:
		return contains(p, a)
	case evaluator.OpContainsAll:
		return containsAll(p, a)
	case evaluator.OpGreaterThan:
		return order(">", p, a)
	case evaluator.OpGreaterThanOrEqualTo:
		return order(">=", p, a)
	case evaluator.OpLessThan:
		return order("<", p, a)
	case evaluator.OpLessThanOrEqualTo:
		return order("<=", p, a)
	}
	return affix(op, p, a)
}

// now is the instant a question is asked for, in seconds.
const now = "extract(epoch FROM q.now)"

func (c *Clauses) time(op evaluator.Operator, l *evaluator.Condition, p operand) string {
	instant := p.instant()
	if instant == "" {
		return "false"
	}
	against := func(operator, limit string) string { return orFalse(compared(instant, operator, limit)) }
	switch op {
	case evaluator.OpIsTimestampBefore:
		return against("<", c.limit(&l.Argument))
	case evaluator.OpIsTimestampOnOrAfter:
		return against(">=", c.limit(&l.Argument))
	case evaluator.OpIsTimestampBetween:
		return terms("AND", against(">=", c.limit(&l.Argument.Ends[0])), against("<=", c.limit(&l.Argument.Ends[1])))
	case evaluator.OpIsTimestampBeforeNow:
		return against("<", now)
	case evaluator.OpIsTimestampOnOrAfterNow:
		return against(">=", now)
	}
	return instant + " IS NOT NULL"
}

// limit is the instant of an argument.
func (c *Clauses) limit(a *evaluator.Argument) string {
	if a.Kind == evaluator.ArgumentRelative {
		return fmt.Sprintf("%s + %d", now, a.Offset)
	}
	return c.argument(a).instant()
}

// argument is what a property is compared with. An instant is given as it was written: it is for Postgres to read it.
func (c *Clauses) argument(a *evaluator.Argument) operand {
	switch {
	case a.Kind == evaluator.ArgumentDynamic:
		return c.property(a.Path)
	case a.Value.Kind() == evaluator.KindTimestamp:
		return constant(a.Written())
	}
	return constant(a.Value)
}

// sample is in_sample: the first 8 bytes of the hash, as a number without a sign, against the share of 2^64.
func sample(s *evaluator.Sample) string {
	hash := fmt.Sprintf(`substr(sha256(convert_to(%s, 'UTF8') || '\x00'::bytea || convert_to(u.id, 'UTF8')), 1, 8)`, literal(s.Seed))
	signed := fmt.Sprintf("('x' || encode(%s, 'hex'))::bit(64)::bigint::numeric", hash)
	return fmt.Sprintf("mod(%s + 18446744073709551616, 18446744073709551616) * 100 < %s * 18446744073709551616", signed, s.Percent)
}
