package postgres

import (
	"context"
	"errors"
	"fmt"

	"muster/evaluator"
	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
)

// Enlist records static members, after writing the users that come with properties, all in one transaction or none. With
// create set, an audience that does not exist is made: a static one, named as its key. changed counts the members that
// were not recorded before.
func (d *Directory) Enlist(ctx context.Context, audience string, members []event.NewMember, create bool) (changed int, token string, err error) {
	token, err = d.write(ctx, func(tx pgx.Tx) (bool, error) {
		made, err := d.staticAudience(ctx, tx, audience, create)
		if err != nil {
			return false, err
		}
		written, err := d.upsertInline(ctx, tx, members)
		if err != nil {
			return false, err
		}
		if changed, err = d.record(ctx, tx, audience, members); err != nil {
			return false, err
		}
		return made || written || changed > 0, nil
	})
	return changed, token, err
}

// Delist removes static members. changed counts those that were recorded.
func (d *Directory) Delist(ctx context.Context, audience string, members []event.NewMember) (changed int, token string, err error) {
	token, err = d.write(ctx, func(tx pgx.Tx) (bool, error) {
		if _, err := d.staticAudience(ctx, tx, audience, false); err != nil {
			return false, err
		}
		users, tenants := memberColumns(members)
		tag, err := tx.Exec(ctx, `DELETE FROM `+d.Control.table("members")+` m USING unnest($3::text[], $4::text[]) AS gone(user_id, tenant)
 WHERE m.environment = $1 AND m.audience = $2 AND m.user_id = gone.user_id AND m.tenant = gone.tenant`, d.environment, audience, users, tenants)
		if err != nil {
			return false, fmt.Errorf("remove members of audience %q: %w", audience, err)
		}
		changed = int(tag.RowsAffected())
		return changed > 0, nil
	})
	return changed, token, err
}

// staticAudience checks that members can be recorded for an audience, or makes it.
func (d *Directory) staticAudience(ctx context.Context, tx pgx.Tx, audience string, create bool) (made bool, err error) {
	latest, err := d.latestOf(ctx, tx, audience)
	if err != nil {
		return false, err
	}
	switch {
	case latest != nil && !latest.Archived:
		kind, err := d.audienceType(ctx, tx, d.environment, audience)
		if err != nil {
			return false, err
		}
		if kind != "static" {
			return false, fmt.Errorf("%w: %q is %s, its members are computed", ErrNotStatic, audience, kind)
		}
		return false, nil
	case !create:
		return false, fmt.Errorf("%w: %q in %s", ErrUnknownAudience, audience, d.environment)
	}
	definition, err := evaluator.Decode([]byte(`{"type":"static"}`), audience)
	if err != nil {
		return false, err
	}
	if err := d.lock(ctx, tx, d.environment); err != nil {
		return false, err
	}
	if latest, err = d.latestOf(ctx, tx, audience); err != nil || latest != nil && !latest.Archived {
		return false, err // somebody else made it meanwhile
	}
	_, err = d.insert(ctx, tx, d.environment, Version{
		Audience: audience, Type: "static", SHA: definition.SHA(), Document: definition.Canonical(),
	}, Author{Message: "made by the members API"})
	return err == nil, err
}

// latestOf returns the latest version of an audience, nil when there is none.
func (d *Directory) latestOf(ctx context.Context, tx pgx.Tx, audience string) (*event.Definition, error) {
	var latest event.Definition
	err := tx.QueryRow(ctx, `SELECT version, archived FROM `+d.Control.table("commits")+` WHERE environment = $1 AND audience = $2 ORDER BY version DESC LIMIT 1`,
		d.environment, audience).Scan(&latest.Version, &latest.Archived)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read audience %q: %w", audience, err)
	}
	return &latest, nil
}

// upsertInline writes the users of members that come with properties.
func (d *Directory) upsertInline(ctx context.Context, tx pgx.Tx, members []event.NewMember) (written bool, err error) {
	var users []event.Identify
	var index []int
	for i := range members {
		if len(members[i].User.Properties) > 0 {
			users, index = append(users, members[i].User), append(index, i)
		}
	}
	if len(users) == 0 {
		return false, nil
	}
	err = d.upsert(ctx, tx, users)
	var faults event.DataFaults
	if errors.As(err, &faults) {
		for i := range faults {
			faults[i].Index = index[faults[i].Index]
			if faults[i].Field != "" {
				faults[i].Field = "user." + faults[i].Field
			}
		}
	}
	return true, err
}

func memberColumns(members []event.NewMember) (users, tenants []string) {
	users, tenants = make([]string, len(members)), make([]string, len(members))
	for i := range members {
		users[i], tenants[i] = members[i].User.ID, members[i].Tenant
	}
	return users, tenants
}
