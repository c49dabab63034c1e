package clickhouse

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"time"

	"muster/evaluator"
	"muster/pipeline/event"
)

// PublishedAt is Published as of a sequence, by user, audience and tenant: the memberships as the events up to it left
// them. A membership whose events up to it the TTL has taken away is left out when later events hide what it was.
func (h *History) PublishedAt(ctx context.Context, sequence uint64) iter.Seq2[Published, error] {
	return stream[Published](h, ctx, "memberships on record", `
		SELECT audience, user_id, tenant, latest.2 = 'audience.entered' AS member, latest.3 AS audience_version,
		       latest.4 AS entry_count, latest.5 AS entered_at, latest.6 AS occurred_at, latest.1 AS sequence
		FROM
		(
			SELECT audience, user_id, tenant, max(known) AS latest
			FROM
			(
				SELECT audience, user_id, tenant, (sequence, toString(type), audience_version, entry_count, entered_at, occurred_at) AS known
				FROM `+h.names.table(membershipsTable)+` FINAL
				WHERE environment = {environment:String} AND sequence <= {sequence:UInt64}
				UNION ALL
				SELECT audience, user_id, tenant, (sequence, toString(type), audience_version, entry_count, entered_at, occurred_at) AS known
				FROM `+h.names.table(eventsTable)+`
				WHERE environment = {environment:String} AND sequence <= {sequence:UInt64}
			)
			GROUP BY audience, user_id, tenant
		)
		ORDER BY user_id, audience, tenant`, "sequence", strconv.FormatUint(sequence, 10))
}

// Triggered returns the memberships of which an entry had trigger true, as far as the history goes back.
func (h *History) Triggered(ctx context.Context) iter.Seq2[Published, error] {
	return stream[Published](h, ctx, "triggers on record", `
		SELECT audience, user_id, tenant FROM `+h.names.table(eventsTable)+`
		WHERE environment = {environment:String} AND trigger
		GROUP BY audience, user_id, tenant`)
}

// Events returns the events behind a sequence, ascending, as they were published.
func (h *History) Events(ctx context.Context, after uint64) iter.Seq2[event.Event, error] {
	rows := stream[eventRow](h, ctx, "events on record", `
		SELECT toString(id) AS event, sequence, environment, audience, audience_version, user_id, tenant, type, cause, trigger, occurred_at, recorded_at,
		       entered_at, entry_count, lsn, lsn_index, user
		FROM `+h.names.table(eventsTable)+` FINAL
		WHERE environment = {environment:String} AND sequence > {after:UInt64}
		ORDER BY sequence`, "after", strconv.FormatUint(after, 10))
	return func(yield func(event.Event, error) bool) {
		for row, err := range rows {
			var e event.Event
			if err == nil {
				e, err = row.event()
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// eventRow is a row of membership_events.
type eventRow struct {
	ID          string    `ch:"event"`
	Sequence    uint64    `ch:"sequence"`
	Environment string    `ch:"environment"`
	Audience    string    `ch:"audience"`
	Version     uint32    `ch:"audience_version"`
	User        string    `ch:"user_id"`
	Tenant      string    `ch:"tenant"`
	Type        string    `ch:"type"`
	Cause       string    `ch:"cause"`
	Trigger     bool      `ch:"trigger"`
	OccurredAt  time.Time `ch:"occurred_at"`
	RecordedAt  time.Time `ch:"recorded_at"`
	EnteredAt   time.Time `ch:"entered_at"`
	EntryCount  uint64    `ch:"entry_count"`
	LSN         uint64    `ch:"lsn"`
	LSNIndex    uint32    `ch:"lsn_index"`
	Properties  string    `ch:"user"`
}

func (r *eventRow) event() (event.Event, error) {
	e := event.Event{
		Sequence: r.Sequence, Environment: r.Environment, Audience: r.Audience, Version: r.Version, User: r.User, Tenant: r.Tenant,
		OccurredAt: evaluator.InstantOf(r.OccurredAt), Trigger: r.Trigger, EntryCount: r.EntryCount, EnteredAt: evaluator.InstantOf(r.EnteredAt),
		Position: event.Position{LSN: event.LSN(r.LSN), Index: r.LSNIndex}, CommittedAt: evaluator.InstantOf(r.RecordedAt),
	}
	if r.Properties != "" {
		e.Properties = []byte(r.Properties)
	}
	var err error
	if e.Type, err = event.ParseType(r.Type); err == nil {
		e.Cause, err = event.ParseCause(r.Cause)
	}
	if err == nil && e.ID() != r.ID {
		err = fmt.Errorf("its id is %s and should be %s", r.ID, e.ID())
	}
	if err != nil {
		return event.Event{}, fmt.Errorf("event %d on record: %w", r.Sequence, err)
	}
	return e, nil
}
