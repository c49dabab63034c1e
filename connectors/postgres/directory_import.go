package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
)

// importChunk is how many users of an import are written by one statement. One that is refused is written again in halves, so
// fewer rows share the fate of a wrong one when it is small.
const importChunk = 1_000

// Import records many members and writes their users first, those that can be, all in one transaction. What is wrong with
// single records comes back as faults, and these are left out. added counts the members that were not recorded before.
func (d *Directory) Import(ctx context.Context, audience string, members []event.NewMember, create bool) (added int, faults event.DataFaults, token string, err error) {
	token, err = d.write(ctx, func(tx pgx.Tx) (bool, error) {
		added, faults = 0, nil
		if _, err := d.staticAudience(ctx, tx, audience, create); err != nil {
			return false, err
		}
		for from := 0; from < len(members); from += importChunk {
			chunk := members[from:min(from+importChunk, len(members))]
			users, index := usersOf(chunk)
			wrong, err := d.importUsers(ctx, tx, users, index, len(faults))
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

// maxImportFaults bounds the records of an import that the database refuses; each costs statements of its own.
const maxImportFaults = 10_000

// IdentifyEach writes the users that can be written, all in one transaction. What is wrong with the others comes back as
// faults.
func (d *Directory) IdentifyEach(ctx context.Context, users []event.Identify) (faults event.DataFaults, token string, err error) {
	token, err = d.write(ctx, func(tx pgx.Tx) (bool, error) {
		index := make([]int, len(users))
		for i := range users {
			index[i] = i
		}
		faults, err = d.importUsers(ctx, tx, users, index, 0)
		return len(faults) < len(users), err
	})
	return faults, token, err
}

// usersOf returns the users of members that come with properties, each with the index of its member.
func usersOf(members []event.NewMember) (users []event.Identify, index []int) {
	for i := range members {
		if len(members[i].User.Properties) > 0 {
			users, index = append(users, members[i].User), append(index, i)
		}
	}
	return users, index
}

// importUsers writes users, each known by an index, and returns what is wrong with single ones. What the table cannot hold
// at all is found without asking it.
func (d *Directory) importUsers(ctx context.Context, tx pgx.Tx, users []event.Identify, index []int, wrongSoFar int) (event.DataFaults, error) {
	if len(users) == 0 {
		return nil, nil
	}
	if !d.identify {
		return nil, ErrIdentifyOff
	}
	s, err := d.look(ctx, tx)
	if err != nil {
		return nil, err
	}
	sound := importBatch{faults: make(map[int]event.DataFault), limit: maxImportFaults - wrongSoFar}
	for i := range users {
		if _, _, faults := d.place(s, users[i]); len(faults) > 0 {
			faults[0].Index = index[i]
			sound.faults[index[i]] = faults[0]
			continue
		}
		sound.users, sound.index = append(sound.users, users[i]), append(sound.index, index[i])
	}
	err = d.importHalves(ctx, tx, s, &sound, 0, len(sound.users))
	found := make(event.DataFaults, 0, len(sound.faults))
	for _, i := range slices.Sorted(maps.Keys(sound.faults)) {
		found = append(found, sound.faults[i])
	}
	return found, err
}

// importBatch is users of an import, each with its index among the members.
type importBatch struct {
	users  []event.Identify
	index  []int
	faults map[int]event.DataFault // by that index
	limit  int                     // of the faults that the database finds
}

// importHalves writes the users from one place to another. A statement that is refused is tried again in halves, so that a
// few wrong records among many cost a few statements more.
func (d *Directory) importHalves(ctx context.Context, tx pgx.Tx, s *shape, b *importBatch, from, to int) error {
	if from == to {
		return nil
	}
	err := savepoint(ctx, tx, func(tx pgx.Tx) error { return d.upsertMerged(ctx, tx, s, b.users[from:to]) })
	if !isContent(err) {
		return err
	}
	if to-from == 1 {
		if b.limit--; b.limit < 0 {
			return event.DataFaults{{Index: b.index[from], Field: d.blameField(ctx, tx, s, b.users[from], err), Message: fmt.Sprintf(
				"%s; more than %d rows are refused, nothing was imported", reason(err), maxImportFaults)}}
		}
		b.faults[b.index[from]] = event.DataFault{Index: b.index[from], Field: d.blameField(ctx, tx, s, b.users[from], err), Message: reason(err)}
		return nil
	}
	half := from + (to-from)/2
	if err := d.importHalves(ctx, tx, s, b, from, half); err != nil {
		return err
	}
	return d.importHalves(ctx, tx, s, b, half, to)
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
