package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"muster/evaluator"
	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
)

// audiencesOf selects what an environment ($1) holds under each key, with drafts in front when $2.
func (c *Control) audiencesOf() string {
	return `
  WITH latest AS (SELECT DISTINCT ON (audience) audience, version, sha, document, archived, created_at
                    FROM ` + c.table("commits") + ` WHERE environment = $1 ORDER BY audience, version DESC),
       draft AS (SELECT * FROM ` + c.table("drafts") + ` WHERE environment = $1 AND $2)
SELECT coalesce(d.audience, l.audience) AS key, coalesce(d.type, a.type), coalesce(d.sha, l.sha), coalesce(d.document, l.document),
       CASE WHEN l.archived THEN 0 ELSE coalesce(l.version, 0) END, d.audience IS NOT NULL,
       coalesce(a.created_at, d.created_at), coalesce(d.updated_at, l.created_at)
  FROM latest l FULL JOIN draft d ON d.audience = l.audience
  LEFT JOIN ` + c.table("audiences") + ` a ON a.environment = $1 AND a.key = coalesce(d.audience, l.audience)
 WHERE (d.audience IS NOT NULL OR NOT l.archived)`
}

func scanAudience(environment string) pgx.RowToFunc[event.Audience] {
	return func(row pgx.CollectableRow) (event.Audience, error) {
		a := event.Audience{Environment: environment}
		err := row.Scan(&a.Key, &a.Type, &a.SHA, &a.Document, &a.Version, &a.Draft, &a.CreatedAt, &a.UpdatedAt)
		a.CreatedAt, a.UpdatedAt = a.CreatedAt.UTC(), a.UpdatedAt.UTC()
		return a, err
	}
}

// Audience returns what the environment holds under a key: with drafts, the draft if there is one, else the latest version.
// An archived audience is none: ErrUnknownAudience.
func (c *Control) Audience(ctx context.Context, environment, key string, drafts bool) (event.Audience, error) {
	return c.audience(ctx, c.pool, environment, key, drafts)
}

func (c *Control) audience(ctx context.Context, q queryer, environment, key string, drafts bool) (event.Audience, error) {
	rows, err := q.Query(ctx, c.audiencesOf()+` AND coalesce(d.audience, l.audience) = $3`, environment, drafts, key)
	if err != nil {
		return event.Audience{}, fmt.Errorf("read audience %q in %s: %w", key, environment, err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanAudience(environment))
	if errors.Is(err, pgx.ErrNoRows) {
		return event.Audience{}, fmt.Errorf("%w: %q in %s", ErrUnknownAudience, key, environment)
	}
	if err != nil {
		return event.Audience{}, fmt.Errorf("read audience %q in %s: %w", key, environment, err)
	}
	return a, nil
}

// ListAudiences returns up to limit audiences after the key from, in the order of their keys, or those before it, nearest
// first. From "" is the beginning, or the end.
func (c *Control) ListAudiences(ctx context.Context, environment string, drafts bool, from string, backward bool, limit int) ([]event.Audience, error) {
	key := `coalesce(d.audience, l.audience) COLLATE "C"`
	rows, err := c.pool.Query(ctx, c.audiencesOf()+beyond(key, `$3`, from == "", backward)+` LIMIT $4`, environment, drafts, from, limit)
	if err != nil {
		return nil, fmt.Errorf("list audiences of %s: %w", environment, err)
	}
	list, err := pgx.CollectRows(rows, scanAudience(environment))
	if err != nil {
		return nil, fmt.Errorf("list audiences of %s: %w", environment, err)
	}
	return list, nil
}

// beyond is the condition and the order of rows after a key or before it, nearest first.
func beyond(column, from string, fromEnd, backward bool) string {
	compare, order := ">", ""
	if backward {
		compare, order = "<", " DESC"
	}
	if fromEnd {
		return ` AND ` + from + `::text IS NOT NULL ORDER BY ` + column + order
	}
	return ` AND ` + column + ` ` + compare + ` ` + from + ` ORDER BY ` + column + order
}

// Definitions returns every definition of an environment as it is, with drafts in place of what they are to become.
func (c *Control) Definitions(ctx context.Context, environment string, drafts bool) ([]*evaluator.Definition, error) {
	rows, err := c.pool.Query(ctx, c.audiencesOf()+` ORDER BY 1`, environment, drafts)
	if err != nil {
		return nil, fmt.Errorf("read the definitions of %s: %w", environment, err)
	}
	list, err := pgx.CollectRows(rows, scanAudience(environment))
	if err != nil {
		return nil, fmt.Errorf("read the definitions of %s: %w", environment, err)
	}
	definitions := make([]*evaluator.Definition, 0, len(list))
	for _, a := range list {
		d, err := evaluator.Decode(a.Document, a.Key)
		if err != nil {
			continue // written by other hands; it serves nothing, and whoever refers to it is told so
		}
		definitions = append(definitions, d)
	}
	return slices.Clip(definitions), nil
}

// AudienceType returns what kind of audience a key is for ever, also when it is archived; ErrUnknownAudience when it never
// was one.
func (c *Control) AudienceType(ctx context.Context, environment, key string) (string, error) {
	return c.audienceType(ctx, c.pool, environment, key)
}
