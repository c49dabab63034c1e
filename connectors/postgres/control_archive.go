package postgres

import (
	"context"
	"fmt"
	"slices"

	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
)

// ReferencedError says that an audience cannot be archived because others ask about it.
type ReferencedError struct {
	Audience string
	By       []Referrer
}

// Referrer is a place where an audience is asked about.
type Referrer struct{ Environment, Audience, Path string }

// Error implements error.
func (e *ReferencedError) Error() string {
	text := fmt.Sprintf("audience %q cannot be archived while others refer to it:", e.Audience)
	for _, r := range e.By {
		text += fmt.Sprintf(" %s in %s at %s;", r.Audience, r.Environment, r.Path)
	}
	return text[:len(text)-1]
}

// Archive ends an audience in each of the environments where it lives, all in one transaction, and throws its drafts away.
// It is refused while a live audience refers to it. ErrUnknownAudience: it lives nowhere and has no draft.
func (c *Control) Archive(ctx context.Context, environments []string, audience, message string, author event.Author) (string, error) {
	environments = slices.Clone(environments)
	slices.Sort(environments) // whoever locks several does so in this order
	return c.write(ctx, func(tx pgx.Tx) (bool, error) {
		found := false
		refused := &ReferencedError{Audience: audience}
		for _, environment := range environments {
			x, err := c.change(ctx, tx, environment)
			if err != nil {
				return false, err
			}
			referrers, err := x.referrers(audience)
			if err != nil {
				return false, err
			}
			refused.By = append(refused.By, referrers...)
			did, err := x.archive(ctx, audience, Author{Name: author.Name, Email: author.Email, Message: message})
			if err != nil {
				return false, err
			}
			found = found || did
		}
		if len(refused.By) > 0 {
			return false, refused
		}
		if !found {
			return false, fmt.Errorf("%w: %q", ErrUnknownAudience, audience)
		}
		return true, nil
	})
}

// archive ends an audience here and reports whether there was anything to end.
func (x *change) archive(ctx context.Context, audience string, author Author) (bool, error) {
	_, found := x.drafts[audience]
	if err := x.dropDraft(ctx, audience); err != nil {
		return false, err
	}
	live := x.live(audience)
	if live == nil {
		return found, nil
	}
	kind, err := x.control.audienceType(ctx, x.tx, x.environment, audience)
	if err != nil {
		return false, err
	}
	return true, x.commit(ctx, Version{Audience: audience, Type: kind, SHA: live.SHA, Document: live.Document, Archived: true}, author)
}

// referrers lists where other live audiences ask about this one, which lives here.
func (x *change) referrers(audience string) ([]Referrer, error) {
	if x.live(audience) == nil {
		return nil, nil
	}
	set, err := x.set()
	if err != nil {
		return nil, err
	}
	var list []Referrer
	for _, d := range set {
		if d.Key == audience {
			continue
		}
		for _, ref := range d.References() {
			if ref.Audience == audience {
				list = append(list, Referrer{x.environment, d.Key, ref.At})
			}
		}
	}
	return list, nil
}
