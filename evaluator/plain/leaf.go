package plain

import "muster/evaluator"

// leaf is the verdict of one condition. For a user who is absent every leaf is false, negations too; for every other a
// negation is exactly not the positive operator.
func (v *view) leaf(c *condition) bool {
	if v.in.Row == nil {
		return false
	}
	positive, negated := c.Operator.Positive()
	return v.relation(positive, c) != negated
}

func (v *view) relation(positive evaluator.Operator, c *condition) bool {
	switch positive {
	case evaluator.OpIsAudienceMember:
		return v.member(c.target, c.Argument.Reference.Tenant)
	case evaluator.OpInSample:
		return c.Argument.Sample.Has(v.in.User)
	}
	property := v.in.Row.Read(c.property)
	switch positive {
	case evaluator.OpEmpty:
		return evaluator.Empty(property)
	case evaluator.OpExists:
		return !property.IsNull()
	case evaluator.OpMatches:
		return property.Kind() == evaluator.KindString && c.Argument.Pattern.MatchString(property.Text())
	case evaluator.OpIsTimestamp, evaluator.OpIsTimestampBefore, evaluator.OpIsTimestampOnOrAfter,
		evaluator.OpIsTimestampBetween, evaluator.OpIsTimestampBeforeNow, evaluator.OpIsTimestampOnOrAfterNow:
		return v.time(positive, c, property)
	case evaluator.OpIsBetween:
		low, lowOrdered := evaluator.Order(property, v.resolve(&c.Argument.Ends[0], c.ends[0]))
		high, highOrdered := evaluator.Order(property, v.resolve(&c.Argument.Ends[1], c.ends[1]))
		return lowOrdered && highOrdered && low >= 0 && high <= 0
	}
	return compare(positive, property, v.resolve(&c.Argument, c.argument), c.IgnoreCase)
}

// compare holds the operators that compare a property with one argument.
func compare(positive evaluator.Operator, property, argument evaluator.Value, fold bool) bool {
	switch positive {
	case evaluator.OpEqualTo:
		return evaluator.Equal(property, argument, fold)
	case evaluator.OpEqualToAny:
		return evaluator.EqualAny(property, argument, fold)
	case evaluator.OpContains:
		return evaluator.Contains(property, argument, fold)
	case evaluator.OpContainsAll:
		return evaluator.ContainsAll(property, argument, fold)
	case evaluator.OpStartsWith:
		return evaluator.HasPrefix(property, argument, fold)
	case evaluator.OpEndsWith:
		return evaluator.HasSuffix(property, argument, fold)
	}
	order, ordered := evaluator.Order(property, argument)
	switch positive {
	case evaluator.OpGreaterThan:
		return ordered && order > 0
	case evaluator.OpGreaterThanOrEqualTo:
		return ordered && order >= 0
	case evaluator.OpLessThan:
		return ordered && order < 0
	case evaluator.OpLessThanOrEqualTo:
		return ordered && order <= 0
	}
	return false
}

// time holds the operators on instants.
func (v *view) time(positive evaluator.Operator, c *condition, property evaluator.Value) bool {
	instant, ok := property.Time()
	if !ok || positive == evaluator.OpIsTimestamp {
		return ok
	}
	switch positive {
	case evaluator.OpIsTimestampBeforeNow:
		return instant.Compare(v.now.Moment()) < 0
	case evaluator.OpIsTimestampOnOrAfterNow:
		return instant.Compare(v.now.Moment()) >= 0
	case evaluator.OpIsTimestampBetween:
		from, hasFrom := v.moment(&c.Argument.Ends[0], c.ends[0])
		to, hasTo := v.moment(&c.Argument.Ends[1], c.ends[1])
		return hasFrom && hasTo && instant.Compare(from) >= 0 && instant.Compare(to) <= 0
	}
	limit, ok := v.moment(&c.Argument, c.argument)
	if positive == evaluator.OpIsTimestampBefore {
		return ok && instant.Compare(limit) < 0
	}
	return ok && instant.Compare(limit) >= 0
}

// resolve returns the value of a constant or dynamic argument.
func (v *view) resolve(a *evaluator.Argument, source evaluator.Source) evaluator.Value {
	if a.Kind == evaluator.ArgumentDynamic {
		return v.in.Row.Read(source)
	}
	return a.Value
}

// moment returns the instant of an argument on the clock of the view, and false when a property that it is taken from
// holds none. Without bounds: "999999999 weeks ago" lies before anything Postgres knows.
func (v *view) moment(a *evaluator.Argument, source evaluator.Source) (evaluator.Moment, bool) {
	if a.Kind == evaluator.ArgumentRelative {
		return v.now.Moment().Add(a.Offset), true
	}
	return v.resolve(a, source).Time()
}
