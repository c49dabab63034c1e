package clickhouse

import (
	"time"

	"muster/evaluator"
	"muster/pipeline/event"
)

// column is one column of an insert: its name and type in the table, and its values.
type column struct {
	name, kind string
	values     any // a slice
}

// rows are the rows of one insert, column by column. Filling and sending are apart so that a resend sends the same bytes.
type rows interface {
	columns() []column
	len() int
}

// transitionRows are what both tables have of an event. The slices are kept from batch to batch.
type transitionRows struct {
	environment, audience, user, tenant, kind, cause, properties []string
	sequence, entryCount                                         []uint64
	version                                                      []uint32
	occurredAt, enteredAt                                        []time.Time
}

func (r *transitionRows) append(e *event.Event) {
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

func (r *transitionRows) truncate() {
	for _, s := range []*[]string{&r.environment, &r.audience, &r.user, &r.tenant, &r.kind, &r.cause, &r.properties} {
		*s = (*s)[:0]
	}
	r.sequence, r.entryCount, r.version = r.sequence[:0], r.entryCount[:0], r.version[:0]
	r.occurredAt, r.enteredAt = r.occurredAt[:0], r.enteredAt[:0]
}

func (r *transitionRows) len() int { return len(r.sequence) }

func (r *transitionRows) columns() []column {
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

const dateTimeKind = "DateTime64(6, 'UTC')"

// The range of DateTime64(6). Beyond it ClickHouse is silent about what it stores.
var (
	firstDateTime = evaluator.InstantOf(time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC))
	lastDateTime  = evaluator.InstantOf(time.Date(2261, 12, 31, 23, 59, 59, 999_999_000, time.UTC))
)

// dateTime is the instant as a DateTime64, the nearest one if it is out of its range. Instants of events are times of
// commits and of flips that a commit has reached, so this is for databases with a clock gone wild.
func dateTime(i evaluator.Instant) time.Time {
	return min(max(i, firstDateTime), lastDateTime).Time()
}
