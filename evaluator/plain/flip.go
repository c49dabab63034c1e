package plain

import (
	"slices"

	"muster/evaluator"
)

// nextFlip returns the earliest instant after the view's at which time alone changes the verdict of any dynamic audience.
//
// Each audience is tried only at the flips of its own leaves. That is enough for the earliest of all: where a flip comes
// through a reference, the audience referred to flips at that instant, or earlier, itself.
func (j *Judge) nextFlip(v *view) evaluator.Instant {
	next := evaluator.NoInstant
	if v.in.Row == nil {
		return next
	}
	for _, a := range j.set.audiences {
		if a.definition.Type == evaluator.Dynamic {
			next = min(next, j.flipOf(v, a, next, a.leaves()))
		}
	}
	return next
}

// flipOf returns the first of the leaves' flips, before limit, at which the verdict of a differs from the view's.
func (j *Judge) flipOf(v *view, a *audience, limit evaluator.Instant, leaves func(func(*condition) bool)) evaluator.Instant {
	j.candidates = j.candidates[:0]
	for leaf := range leaves {
		j.candidates = v.appendFlips(j.candidates, leaf)
	}
	slices.Sort(j.candidates)
	for _, at := range slices.Compact(j.candidates) {
		if at >= limit {
			break
		}
		j.trial.reset(v.in, at, len(j.set.audiences))
		if j.trial.holds(a) != v.holds(a) {
			return at
		}
	}
	return limit
}

// appendFlips appends the instants after the view's at which the clock may change the verdict of a leaf. Each is the first
// whole microsecond of the new verdict:
//
//	t <  now + d   holds from the microsecond after  t - d
//	t >= now + d   ends  at   the microsecond after  t - d
//	t <= now + d   holds from                        t - d
//
// A flip at infinity, or beyond what an Instant can say, is none.
func (v *view) appendFlips(flips []evaluator.Instant, c *condition) []evaluator.Instant {
	if !clocked(c) {
		return flips
	}
	t, ok := v.in.Row.Read(c.property).Time()
	if !ok {
		return flips
	}
	add := func(m evaluator.Moment) {
		if i, ok := m.Instant(); ok && i.Finite() && i > v.now {
			flips = append(flips, i)
		}
	}
	switch c.Operator {
	case evaluator.OpIsTimestampBeforeNow, evaluator.OpIsTimestampOnOrAfterNow:
		add(t.Next())
	case evaluator.OpIsTimestampBefore, evaluator.OpIsTimestampOnOrAfter:
		if c.Argument.Kind == evaluator.ArgumentRelative {
			add(t.Add(-c.Argument.Offset).Next())
		}
	case evaluator.OpIsTimestampBetween:
		if from := &c.Argument.Ends[0]; from.Kind == evaluator.ArgumentRelative {
			add(t.Add(-from.Offset).Next())
		}
		if to := &c.Argument.Ends[1]; to.Kind == evaluator.ArgumentRelative {
			add(t.Add(-to.Offset))
		}
	}
	return flips
}

// clocked reports whether the verdict of a leaf can depend on the clock.
func clocked(c *condition) bool {
	switch c.Operator {
	case evaluator.OpIsTimestampBeforeNow, evaluator.OpIsTimestampOnOrAfterNow, evaluator.OpIsTimestampBefore,
		evaluator.OpIsTimestampOnOrAfter, evaluator.OpIsTimestampBetween:
		return true
	}
	return false
}

// closure yields the leaves of an audience and of all that its verdict depends on, through any number of references.
func (a *audience) closure() func(yield func(*condition) bool) {
	return func(yield func(*condition) bool) {
		seen := map[*audience]bool{a: true}
		for todo := []*audience{a}; len(todo) > 0; todo = todo[1:] {
			for leaf := range todo[0].leaves() {
				if !yield(leaf) {
					return
				}
				if t := leaf.target; t != nil && !seen[t] && !t.definition.Given() {
					seen[t] = true
					todo = append(todo, t)
				}
			}
		}
	}
}
