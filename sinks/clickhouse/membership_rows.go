package clickhouse

import (
	"time"

	"muster/pipeline/event"
)

// membershipRows are rows of memberships: of each membership in a batch, its last event. The slices are kept from batch
// to batch.
type membershipRows struct {
	last                                             map[membership]int
	environment, audience, user, tenant, kind, cause []string
	properties                                       []string
	sequence, entryCount                             []uint64
	version                                          []uint32
	occurredAt, enteredAt                            []time.Time
}

type membership struct{ audience, user, tenant string }

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

func membershipOf(e *event.Event) membership { return membership{e.Audience, e.User, e.Tenant} }

func (r *membershipRows) append(e *event.Event) {
	r.sequence = append(r.sequence, e.Sequence)
	r.environment = append(r.environment, e.Environment)
	r.audience = append(r.audience, e.Audience)
	r.version = append(r.version, e.Version)
	r.user = append(r.user, e.User)
	r.tenant = append(r.tenant, e.Tenant)
	r.kind = append(r.kind, e.Type.String())
	r.cause = append(r.cause, e.Cause.String())
	r.occurredAt = append(r.occurredAt, dateTime(e.OccurredAt))
	r.enteredAt = append(r.enteredAt, dateTime(e.EnteredAt))
	r.entryCount = append(r.entryCount, e.EntryCount)
	r.properties = append(r.properties, string(e.Properties))
}

func (r *membershipRows) truncate() {
	for _, s := range []*[]string{&r.environment, &r.audience, &r.user, &r.tenant, &r.kind, &r.cause, &r.properties} {
		*s = (*s)[:0]
	}
	r.sequence, r.entryCount, r.version = r.sequence[:0], r.entryCount[:0], r.version[:0]
	r.occurredAt, r.enteredAt = r.occurredAt[:0], r.enteredAt[:0]
}

func (r *membershipRows) len() int { return len(r.sequence) }

func (r *membershipRows) columns() []column {
	return []column{
		{"sequence", "UInt64", r.sequence},
		{"environment", "LowCardinality(String)", r.environment},
		{"audience", "LowCardinality(String)", r.audience},
		{"audience_version", "UInt32", r.version},
		{"user_id", "String", r.user},
		{"tenant", "String", r.tenant},
		{"type", "LowCardinality(String)", r.kind},
		{"cause", "LowCardinality(String)", r.cause},
		{"occurred_at", dateTimeKind, r.occurredAt},
		{"entered_at", dateTimeKind, r.enteredAt},
		{"entry_count", "UInt64", r.entryCount},
		{"user", "String", r.properties},
	}
}
