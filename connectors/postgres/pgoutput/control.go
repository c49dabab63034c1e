package pgoutput

import (
	"strconv"
	"strings"
	"time"

	"muster/evaluator"
	"muster/pipeline/event"
)

// Rows of the control schema. Their columns are found by name, since later migrations may add some.

// field returns the text of the column of that name; "" when it is absent, NULL or not sent.
func (r *relation) field(cols []column, name string) string {
	if i := r.place(name); i >= 0 {
		return string(cols[i].text)
	}
	return ""
}

// definition reads a row of commits, nil when it is of another environment.
func (d *Decoder) definition(rel *relation, cols []column) (*event.Definition, error) {
	if rel.field(cols, "environment") != d.config.Environment {
		return nil, nil
	}
	version, err := strconv.ParseUint(rel.field(cols, "version"), 10, 32)
	if err != nil {
		return nil, ErrMalformed
	}
	return &event.Definition{
		Audience: rel.field(cols, "audience"),
		Version:  uint32(version),
		SHA:      rel.field(cols, "sha"),
		Document: []byte(rel.field(cols, "document")),
		Archived: rel.field(cols, "archived") == "t",
	}, nil
}

// member reads a row of members or its key, nil when it is of another environment.
func (d *Decoder) member(rel *relation, cols []column) *event.Member {
	if rel.field(cols, "environment") != d.config.Environment {
		return nil
	}
	return &event.Member{
		Audience: rel.field(cols, "audience"),
		User:     rel.field(cols, "user_id"),
		Tenant:   rel.field(cols, "tenant"),
		AddedAt:  ParseTimestamp(rel.field(cols, "added_at")),
	}
}

// ParseTimestamp reads a timestamptz as printed with DateStyle ISO and TimeZone UTC. What it cannot read is instant 0:
// it is used for the control schema's own columns only, whose values come from the server's clock.
func ParseTimestamp(text string) evaluator.Instant {
	at, err := time.Parse("2006-01-02 15:04:05.999999-07", strings.TrimSpace(text))
	if err != nil {
		return 0
	}
	return evaluator.InstantOf(at)
}
