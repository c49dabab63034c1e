package clickhouse

import "muster/pipeline/event"

// membershipRows are rows of memberships: of each membership in a batch, its last event.
type membershipRows struct {
	transitionRows
	last map[membership]int
}

type membership struct{ audience, user, tenant string }

func membershipOf(e *event.Event) membership { return membership{e.Audience, e.User, e.Tenant} }

func (r *membershipRows) fill(events []event.Event) {
	r.truncate()
	if r.last == nil {
		r.last = make(map[membership]int, len(events))
	}
	clear(r.last)
	for i := range events {
		r.last[membershipOf(&events[i])] = i
	}
	for i := range events {
		if r.last[membershipOf(&events[i])] == i {
			r.append(&events[i])
		}
	}
}
