package clickhouse

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"muster/evaluator"
)

// History answers questions about the past of one environment. It only reads, and any number of goroutines may use it.
// Each method returns rows as they arrive, and ends with the error that cut them short, if one did.
type History struct{ *session }

// OpenHistory returns a history over connections of its own, for Close to close. The schema must exist (Sink.Recover).
func OpenHistory(options Options) (*History, error) {
	session, err := connect(options)
	if err != nil {
		return nil, err
	}
	return &History{session}, nil
}

// Transition is one entry or exit, as in the user_timeline view.
type Transition struct {
	Sequence   uint64    `ch:"sequence" json:"sequence"`
	OccurredAt time.Time `ch:"occurred_at" json:"occurred_at"`
	Audience   string    `ch:"audience" json:"audience"`
	Tenant     string    `ch:"tenant" json:"tenant,omitempty"`
	Type       string    `ch:"type" json:"type"`
	Cause      string    `ch:"cause" json:"cause"`
	Trigger    bool      `ch:"trigger" json:"trigger"`
	Version    uint32    `ch:"audience_version" json:"audience_version"`
	EntryCount uint64    `ch:"entry_count" json:"entry_count"`
	EnteredAt  time.Time `ch:"entered_at" json:"entered_at"`
	ID         string    `ch:"event" json:"id"`
}

// User returns all that happened to a user, in the order in which it happened.
func (h *History) User(ctx context.Context, user string) iter.Seq2[Transition, error] {
	return stream[Transition](h, ctx, "history of user "+user, `
		SELECT sequence, occurred_at, audience, tenant, type, cause, trigger, audience_version, entry_count, entered_at,
		       toString(id) AS event
		FROM `+h.names.table("user_timeline")+`
		WHERE environment = {environment:String} AND user_id = {user:String}
		ORDER BY sequence`, "user", user)
}

// Member is one member of an audience at some instant.
type Member struct {
	User       string    `ch:"user_id" json:"user_id"`
	Tenant     string    `ch:"tenant" json:"tenant,omitempty"`
	EnteredAt  time.Time `ch:"entered_at" json:"entered_at"`
	EntryCount uint64    `ch:"entry_count" json:"entry_count"`
}

// Members returns the members that an audience has now, by user id.
func (h *History) Members(ctx context.Context, audience string) iter.Seq2[Member, error] {
	return stream[Member](h, ctx, "members of "+audience, `
		SELECT user_id, tenant, entered_at, entry_count
		FROM `+h.names.table("members")+`
		WHERE environment = {environment:String} AND audience = {audience:String}
		ORDER BY user_id, tenant`, "audience", audience)
}

// MembersAt returns the members that an audience had at an instant, by user id. What happened at that very instant has
// happened.
func (h *History) MembersAt(ctx context.Context, audience string, at time.Time) iter.Seq2[Member, error] {
	return stream[Member](h, ctx, "members of "+audience, `
		SELECT user_id, tenant, entered_at, entry_count
		FROM `+h.names.table("members_at")+`(at = {at:DateTime64(6, 'UTC')})
		WHERE environment = {environment:String} AND audience = {audience:String}
		ORDER BY user_id, tenant`, "audience", audience, "at", parameter(evaluator.InstantOf(at)))
}

// Difference is one membership that an audience has at one of two instants and not at the other.
type Difference struct {
	User   string    `ch:"user_id" json:"user_id"`
	Tenant string    `ch:"tenant" json:"tenant,omitempty"`
	Came   bool      `ch:"came" json:"came"` // else it went
	At     time.Time `ch:"changed_at" json:"at"`
}

// Diff returns who came and who went between two instants, by user id: those who are in at `to` and were not at `from`,
// with the instant of their latest entry, and those who were in at `from` and are not at `to`, with that of their latest
// exit. Who came and went again within is in neither.
func (h *History) Diff(ctx context.Context, audience string, from, to time.Time) iter.Seq2[Difference, error] {
	of := ` WHERE environment = {environment:String} AND audience = {audience:String}`
	return stream[Difference](h, ctx, "difference of "+audience, `
		SELECT user_id, tenant, countIf(side = 'to') > 0 AS came,
		       if(came, maxIf(instant, side = 'to'), maxIf(instant, side = 'exit')) AS changed_at
		FROM
		(
			SELECT 'from' AS side, user_id, tenant, entered_at AS instant
			FROM `+h.names.table("members_at")+`(at = {from:DateTime64(6, 'UTC')})`+of+`
			UNION ALL
			SELECT 'to' AS side, user_id, tenant, entered_at AS instant
			FROM `+h.names.table("members_at")+`(at = {to:DateTime64(6, 'UTC')})`+of+`
			UNION ALL
			SELECT 'exit' AS side, user_id, tenant, occurred_at AS instant
			FROM `+h.names.table(eventsTable)+of+` AND type = 'audience.exited'
				AND occurred_at > {from:DateTime64(6, 'UTC')} AND occurred_at <= {to:DateTime64(6, 'UTC')}
		)
		GROUP BY user_id, tenant
		HAVING (countIf(side = 'from') > 0) != (countIf(side = 'to') > 0)
		ORDER BY user_id, tenant`,
		"audience", audience, "from", parameter(evaluator.InstantOf(from)), "to", parameter(evaluator.InstantOf(to)))
}

// stream runs a query with the environment as a parameter and scans each row into a T by the tags of its fields.
func stream[T any](h *History, ctx context.Context, doing, query string, pairs ...string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		fail := func(err error) {
			if known := h.terminal(doing, err); known != nil {
				err = known
			} else {
				err = fmt.Errorf("clickhouse: %s: %w", doing, err)
			}
			var zero T
			yield(zero, err)
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		found, err := h.conn.Query(ctx, query, parameters(append(pairs, "environment", h.options.Environment)...)...)
		if err != nil {
			fail(err)
			return
		}
		defer drop(cancel, found)
		for found.Next() {
			var row T
			if err := found.ScanStruct(&row); err != nil {
				fail(err)
				return
			}
			if !yield(row, nil) {
				return
			}
		}
		if err := found.Err(); err != nil {
			fail(err)
		}
	}
}

// drop ends a query whose reader has gone. Without the cancellation, Close would read the rest of its rows first.
func drop(cancel context.CancelFunc, found driver.Rows) {
	cancel()
	_ = found.Close() // nothing more is wanted of it
}
