package clickhouse

import (
	"context"
	"time"

	"muster/evaluator"
	"muster/pipeline/event"
)

// Definition is one version of an audience and when it was committed.
type Definition struct {
	event.Definition
	CommittedAt evaluator.Instant
}

// RecordDefinitions returns nil once the versions are in ClickHouse, retrying as Deliver does. Versions recorded before are
// left as they are, so a caller may record all it knows of whenever it starts.
func (s *Sink) RecordDefinitions(ctx context.Context, definitions ...Definition) error {
	if len(definitions) == 0 {
		return nil
	}
	r := definitionRows{environment: s.options.Environment}
	for i := range definitions {
		r.append(&definitions[i])
	}
	return s.insert(ctx, s.names.table(definitionsTable), &r, "")
}

type definitionRows struct {
	environment                           string
	environments, audience, sha, document []string
	version                               []uint32
	archived                              []bool
	committedAt                           []time.Time
}

func (r *definitionRows) append(d *Definition) {
	r.environments = append(r.environments, r.environment)
	r.audience = append(r.audience, d.Audience)
	r.version = append(r.version, d.Version)
	r.sha = append(r.sha, d.SHA)
	r.document = append(r.document, string(d.Document))
	r.archived = append(r.archived, d.Archived)
	r.committedAt = append(r.committedAt, dateTime(d.CommittedAt))
}

func (r *definitionRows) len() int { return len(r.version) }

func (r *definitionRows) columns() []column {
	return []column{
		{"environment", "LowCardinality(String)", r.environments},
		{"audience", "LowCardinality(String)", r.audience},
		{"version", "UInt32", r.version},
		{"sha", "SimpleAggregateFunction(any, String)", r.sha},
		{"document", "SimpleAggregateFunction(any, String)", r.document},
		{"archived", "SimpleAggregateFunction(any, Bool)", r.archived},
		{"committed_at", "SimpleAggregateFunction(min, DateTime64(6, 'UTC'))", r.committedAt},
	}
}
