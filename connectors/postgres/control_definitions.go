package postgres

import (
	"context"
	"errors"
	"fmt"

	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
)

// Version is a version of a definition that is to be committed. Whoever makes it has validated it.
type Version struct {
	Audience     string
	Type         string // dynamic or static
	SHA          string // of the canonical definition
	Document     []byte // canonical JSON
	Archived     bool   // the audience ends; Document is that of the version before
	PromotedFrom string // environment it was promoted from, "" when it was committed here
	Base         uint32 // the version it was made from; a later one there is ErrConflict. 0: whatever is there

	PromotedCommit uint64 // the commit in PromotedFrom
}

// Author says who commits, and why.
type Author struct {
	Name, Email, Message string
}

// Committed is what a commit made.
type Committed = event.Committed

// CommitVersion commits one version, also when it says the same as the one before.
func (c *Control) CommitVersion(ctx context.Context, environment string, version Version, author Author) (Committed, string, error) {
	var committed Committed
	token, err := c.write(ctx, func(tx pgx.Tx) (bool, error) {
		if err := c.lock(ctx, tx, environment); err != nil {
			return false, err
		}
		var err error
		committed, err = c.insert(ctx, tx, environment, version, author)
		return true, err
	})
	return committed, token, err
}

// PushDefinitions commits those versions that differ from the latest of their audience, all in one transaction, and
// returns what it committed, which may be nothing.
func (c *Control) PushDefinitions(ctx context.Context, environment string, versions []Version, author Author) ([]Committed, string, error) {
	var all []Committed
	token, err := c.write(ctx, func(tx pgx.Tx) (bool, error) {
		if err := c.lock(ctx, tx, environment); err != nil {
			return false, err
		}
		latest, err := latestDefinitions(ctx, tx, c.schema, environment)
		if err != nil {
			return false, err
		}
		present := make(map[string]string, len(latest))
		for _, d := range latest {
			if !d.Archived {
				present[d.Audience] = d.SHA
			}
		}
		for _, version := range versions {
			if sha, ok := present[version.Audience]; ok && sha == version.SHA && !version.Archived {
				continue
			}
			committed, err := c.insert(ctx, tx, environment, version, author)
			if err != nil {
				return false, err
			}
			all = append(all, committed)
		}
		return len(all) > 0, nil
	})
	return all, token, err
}

// insert adds a row to commits, under the environment's lock.
func (c *Control) insert(ctx context.Context, tx pgx.Tx, environment string, v Version, author Author) (Committed, error) {
	fail := func(err error) (Committed, error) {
		return Committed{}, fmt.Errorf("commit audience %q in %s: %w", v.Audience, environment, err)
	}
	if err := c.keepType(ctx, tx, environment, v); err != nil {
		return fail(err)
	}
	var last uint32
	err := tx.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM `+c.table("commits")+` WHERE environment = $1 AND audience = $2`,
		environment, v.Audience).Scan(&last)
	if err != nil {
		return fail(err)
	}
	if v.Base != 0 && v.Base != last {
		return fail(fmt.Errorf("%w: it was made from version %d and the latest is %d; pull, merge and commit again", ErrConflict, v.Base, last))
	}
	_, err = tx.Exec(ctx, `INSERT INTO `+c.table("commits")+` (environment, audience, version, sha, document, archived,
       author_name, author_email, message, promoted_from, promoted_commit) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		environment, v.Audience, last+1, v.SHA, string(v.Document), v.Archived, author.Name, author.Email, author.Message, v.PromotedFrom, int64(v.PromotedCommit))
	if err != nil {
		return fail(err)
	}
	return Committed{Audience: v.Audience, Version: last + 1}, nil
}

// keepType records an audience's type at its first commit and holds every later one to it.
func (c *Control) keepType(ctx context.Context, tx pgx.Tx, environment string, v Version) error {
	kind, err := c.audienceType(ctx, tx, environment, v.Audience)
	switch {
	case errors.Is(err, ErrUnknownAudience):
		_, err = tx.Exec(ctx, `INSERT INTO `+c.table("audiences")+` (environment, key, type) VALUES ($1, $2, $3)`, environment, v.Audience, v.Type)
		return err
	case err != nil:
		return err
	case kind != v.Type:
		return fmt.Errorf("%w: it is %s; use another key for a %s one", ErrAudienceType, kind, v.Type)
	}
	return nil
}

func (c *Control) audienceType(ctx context.Context, q queryer, environment, audience string) (string, error) {
	rows, err := q.Query(ctx, `SELECT type FROM `+c.table("audiences")+` WHERE environment = $1 AND key = $2`, environment, audience)
	if err != nil {
		return "", fmt.Errorf("read the type of audience %q in %s: %w", audience, environment, err)
	}
	kind, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
	if errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("%w: %q in %s", ErrUnknownAudience, audience, environment)
	}
	if err != nil {
		return "", fmt.Errorf("read the type of audience %q in %s: %w", audience, environment, err)
	}
	return kind, nil
}
