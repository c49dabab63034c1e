package clickhouse

import (
	"time"

	"muster/pipeline/event"
)

// eventRows are rows of membership_events.
type eventRows struct {
	transitionRows
	id         []string
	trigger    []bool
	recordedAt []time.Time
	lsn        []uint64
	lsnIndex   []uint32
}

func (r *eventRows) fill(events []event.Event) {
	r.truncate()
	for i := range events {
		e := &events[i]
		r.append(e)
		r.id = append(r.id, e.ID())
		r.trigger = append(r.trigger, e.Trigger)
		// The commit time, and not that of the insert: it is the same in every resend.
		r.recordedAt = append(r.recordedAt, dateTime(e.CommittedAt))
		r.lsn = append(r.lsn, uint64(e.Position.LSN))
		r.lsnIndex = append(r.lsnIndex, e.Position.Index)
	}
}

func (r *eventRows) truncate() {
	r.transitionRows.truncate()
	r.id, r.trigger, r.recordedAt = r.id[:0], r.trigger[:0], r.recordedAt[:0]
	r.lsn, r.lsnIndex = r.lsn[:0], r.lsnIndex[:0]
}

func (r *eventRows) columns() []column {
	return append(r.transitionRows.columns(),
		column{"id", "UUID", r.id},
		column{"trigger", "Bool", r.trigger},
		column{"recorded_at", dateTimeKind, r.recordedAt},
		column{"lsn", "UInt64", r.lsn},
		column{"lsn_index", "UInt32", r.lsnIndex},
	)
}
