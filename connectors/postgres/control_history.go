package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
)

// ErrUnknownCommit says that there is no such commit or version.
var ErrUnknownCommit = errors.New("no such commit")

const commitColumns = `c.id, c.environment, c.audience, c.version, c.sha, c.document, c.archived, c.author_name, c.author_email, c.message,
       c.promoted_from, c.promoted_commit, c.created_at`

func scanCommit(row pgx.CollectableRow) (event.Commit, error) {
	var c event.Commit
	err := row.Scan(&c.ID, &c.Environment, &c.Audience, &c.Version, &c.SHA, &c.Document, &c.Archived, &c.Author.Name, &c.Author.Email,
		&c.Message, &c.PromotedFrom, &c.PromotedCommit, &c.CreatedAt)
	c.CreatedAt = c.CreatedAt.UTC()
	return c, err
}

// ListCommits returns up to limit commits older than the id from, newest first, or those newer than it, oldest first. From 0
// is the newest, or the oldest.
func (c *Control) ListCommits(ctx context.Context, filter event.CommitFilter, from uint64, backward bool, limit int) ([]event.Commit, error) {
	where := ` WHERE c.environment = $1 AND ($2 = '' OR c.audience = $2)
   AND ($3::boolean IS NULL OR $3 = EXISTS (SELECT FROM ` + c.table("commits") + ` p WHERE p.environment = $4 AND p.audience = c.audience
       AND p.promoted_from = c.environment AND p.promoted_commit >= c.id))`
	compare, order := `<`, ` DESC`
	if backward {
		compare, order = `>`, ``
	}
	rows, err := c.pool.Query(ctx, `SELECT `+commitColumns+` FROM `+c.table("commits")+` c`+where+
		` AND ($5::bigint = 0 OR c.id `+compare+` $5) ORDER BY c.id`+order+` LIMIT $6`,
		filter.Environment, filter.Audience, filter.Promoted, filter.Next, int64(from), limit)
	if err != nil {
		return nil, fmt.Errorf("list commits of %s: %w", filter.Environment, err)
	}
	list, err := pgx.CollectRows(rows, scanCommit)
	if err != nil {
		return nil, fmt.Errorf("list commits of %s: %w", filter.Environment, err)
	}
	return list, nil
}

// Commit returns one commit by its id; ErrUnknownCommit when there is none.
func (c *Control) Commit(ctx context.Context, id uint64) (event.Commit, error) {
	return c.oneCommit(ctx, c.pool, fmt.Sprintf("commit %d", id), `c.id = $1`, int64(id))
}

// Version returns one version of an audience; ErrUnknownCommit when there is none.
func (c *Control) Version(ctx context.Context, environment, audience string, version uint32) (event.Commit, error) {
	return c.oneCommit(ctx, c.pool, fmt.Sprintf("version %d of audience %q in %s", version, audience, environment),
		`c.environment = $1 AND c.audience = $2 AND c.version = $3`, environment, audience, version)
}

func (c *Control) oneCommit(ctx context.Context, q queryer, what, where string, args ...any) (event.Commit, error) {
	rows, err := q.Query(ctx, `SELECT `+commitColumns+` FROM `+c.table("commits")+` c WHERE `+where, args...)
	if err != nil {
		return event.Commit{}, fmt.Errorf("read %s: %w", what, err)
	}
	commit, err := pgx.CollectExactlyOneRow(rows, scanCommit)
	if errors.Is(err, pgx.ErrNoRows) {
		return event.Commit{}, fmt.Errorf("%w: %s", ErrUnknownCommit, what)
	}
	if err != nil {
		return event.Commit{}, fmt.Errorf("read %s: %w", what, err)
	}
	return commit, nil
}

// Revert commits what an audience said in an earlier version, as a new version. An audience that was archived comes back so.
func (c *Control) Revert(ctx context.Context, environment, audience string, version uint32, message string, author event.Author) (event.Audience, string, error) {
	p := event.Proposal{Environment: environment, Audience: audience}
	return c.propose(ctx, p, func(ctx context.Context, x *change) error {
		was, err := c.oneCommit(ctx, x.tx, fmt.Sprintf("version %d of audience %q in %s", version, audience, environment),
			`c.environment = $1 AND c.audience = $2 AND c.version = $3`, environment, audience, version)
		if err != nil {
			return err
		}
		if was.Archived {
			return fmt.Errorf("%w: version %d of audience %q is its end; archive it again instead", ErrUnknownCommit, version, audience)
		}
		if live := x.live(audience); live != nil && live.SHA == was.SHA {
			return nil
		}
		kind, err := c.audienceType(ctx, x.tx, environment, audience)
		if err != nil {
			return err
		}
		v := Version{Audience: audience, Type: kind, SHA: was.SHA, Document: was.Document}
		if err := x.commit(ctx, v, Author{Name: author.Name, Email: author.Email, Message: message}); err != nil {
			return err
		}
		return x.check()
	})
}

// Environments returns when the control schema was made, and when something was last committed in each environment that has
// a commit.
func (c *Control) Environments(ctx context.Context) (made time.Time, last map[string]time.Time, err error) {
	if err := c.pool.QueryRow(ctx, `SELECT min(applied_at) FROM `+c.table("schema_migrations")).Scan(&made); err != nil {
		return time.Time{}, nil, fmt.Errorf("read when the control schema was made: %w", err)
	}
	rows, err := c.pool.Query(ctx, `SELECT environment, max(created_at) FROM `+c.table("commits")+` GROUP BY environment`)
	if err != nil {
		return time.Time{}, nil, fmt.Errorf("read the last commits: %w", err)
	}
	last = make(map[string]time.Time)
	var environment string
	var at time.Time
	_, err = pgx.ForEachRow(rows, []any{&environment, &at}, func() error {
		last[environment] = at.UTC()
		return nil
	})
	if err != nil {
		return time.Time{}, nil, fmt.Errorf("read the last commits: %w", err)
	}
	return made.UTC(), last, nil
}
