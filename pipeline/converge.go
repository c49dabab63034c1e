package pipeline

import (
	"cmp"
	"slices"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// turn is a membership that is about to begin or end.
type turn struct {
	level    int
	audience evaluator.AudienceID
	tenant   string
	entered  bool
	cause    event.Cause
}

// turns publishes turns in such an order that an audience comes after those it refers to.
func (m *moment) turns(list []turn, row *evaluator.Row) {
	slices.SortFunc(list, func(a, b turn) int {
		return cmp.Or(cmp.Compare(a.level, b.level), cmp.Compare(a.audience, b.audience), cmp.Compare(a.tenant, b.tenant))
	})
	for _, t := range list {
		m.turn(t.audience, t.tenant, t.entered, t.cause, row)
	}
}

// converge makes a subject's memberships what in.Given and the worker's match say, whatever they were before.
func (w *worker) converge(m *moment, in *evaluator.Input, row *evaluator.Row) {
	g, record := m.generation, &m.subject.record
	list := w.turns[:0]
	enter := func(r *rule, tenant string) {
		if have := record.Membership(r.id, tenant); have == nil || !have.In {
			list = append(list, turn{r.level, r.id, tenant, true, m.own})
		}
	}
	for _, id := range w.match.Members {
		if r := g.rules[id]; !r.definition.Given() {
			enter(r, "")
		}
	}
	for _, given := range in.Given {
		enter(g.rules[given.Audience], given.Tenant)
	}
	for i := range record.Memberships {
		have := &record.Memberships[i]
		if !have.In || stays(g, have, w.match.Members, in.Given) {
			continue
		}
		level := 0
		if r := g.rules[have.Audience]; r != nil {
			level = r.level
		}
		list = append(list, turn{level, have.Audience, have.Tenant, false, m.own})
	}
	m.turns(list, row)
	w.turns = list
}

// stays reports whether a membership goes on under a generation.
func stays(g *generation, have *state.Membership, members []evaluator.AudienceID, given []evaluator.Given) bool {
	r := g.rules[have.Audience]
	switch {
	case r == nil:
		return false
	case r.definition.Given():
		return slices.Contains(given, evaluator.Given{Audience: have.Audience, Tenant: have.Tenant})
	}
	_, found := slices.BinarySearch(members, have.Audience)
	return found && have.Tenant == ""
}

// leave ends every membership of a user that is gone.
func (w *worker) leave(m *moment, gone *evaluator.Input, row *evaluator.Row) {
	w.match.Members = w.match.Members[:0]
	m.subject.record.Waits = m.subject.record.Waits[:0]
	m.subject.record.Flip = evaluator.NoInstant
	w.converge(m, gone, row)
}
