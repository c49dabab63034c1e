package postgres

import (
	"context"
	"fmt"

	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
)

// queryer is what pgx connections, pools and transactions have in common for reading.
type queryer interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// latestDefinitions returns the latest version of each audience of the environment, archived ones included, by key.
func latestDefinitions(ctx context.Context, q queryer, schema, environment string) ([]event.Definition, error) {
	rows, err := q.Query(ctx, `SELECT DISTINCT ON (audience) audience, version, sha, document, archived
  FROM `+tableName{schema, "commits"}.quoted()+` WHERE environment = $1 ORDER BY audience, version DESC`, environment)
	if err != nil {
		return nil, fmt.Errorf("read the latest definitions: %w", err)
	}
	definitions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (event.Definition, error) {
		var d event.Definition
		err := row.Scan(&d.Audience, &d.Version, &d.SHA, &d.Document, &d.Archived)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the latest definitions: %w", err)
	}
	return definitions, nil
}
