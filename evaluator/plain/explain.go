package plain

import "muster/evaluator"

// Explanation says why a user is in an audience or not.
type Explanation struct {
	Audience string
	Holds    bool // the verdict of the conditions; for a static audience, whether the user is a member without tenant
	// NextFlip is the next instant at which time alone changes the verdict, also through the audiences it refers to;
	// NoInstant when there is none.
	NextFlip evaluator.Instant
	Segments [][]ExplainedCondition // the user is in when all conditions of one segment hold
}

// ExplainedCondition is one condition with what was found.
type ExplainedCondition struct {
	Condition  *evaluator.Condition
	Conditions []ExplainedCondition // of a group
	Value      evaluator.Value      // of the property; of a membership condition whether the user is a member
	// Argument is what the value was compared with, resolved: a property's value for a dynamic argument, an instant for
	// a relative one, both ends of a between; nothing for operators whose argument is no value.
	Argument []evaluator.Value
	Holds    bool
	NextFlip evaluator.Instant // of a leaf: the next instant at which the clock changes Holds; else NoInstant
}

// Explain judges one audience and tells every condition's part in it, also where the verdict was clear without it. It
// reports false when the set does not have the audience.
func (j *Judge) Explain(in *evaluator.Input, id evaluator.AudienceID) (*Explanation, bool) {
	a := j.set.byID[id]
	if a == nil {
		return nil, false
	}
	v := &j.after
	v.reset(in, in.Now, len(j.set.audiences))
	e := &Explanation{Audience: a.definition.Key, NextFlip: evaluator.NoInstant}
	if a.definition.Type == evaluator.Static {
		e.Holds = v.member(a, "")
		return e, true
	}
	e.Holds = v.holds(a)
	if in.Row != nil {
		e.NextFlip = j.flipOf(v, a, evaluator.NoInstant, a.closure())
	}
	for _, segment := range a.segments {
		e.Segments = append(e.Segments, j.explainAll(v, segment))
	}
	return e, true
}

func (j *Judge) explainAll(v *view, conditions []*condition) []ExplainedCondition {
	explained := make([]ExplainedCondition, len(conditions))
	for i, c := range conditions {
		e := ExplainedCondition{Condition: c.Condition, NextFlip: evaluator.NoInstant}
		switch {
		case c.Group != evaluator.Leaf:
			e.Conditions = j.explainAll(v, c.children)
			e.Holds = v.in.Row != nil && v.condition(c)
		case v.in.Row != nil:
			j.explainLeaf(v, c, &e)
		}
		explained[i] = e
	}
	return explained
}

func (j *Judge) explainLeaf(v *view, c *condition, e *ExplainedCondition) {
	e.Holds = v.leaf(c)
	e.Value = v.in.Row.Read(c.property)
	switch a := &c.Argument; a.Kind {
	case evaluator.ArgumentAudience:
		e.Value = evaluator.BoolValue(v.member(c.target, a.Reference.Tenant))
	case evaluator.ArgumentSample:
		e.Value = evaluator.StringValue(v.in.User)
	case evaluator.ArgumentConstant, evaluator.ArgumentDynamic, evaluator.ArgumentRelative:
		e.Argument = []evaluator.Value{v.shown(a, c.argument)}
	case evaluator.ArgumentBetween:
		e.Argument = []evaluator.Value{v.shown(&a.Ends[0], c.ends[0]), v.shown(&a.Ends[1], c.ends[1])}
	}
	for _, at := range v.appendFlips(nil, c) {
		j.trial.reset(v.in, at, len(j.set.audiences))
		if at < e.NextFlip && j.trial.leaf(c) != e.Holds {
			e.NextFlip = at
		}
	}
}

// shown is an argument as a value; a relative one is its instant, or null where that is beyond an Instant.
func (v *view) shown(a *evaluator.Argument, source evaluator.Source) evaluator.Value {
	if a.Kind != evaluator.ArgumentRelative {
		return v.resolve(a, source)
	}
	if i, ok := v.now.Moment().Add(a.Offset).Instant(); ok {
		return evaluator.TimestampValue(i)
	}
	return evaluator.Value{}
}
