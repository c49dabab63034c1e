package clickhouse

import (
	"context"
	"iter"
	"time"
)

// Published is what is on record of one membership: its last event.
type Published struct {
	Audience   string    `ch:"audience" json:"audience"`
	User       string    `ch:"user_id" json:"user_id"`
	Tenant     string    `ch:"tenant" json:"tenant,omitempty"`
	Member     bool      `ch:"member" json:"member"` // the last event was an entry
	Version    uint32    `ch:"audience_version" json:"audience_version"`
	EntryCount uint64    `ch:"entry_count" json:"entry_count"`
	EnteredAt  time.Time `ch:"entered_at" json:"entered_at"`
	OccurredAt time.Time `ch:"occurred_at" json:"occurred_at"`
	Sequence   uint64    `ch:"sequence" json:"sequence"`
}

// Published returns every membership there ever was in the environment, present and past, by audience, user and tenant:
// what a rebuild goes on from and a verification compares with.
func (h *History) Published(ctx context.Context) iter.Seq2[Published, error] {
	return stream[Published](h, ctx, "memberships on record", `
		SELECT audience, user_id, tenant, type = 'audience.entered' AS member, audience_version, entry_count, entered_at, occurred_at, sequence
		FROM `+h.names.table(membershipsTable)+` FINAL
		WHERE environment = {environment:String}
		ORDER BY audience, user_id, tenant`)
}

// LastSequence returns the highest sequence on record in the environment, 0 if there is none.
func (h *History) LastSequence(ctx context.Context) (uint64, error) {
	type last struct {
		Sequence uint64 `ch:"last"`
	}
	var found uint64
	for row, err := range stream[last](h, ctx, "last sequence on record", `
		SELECT max(sequence) AS last FROM `+h.names.table(membershipsTable)+` WHERE environment = {environment:String}`) {
		if err != nil {
			return 0, err
		}
		found = row.Sequence
	}
	return found, nil
}
