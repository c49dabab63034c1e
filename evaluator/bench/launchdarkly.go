package main

import (
	"github.com/launchdarkly/go-sdk-common/v3/ldcontext"
	"github.com/launchdarkly/go-sdk-common/v3/ldvalue"
	evaluation "github.com/launchdarkly/go-server-sdk-evaluation/v3"
	"github.com/launchdarkly/go-server-sdk-evaluation/v3/ldbuilders"
	"github.com/launchdarkly/go-server-sdk-evaluation/v3/ldmodel"

	"muster/evaluator"
	"muster/evaluator/compiled/workload"
)

// launchDarkly has a flag for each audience, with a rule for each segment.
type launchDarkly struct {
	evaluator evaluation.Evaluator
	flags     []ldmodel.FeatureFlag
	users     []ldcontext.Context
}

// noData is a data provider for flags that refer to nothing.
type noData struct{}

func (noData) GetFeatureFlag(string) *ldmodel.FeatureFlag { return nil }
func (noData) GetSegment(string) *ldmodel.Segment         { return nil }

func newLaunchDarkly(audiences []evaluator.Audience) (rival, error) {
	r := &launchDarkly{evaluator: evaluation.NewEvaluator(noData{})}
	for _, a := range audiences {
		b := ldbuilders.NewFlagBuilder(a.Definition.Key).On(true).
			Variations(ldvalue.Bool(false), ldvalue.Bool(true)).FallthroughVariation(0)
		for i := range a.Definition.Segments {
			var clauses []ldmodel.Clause
			for k := range a.Definition.Segments[i].Conditions {
				clauses = append(clauses, clausesOf(&a.Definition.Segments[i].Conditions[k])...)
			}
			b.AddRule(ldbuilders.NewRuleBuilder().Variation(1).Clauses(clauses...))
		}
		r.flags = append(r.flags, b.Build())
	}
	return r, nil
}

func clausesOf(c *evaluator.Condition) []ldmodel.Clause {
	p, v := c.Property[0], c.Argument.Value
	one := func(op ldmodel.Operator, values ...ldvalue.Value) []ldmodel.Clause {
		return []ldmodel.Clause{ldbuilders.Clause(p, op, values...)}
	}
	switch c.Operator {
	case evaluator.OpEqualTo:
		return one(ldmodel.OperatorIn, ldValue(v))
	case evaluator.OpNotEqualTo:
		return []ldmodel.Clause{ldbuilders.Negate(ldbuilders.Clause(p, ldmodel.OperatorIn, ldValue(v)))}
	case evaluator.OpExists:
		return []ldmodel.Clause{ldbuilders.Negate(ldbuilders.Clause(p, ldmodel.OperatorIn, ldvalue.String("")))}
	case evaluator.OpEqualToAny:
		var values []ldvalue.Value
		for _, item := range v.Items() {
			values = append(values, ldValue(item))
		}
		return one(ldmodel.OperatorIn, values...)
	case evaluator.OpStartsWith:
		return one(ldmodel.OperatorStartsWith, ldValue(v))
	case evaluator.OpEndsWith:
		return one(ldmodel.OperatorEndsWith, ldValue(v))
	case evaluator.OpContains:
		return one(ldmodel.OperatorContains, ldValue(v))
	case evaluator.OpLessThan, evaluator.OpIsTimestampBefore:
		return one(ldmodel.OperatorLessThan, ldValue(v))
	case evaluator.OpLessThanOrEqualTo:
		return one(ldmodel.OperatorLessThanOrEqual, ldValue(v))
	case evaluator.OpGreaterThanOrEqualTo, evaluator.OpIsTimestampOnOrAfter:
		return one(ldmodel.OperatorGreaterThanOrEqual, ldValue(v))
	case evaluator.OpIsBetween:
		return append(one(ldmodel.OperatorGreaterThanOrEqual, ldValue(c.Argument.Ends[0].Value)),
			one(ldmodel.OperatorLessThanOrEqual, ldValue(c.Argument.Ends[1].Value))...)
	}
	panic("the workload has an operator that rivals do not: " + c.Operator.String())
}

func ldValue(v evaluator.Value) ldvalue.Value {
	switch v.Kind() {
	case evaluator.KindNumber, evaluator.KindTimestamp:
		return ldvalue.Float64(number(v))
	case evaluator.KindBool:
		return ldvalue.Bool(v.Bool())
	}
	return ldvalue.String(v.Text())
}

func (r *launchDarkly) decode(row *evaluator.Row, user string) (int, error) {
	b := ldcontext.NewBuilder(user)
	for i := range workload.Schema.Columns[1:] {
		b.SetValue(workload.Schema.Columns[i+1].Name, ldValue(row.Value(i+1)))
	}
	c := b.Build()
	r.users = append(r.users, c)
	return len(r.users) - 1, c.Err()
}

func (r *launchDarkly) holds(audience, user int) (bool, error) {
	return r.evaluator.Evaluate(&r.flags[audience], r.users[user], nil).Detail.Value.BoolValue(), nil
}
