package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
)

// SaveDraft makes a proposal the draft of its audience. A draft that says what the latest version says is none: it is
// removed. The draft of somebody else, or one that is not the proposal's base, is not overwritten unless by force.
func (c *Control) SaveDraft(ctx context.Context, p event.Proposal) (event.Audience, string, error) {
	return c.propose(ctx, p, func(ctx context.Context, x *change) error { return x.saveDraft(ctx, p) })
}

// CommitProposal makes a proposal the latest version of its audience, in place of a draft. One that says what the latest
// version says commits nothing.
func (c *Control) CommitProposal(ctx context.Context, p event.Proposal) (event.Audience, string, error) {
	return c.propose(ctx, p, func(ctx context.Context, x *change) error {
		if err := x.saveDraft(ctx, p); err != nil {
			return err
		}
		if _, differs := x.drafts[p.Audience]; !differs {
			return nil
		}
		return x.commitDrafts(ctx, []string{p.Audience}, p.Message, p.Author, p.Force)
	})
}

func (c *Control) propose(ctx context.Context, p event.Proposal, work func(context.Context, *change) error) (event.Audience, string, error) {
	var after event.Audience
	token, err := c.write(ctx, func(tx pgx.Tx) (bool, error) {
		x, err := c.change(ctx, tx, p.Environment)
		if err != nil {
			return false, err
		}
		if err := work(ctx, x); err != nil {
			return false, err
		}
		after, err = c.audience(ctx, tx, p.Environment, p.Audience, true)
		return true, err
	})
	if err != nil {
		return event.Audience{}, "", err
	}
	return after, token, nil
}

// saveDraft writes or removes the draft of the proposal's audience.
func (x *change) saveDraft(ctx context.Context, p event.Proposal) error {
	if err := x.holdType(ctx, p.Audience, p.Type); err != nil {
		return err
	}
	live := x.live(p.Audience)
	had, drafted := x.drafts[p.Audience]
	if !p.Force {
		if err := x.overwritable(p, live, had, drafted); err != nil {
			return err
		}
	}
	if live != nil && live.SHA == p.SHA {
		return x.dropDraft(ctx, p.Audience)
	}
	d := draft{audience: p.Audience, kind: p.Type, sha: p.SHA, document: p.Document, base: x.latest[p.Audience].Version, author: p.Author}
	if drafted && !p.Force && (live == nil || p.Base != live.SHA) {
		d.base = had.base // it goes on from there; a version made since is a conflict at the commit
	}
	x.drafts[p.Audience] = d
	_, err := x.tx.Exec(ctx, `INSERT INTO `+x.control.table("drafts")+` (environment, audience, type, sha, document, base_version, author_name, author_email)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (environment, audience) DO UPDATE SET type = excluded.type, sha = excluded.sha, document = excluded.document,
       base_version = excluded.base_version, author_name = excluded.author_name, author_email = excluded.author_email, updated_at = clock_timestamp()`,
		x.environment, d.audience, d.kind, d.sha, string(d.document), d.base, d.author.Name, d.author.Email)
	if err != nil {
		return fmt.Errorf("save the draft of audience %q in %s: %w", p.Audience, x.environment, err)
	}
	return nil
}

// overwritable refuses a proposal that would overwrite what its author cannot have seen.
func (x *change) overwritable(p event.Proposal, live *event.Definition, had draft, drafted bool) error {
	conflict := func(format string, args ...any) error {
		return fmt.Errorf("audience %q in %s: %w: %s", p.Audience, x.environment, ErrConflict, fmt.Sprintf(format, args...))
	}
	if drafted && had.sha == p.SHA || live != nil && live.SHA == p.SHA {
		return nil // there is nothing to overwrite
	}
	if drafted && p.Base != had.sha && had.author != p.Author {
		return conflict("%s has a draft of it; pull that, merge and push again, or use force", named(had.author))
	}
	if p.Base == "" || drafted && p.Base == had.sha || live != nil && p.Base == live.SHA {
		return nil
	}
	if live == nil && !drafted {
		return nil // it was archived, or comes from another environment
	}
	return conflict("the definition was made from %.12s, which is not the latest any more; pull, merge and push again, or use force", p.Base)
}

func named(a event.Author) string {
	switch {
	case a.Name != "":
		return a.Name
	case a.Email != "":
		return a.Email
	}
	return "somebody"
}

// holdType refuses a proposal that would make another kind of audience of a key.
func (x *change) holdType(ctx context.Context, key, kind string) error {
	is, err := x.control.audienceType(ctx, x.tx, x.environment, key)
	switch {
	case errors.Is(err, ErrUnknownAudience):
		return nil
	case err != nil:
		return err
	case is != kind:
		return fmt.Errorf("audience %q in %s: %w: it is %s; use another key for a %s one", key, x.environment, ErrAudienceType, is, kind)
	}
	return nil
}

// CommitDrafts commits the drafts of the given keys, or all when there are none, in one transaction, and returns what it
// committed. A draft that was made from an older version than the latest is a conflict unless forced.
func (c *Control) CommitDrafts(ctx context.Context, environment string, keys []string, message string, author event.Author, force bool) ([]Committed, string, error) {
	var made []Committed
	token, err := c.write(ctx, func(tx pgx.Tx) (bool, error) {
		x, err := c.change(ctx, tx, environment)
		if err != nil {
			return false, err
		}
		if len(keys) == 0 {
			keys = slices.Sorted(maps.Keys(x.drafts))
		}
		keys = slices.Compact(slices.Sorted(slices.Values(keys)))
		for _, key := range keys {
			if _, ok := x.drafts[key]; !ok {
				return false, fmt.Errorf("%w: %q has no draft in %s", ErrUnknownAudience, key, environment)
			}
		}
		if err := x.commitDrafts(ctx, keys, message, author, force); err != nil {
			return false, err
		}
		made = x.made
		return len(made) > 0, nil
	})
	if err != nil {
		return nil, "", err
	}
	return made, token, nil
}

// commitDrafts turns drafts into versions and judges the set that results.
func (x *change) commitDrafts(ctx context.Context, keys []string, message string, author event.Author, force bool) error {
	for _, key := range keys {
		d := x.drafts[key]
		if last := x.latest[key].Version; d.base != last && !force {
			return fmt.Errorf("audience %q in %s: %w: the draft was made from version %d and the latest is %d; pull, merge and commit again, or use force",
				key, x.environment, ErrConflict, d.base, last)
		}
		v := Version{Audience: key, Type: d.kind, SHA: d.sha, Document: d.document}
		if err := x.commit(ctx, v, Author{Name: author.Name, Email: author.Email, Message: message}); err != nil {
			return err
		}
		if err := x.dropDraft(ctx, key); err != nil {
			return err
		}
	}
	return x.check()
}
