package pipeline

import (
	"slices"
	"time"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// An audience that settles is a member of its own making: what its conditions say is a verdict like any other, but the
// membership follows it only after a wait. For the evaluator that membership is an input (evaluator.Given), like a static
// one, so audiences that refer to it see it turn when it does. The record keeps the membership and, while verdict and
// membership differ, the wait; the verdict of before is therefore known without being stored.

// given appends the memberships that a record has which are not for conditions to compute: static members recorded for
// an audience in force, and what has settled. An absent user has none.
func (g *generation) given(dst []evaluator.Given, r *state.Record) []evaluator.Given {
	if !r.Present {
		return dst
	}
	if g.hasStatic {
		for _, m := range r.Recorded {
			if rule := g.rules[m.Audience]; rule != nil && rule.static() {
				dst = append(dst, evaluator.Given{Audience: m.Audience, Tenant: m.Tenant})
			}
		}
	}
	for _, rule := range g.settling {
		if m := r.Membership(rule.id, ""); m != nil && m.In {
			dst = withGiven(dst, rule.id, true)
		}
	}
	return dst
}

// withGiven puts the membership without tenant of an audience into a list in order, or takes it out.
func withGiven(list []evaluator.Given, audience evaluator.AudienceID, in bool) []evaluator.Given {
	i, found := slices.BinarySearchFunc(list, audience, func(g evaluator.Given, a evaluator.AudienceID) int {
		return int(g.Audience) - int(a)
	})
	switch {
	case in && !found:
		return slices.Insert(list, i, evaluator.Given{Audience: audience})
	case !in && found:
		return slices.Delete(list, i, i+1)
	}
	return list
}

// verdict is a settling audience in one step of a subject.
type verdict struct {
	rule   *rule
	in     bool        // the membership before the step
	raw    bool        // what the conditions say after it
	target bool        // the membership after it
	began  state.Wait  // the wait that goes on, ends or begins, when raw differs from in
	change bool        // the conditions' verdict changed in the step
	cause  event.Cause // of that change
}

// compare judges a step from before to after and publishes what changed.
func (w *worker) compare(m *moment, before, after *evaluator.Input, row *evaluator.Row) {
	judge := w.judge(m.generation)
	judge.Diff(before, after, &w.diff)
	w.batch.visited.Add(int64(w.diff.Visited))
	m.subject.record.Flip = w.diff.NextFlip
	if len(m.generation.settling) == 0 {
		for _, c := range w.diff.Changes {
			m.turn(c.Audience, "", c.Entered, m.causeOf(c), row)
		}
		return
	}
	for w.settled(m, after) {
		judge.Diff(before, after, &w.diff)
		w.batch.visited.Add(int64(w.diff.Visited))
	}
	list := w.turns[:0]
	for _, c := range w.diff.Changes {
		if r := m.generation.rules[c.Audience]; !r.definition.Given() {
			list = append(list, turn{r.level, c.Audience, "", c.Entered, m.causeOf(c)})
		}
	}
	for _, v := range w.verdicts {
		list = m.conclude(v, list)
	}
	m.turns(list, row)
	w.turns = list
	m.subject.record.Flip = nextFlip(w.diff.NextFlip, &m.subject.record)
}

// settled decides what each settling audience's membership is after the step, from the worker's diff, and makes it
// after's input. It reports whether that input changed, in which case audiences that refer to it must be judged again.
// There are no cycles, so it comes to an end.
func (w *worker) settled(m *moment, after *evaluator.Input) (changed bool) {
	w.verdicts = w.verdicts[:0]
	for _, r := range m.generation.settling {
		v := m.verdict(r, w.diff.Changes, after.Now)
		w.verdicts = append(w.verdicts, v)
		before := len(after.Given)
		w.given[1] = withGiven(after.Given, r.id, v.target)
		after.Given = w.given[1]
		changed = changed || len(after.Given) != before
	}
	return changed
}

func (m *moment) verdict(r *rule, changes []evaluator.Change, now evaluator.Instant) verdict {
	record := &m.subject.record
	membership, wait := record.Membership(r.id, ""), record.Wait(r.id)
	v := verdict{rule: r, in: membership != nil && membership.In}
	rawBefore := v.in != (wait != nil)
	v.raw = rawBefore
	for _, c := range changes {
		if c.Audience == r.id {
			v.raw, v.change, v.cause = c.Entered, true, m.causeOf(c)
		}
	}
	v.target = v.in
	switch {
	case v.raw == v.in:
	case m.settled: // a snapshot waits for nothing
		v.target, v.began = v.raw, state.Wait{Audience: r.id, Due: now, Cause: m.own}
	case wait != nil && rawBefore == v.raw:
		v.began = *wait
	default:
		v.began = state.Wait{Audience: r.id, Due: now + micros(r.wait(v.raw)), Cause: v.cause}
	}
	if v.raw != v.in && v.began.Due <= now {
		v.target = v.raw
	}
	return v
}

// conclude brings the record's wait up to date and adds the turn when the wait is over.
func (m *moment) conclude(v verdict, list []turn) []turn {
	switch {
	case v.raw == v.in:
		m.subject.record.EndWait(v.rule.id)
	case v.target == v.raw:
		m.subject.record.EndWait(v.rule.id)
		return append(list, turn{v.rule.level, v.rule.id, "", v.raw, v.began.Cause})
	default:
		m.subject.record.SetWait(v.began)
	}
	return list
}

// rematch fills the worker's match for a generation that comes into force. A definition change ends the waits of its
// audience at its verdict, and so does one that reaches an audience by reference; other waits go on.
func (w *worker) rematch(m *moment, previous *generation, in *evaluator.Input) {
	g, record, judge := m.generation, &m.subject.record, w.judge(m.generation)
	record.Waits = slices.DeleteFunc(record.Waits, func(wait state.Wait) bool {
		r := g.rules[wait.Audience]
		return r == nil || !r.definition.Settle.Waits()
	})
	judge.Match(in, &w.match)
	for changed := len(g.settling) > 0; changed; {
		changed = false
		for _, r := range g.settling {
			_, raw := slices.BinarySearch(w.match.Members, r.id)
			_, was := slices.BinarySearchFunc(in.Given, r.id, func(g evaluator.Given, a evaluator.AudienceID) int { return int(g.Audience) - int(a) })
			if raw == was || record.Wait(r.id) != nil && !r.differs(previous) {
				continue // the wait, if there is one, goes on
			}
			w.given[1] = withGiven(in.Given, r.id, raw)
			in.Given, changed = w.given[1], true
			record.EndWait(r.id)
		}
		if changed {
			judge.Match(in, &w.match)
		}
	}
	for _, r := range g.settling { // a wait whose reason is gone
		_, raw := slices.BinarySearch(w.match.Members, r.id)
		if have := record.Membership(r.id, ""); raw == (have != nil && have.In) {
			record.EndWait(r.id)
		}
	}
	record.Flip = nextFlip(w.match.NextFlip, record)
}

// differs reports whether a rule is another version than in an earlier generation.
func (r *rule) differs(previous *generation) bool {
	was := previous.rules[r.id]
	return was == nil || was.version != r.version
}

// wait is how long a verdict has to hold.
func (r *rule) wait(entering bool) time.Duration {
	if entering {
		return r.definition.Settle.Enter
	}
	return r.definition.Settle.Exit
}

func nextFlip(flip evaluator.Instant, r *state.Record) evaluator.Instant {
	for _, w := range r.Waits {
		flip = min(flip, w.Due)
	}
	return flip
}

func micros(d time.Duration) evaluator.Instant { return evaluator.Instant(d / time.Microsecond) }
