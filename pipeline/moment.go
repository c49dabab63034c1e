package pipeline

import (
	"slices"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// moment is one subject at one instant at which its memberships may change: it turns verdicts into events.
type moment struct {
	worker     *worker
	subject    *subject
	generation *generation
	event      event.Event // what all events of the moment have in common
	order      order
	own        event.Cause // of changes by a condition of the audience's own
	settled    bool        // own is the cause of every change, also of those that come by reference
}

func (w *worker) moment(s *subject, g *generation, rank int, at evaluator.Instant) *moment {
	position, committed := w.batch.positionOf(rank)
	return &moment{
		worker: w, subject: s, generation: g,
		order: order{rank: rank},
		event: event.Event{
			Environment: w.environment, User: s.user, OccurredAt: at,
			Position: position, CommittedAt: committed,
		},
	}
}

// causeOf is the cause of a change of a verdict.
func (m *moment) causeOf(c evaluator.Change) event.Cause {
	if !m.settled && !c.Own {
		return event.CauseReference
	}
	return m.own
}

// statics publishes the static memberships that a step of a user who stays or appears began and ended.
func (m *moment) statics(appeared bool, fresh []state.Recorded, before, after []evaluator.Given, row *evaluator.Row) {
	if !m.generation.hasStatic || len(before) == 0 && len(after) == 0 {
		return
	}
	static := func(g evaluator.Given) bool { return m.generation.rules[g.Audience].static() }
	for _, g := range before {
		if static(g) && !slices.Contains(after, g) {
			m.turn(g.Audience, g.Tenant, false, m.staticCause(event.CauseStatic), row)
		}
	}
	for _, g := range after {
		if !static(g) || slices.Contains(before, g) {
			continue
		}
		cause := event.CauseStatic
		isFresh := slices.ContainsFunc(fresh, func(r state.Recorded) bool { return r.Audience == g.Audience && r.Tenant == g.Tenant })
		if appeared && !isFresh {
			cause = event.CauseIdentified
		}
		m.turn(g.Audience, g.Tenant, true, m.staticCause(cause), row)
	}
}

func (m *moment) staticCause(cause event.Cause) event.Cause {
	if m.settled {
		return m.own
	}
	return cause
}

// turn makes one membership begin or end and publishes the event of it. A membership that already is what it should be
// stays without an event: the stored membership decides.
func (m *moment) turn(audience evaluator.AudienceID, tenant string, entered bool, cause event.Cause, row *evaluator.Row) {
	membership := m.subject.record.Membership(audience, tenant)
	if in := membership != nil && membership.In; in == entered {
		m.worker.batch.disagreements.Add(1)
		return
	}
	if membership == nil {
		membership = m.subject.record.Ensure(audience, tenant)
	}
	e := m.event
	e.Tenant, e.Cause = tenant, cause
	rule := m.generation.rules[audience]
	if rule != nil {
		e.Audience, e.Version = rule.key, rule.version
		e.Properties = rule.definition.AppendIncluded(nil, row)
	} else { // archived in this generation: its last version is the one that ends
		a := m.worker.catalogue.audiences[audience]
		e.Audience, e.Version = a.Key, membership.Version // a rebuild may find no trace of its definition
		if v := a.At(m.generation.Generation); v != nil {
			e.Version = v.Number
		}
	}
	membership.In, membership.Version, membership.Cause = entered, e.Version, cause
	if entered {
		e.Type = event.Entered
		membership.Count++
		membership.EnteredAt = e.OccurredAt
		e.Trigger = m.triggers(rule, membership, cause)
		membership.Triggered = membership.Triggered || e.Trigger
	} else {
		e.Type = event.Exited
	}
	e.EntryCount, e.EnteredAt = membership.Count, membership.EnteredAt
	m.subject.events = append(m.subject.events, pending{event: e, audience: audience, order: m.order})
}

// triggers reports whether an entry should start work.
func (m *moment) triggers(r *rule, membership *state.Membership, cause event.Cause) bool {
	switch cause {
	case event.CauseChange, event.CauseTimer, event.CauseStatic, event.CauseReference:
	case event.CauseSnapshot:
		if !r.definition.TriggerOnBackfill {
			return false
		}
	case event.CauseDefinition:
		if !r.definition.TriggerOnBackfill || m.generation.Reshaped {
			return false
		}
	default:
		return false
	}
	switch r.definition.TriggerFrequency {
	case evaluator.OncePerUser:
		return !slices.ContainsFunc(m.subject.record.OfAudience(membership.Audience), func(s state.Membership) bool { return s.Triggered })
	case evaluator.OncePerUserAndTenant:
		return !membership.Triggered
	}
	return true
}
