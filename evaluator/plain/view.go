package plain

import (
	"sort"

	"muster/evaluator"
)

// view is one input as seen at one instant, with the verdicts found so far.
type view struct {
	in       *evaluator.Input
	now      evaluator.Instant
	verdicts []verdict // by audience index
}

type verdict uint8

const (
	unknown verdict = iota
	out
	in
)

// reset makes v the view of an input at an instant, over that many audiences.
func (v *view) reset(in *evaluator.Input, now evaluator.Instant, audiences int) {
	if cap(v.verdicts) < audiences {
		v.verdicts = make([]verdict, audiences)
	}
	v.in, v.now, v.verdicts = in, now, v.verdicts[:audiences]
	clear(v.verdicts)
}

// holds is the verdict of a dynamic audience's conditions: all conditions of at least one segment hold. A user who is
// absent is in no audience, whatever its conditions negate.
func (v *view) holds(a *audience) bool {
	if v.in.Row == nil {
		return false
	}
	if v.verdicts[a.index] == unknown {
		v.verdicts[a.index] = out
		for _, segment := range a.segments {
			if v.all(segment) {
				v.verdicts[a.index] = in
				break
			}
		}
	}
	return v.verdicts[a.index] == in
}

// member is the membership that a condition of another audience reads. That of static audiences, and of those that settle,
// is given; that of all others is their verdict at the same instant, and has no tenant.
func (v *view) member(a *audience, tenant string) bool {
	switch {
	case a == nil || v.in.Row == nil:
		return false
	case a.definition.Given():
		return isGiven(v.in.Given, evaluator.Given{Audience: a.id, Tenant: tenant})
	}
	return tenant == "" && v.holds(a)
}

// isGiven looks a membership up in the ascending list of those given.
func isGiven(given []evaluator.Given, g evaluator.Given) bool {
	i := sort.Search(len(given), func(i int) bool {
		o := given[i]
		return o.Audience > g.Audience || o.Audience == g.Audience && o.Tenant >= g.Tenant
	})
	return i < len(given) && given[i] == g
}

func (v *view) all(conditions []*condition) bool {
	for _, c := range conditions {
		if !v.condition(c) {
			return false
		}
	}
	return true
}

func (v *view) any(conditions []*condition) bool {
	for _, c := range conditions {
		if v.condition(c) {
			return true
		}
	}
	return false
}

func (v *view) condition(c *condition) bool {
	switch c.Group {
	case evaluator.All:
		return v.all(c.children)
	case evaluator.Any:
		return v.any(c.children)
	case evaluator.Not:
		return !v.condition(c.children[0])
	}
	return v.leaf(c)
}
