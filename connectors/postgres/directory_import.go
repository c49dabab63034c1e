package postgres

import (
	"context"
	"errors"
	"fmt"

	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
)

// importChunk is how many users of an import are written by one statement.
const importChunk = 5_000

// Import records many members and writes their users first, those that can be, all in one transaction. What is wrong with
// single records comes back as faults, and these are left out. added counts the members that were not recorded before.
func (d *Directory) Import(ctx context.Context, audience string, members []event.NewMember, create bool) (added int, faults event.DataFaults, token string, err error) {
	token, err = d.write(ctx, func(tx pgx.Tx) (bool, error) {
		if _, err := d.staticAudience(ctx, tx, audience, create); err != nil {
			return false, err
		}
		for from := 0; from < len(members); from += importChunk {
			chunk := members[from:min(from+importChunk, len(members))]
			wrong, err := d.importUsers(ctx, tx, chunk)
			if err != nil {
				return false, err
			}
			n, err := d.importMembers(ctx, tx, audience, chunk, wrong)
			if err != nil {
				return false, err
			}
			added += n
			for _, f := range wrong {
				f.Index += from
				faults = append(faults, f)
			}
		}
		return true, nil
	})
	return added, faults, token, err
}

// importUsers writes the users of some members. A statement that fails is tried again in halves, so that a few wrong
// records among many cost a few statements more.
func (d *Directory) importUsers(ctx context.Context, tx pgx.Tx, members []event.NewMember) (event.DataFaults, error) {
	if len(members) > mostBlamed {
		err := savepoint(ctx, tx, func(tx pgx.Tx) error {
			users := withProperties(members)
			if len(users) == 0 {
				return nil
			}
			if !d.identify {
				return ErrIdentifyOff
			}
			s, err := d.look(ctx, tx)
			if err != nil {
				return err
			}
			for i := range users {
				if _, _, faults := d.place(s, users[i]); len(faults) > 0 {
					return faults
				}
			}
			return d.upsertAll(ctx, tx, s, mergeUsers(users))
		})
		var faults event.DataFaults
		switch {
		case err == nil:
			return nil, nil
		case !isContent(err) && !errors.As(err, &faults):
			return nil, err
		}
		half := len(members) / 2
		first, err := d.importUsers(ctx, tx, members[:half])
		if err != nil {
			return nil, err
		}
		second, err := d.importUsers(ctx, tx, members[half:])
		for _, f := range second {
			f.Index += half
			first = append(first, f)
		}
		return first, err
	}
	var faults event.DataFaults
	for i := range members {
		if len(members[i].User.Properties) == 0 {
			continue
		}
		err := savepoint(ctx, tx, func(tx pgx.Tx) error { return d.upsert(ctx, tx, []event.Identify{members[i].User}) })
		var wrong event.DataFaults
		if errors.As(err, &wrong) {
			wrong[0].Index = i
			faults = append(faults, wrong[0])
			continue
		}
		if err != nil {
			return nil, err
		}
	}
	return faults, nil
}

func withProperties(members []event.NewMember) []event.Identify {
	users := make([]event.Identify, 0, len(members))
	for i := range members {
		if len(members[i].User.Properties) > 0 {
			users = append(users, members[i].User)
		}
	}
	return users
}

// importMembers records members, but for those that are wrong.
func (d *Directory) importMembers(ctx context.Context, tx pgx.Tx, audience string, members []event.NewMember, wrong event.DataFaults) (int, error) {
	bad := make(map[int]bool, len(wrong))
	for _, f := range wrong {
		bad[f.Index] = true
	}
	sound := make([]event.NewMember, 0, len(members))
	for i := range members {
		if !bad[i] {
			sound = append(sound, members[i])
		}
	}
	return d.record(ctx, tx, audience, sound)
}

// record adds rows of static members and returns how many were not there.
func (d *Directory) record(ctx context.Context, tx pgx.Tx, audience string, members []event.NewMember) (int, error) {
	users, tenants := memberColumns(members)
	tag, err := tx.Exec(ctx, `INSERT INTO `+d.Control.table("members")+` (environment, audience, user_id, tenant)
SELECT $1, $2, m.user_id, m.tenant FROM unnest($3::text[], $4::text[]) AS m(user_id, tenant) ON CONFLICT DO NOTHING`,
		d.environment, audience, users, tenants)
	if err != nil {
		return 0, fmt.Errorf("record members of audience %q: %w", audience, err)
	}
	return int(tag.RowsAffected()), nil
}
