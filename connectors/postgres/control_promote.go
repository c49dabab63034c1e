package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
)

// PromoteCommit carries one commit to another environment as it is: content, author and message. What is there already is
// left alone. A target that has a later commit of the audience, or a version of its own that this environment never had, is
// a conflict unless forced.
func (c *Control) PromoteCommit(ctx context.Context, id uint64, to string, force bool) (event.Commit, string, error) {
	source, err := c.Commit(ctx, id)
	if err != nil {
		return event.Commit{}, "", err
	}
	var carried event.Commit
	token, err := c.write(ctx, func(tx pgx.Tx) (bool, error) {
		x, err := c.change(ctx, tx, to)
		if err != nil {
			return false, err
		}
		if err := x.promote(ctx, source, force); err != nil {
			return false, err
		}
		if err := x.check(); err != nil {
			return false, err
		}
		carried, err = c.oneCommit(ctx, tx, fmt.Sprintf("the latest version of audience %q in %s", source.Audience, to),
			`c.environment = $1 AND c.audience = $2 AND c.version = $3`, to, source.Audience, x.latest[source.Audience].Version)
		return len(x.made) > 0, err
	})
	if err != nil {
		return event.Commit{}, "", err
	}
	return carried, token, nil
}

// PromoteAll carries the latest commit of every audience of an environment to another, in one transaction, and returns what
// was committed there.
func (c *Control) PromoteAll(ctx context.Context, from, to string, force bool) ([]Committed, string, error) {
	var made []Committed
	token, err := c.write(ctx, func(tx pgx.Tx) (bool, error) {
		environments := []string{from, to}
		slices.Sort(environments) // whoever locks several does so in this order
		changes := make(map[string]*change, 2)
		for _, environment := range environments {
			x, err := c.change(ctx, tx, environment)
			if err != nil {
				return false, err
			}
			changes[environment] = x
		}
		target := changes[to]
		for _, key := range slices.Sorted(maps.Keys(changes[from].latest)) {
			latest := changes[from].latest[key]
			if here, ok := target.latest[key]; ok && here.SHA == latest.SHA && here.Archived == latest.Archived {
				continue
			}
			source, err := c.oneCommit(ctx, tx, fmt.Sprintf("version %d of audience %q in %s", latest.Version, key, from),
				`c.environment = $1 AND c.audience = $2 AND c.version = $3`, from, key, latest.Version)
			if err != nil {
				return false, err
			}
			if err := target.promote(ctx, source, force); err != nil {
				return false, err
			}
		}
		made = target.made
		return len(made) > 0, target.check()
	})
	if err != nil {
		return nil, "", err
	}
	return made, token, nil
}

// promote makes a version here of a commit of another environment.
func (x *change) promote(ctx context.Context, source event.Commit, force bool) error {
	here, exists := x.latest[source.Audience]
	if exists && here.SHA == source.SHA && here.Archived == source.Archived || !exists && source.Archived {
		return nil
	}
	if exists && !here.Archived && !force {
		if err := x.carriable(ctx, source, here); err != nil {
			return err
		}
	}
	kind, err := x.control.audienceType(ctx, x.tx, source.Environment, source.Audience)
	if err != nil {
		return err
	}
	return x.commit(ctx, Version{
		Audience: source.Audience, Type: kind, SHA: source.SHA, Document: source.Document, Archived: source.Archived,
		PromotedFrom: source.Environment, PromotedCommit: source.ID,
	}, Author{Name: source.Author.Name, Email: source.Author.Email, Message: source.Message})
}

// carriable refuses a promotion that would overwrite what its environment has not seen, or turn back what was promoted later.
func (x *change) carriable(ctx context.Context, source event.Commit, here event.Definition) error {
	var promotedFrom string
	var promoted uint64
	var seen bool
	err := x.tx.QueryRow(ctx, `SELECT promoted_from, promoted_commit,
       EXISTS (SELECT FROM `+x.control.table("commits")+` s WHERE s.environment = $4 AND s.audience = $2 AND s.sha = c.sha)
  FROM `+x.control.table("commits")+` c WHERE environment = $1 AND audience = $2 AND version = $3`,
		x.environment, source.Audience, here.Version, source.Environment).Scan(&promotedFrom, &promoted, &seen)
	if err != nil {
		return fmt.Errorf("read version %d of audience %q in %s: %w", here.Version, source.Audience, x.environment, err)
	}
	switch {
	case promotedFrom == source.Environment && promoted > source.ID:
		return fmt.Errorf("audience %q in %s: %w: commit %d was promoted there after this one; revert it there instead, or use force",
			source.Audience, x.environment, ErrConflict, promoted)
	case !seen:
		return fmt.Errorf("audience %q in %s: %w: version %d was made there and %s never had it; bring it over, or use force",
			source.Audience, x.environment, ErrConflict, here.Version, source.Environment)
	}
	return nil
}
