package pipeline

import (
	"muster/evaluator"
	"muster/pipeline/state"
)

// Span says which part of a list is wanted, and in which direction: up to Limit rows beyond a place.
type Span struct {
	User, Tenant string // the place; User "" is the end of the list that the direction begins at
	Backward     bool
	Limit        int
}

// MemberRow is one member in a list.
type MemberRow struct {
	User    string
	Tenant  string
	Since   evaluator.Instant // when it entered; of a static member, when it was recorded
	Row     *evaluator.Row    // nil: the user of a static member is missing
	Missing bool
}

// ListMembers returns members of an audience, nearest to the place first: of a static audience all that are recorded,
// those whose user is missing included. known is false when there is no such audience.
func (r *Reading) ListMembers(key string, s Span) (rows []MemberRow, known bool, err error) {
	rule := r.generation.keys[key]
	if rule == nil {
		return nil, false, nil
	}
	walk := r.snapshot.Members
	switch {
	case rule.static() && s.Backward:
		walk = r.snapshot.RecordedBackward
	case rule.static():
		walk = r.snapshot.Recorded
	case s.Backward:
		walk = r.snapshot.MembersBackward
	}
	err = walk(rule.id, s.User, s.Tenant, func(user, tenant string) (bool, error) {
		if len(rows) == s.Limit {
			return false, nil
		}
		row, err := r.memberRow(rule, user, tenant)
		rows = append(rows, row)
		return len(rows) < s.Limit, err
	})
	return rows, true, err
}

func (r *Reading) memberRow(rule *rule, user, tenant string) (MemberRow, error) {
	u, found, err := r.User(user)
	if err != nil || !found {
		return MemberRow{User: user, Tenant: tenant, Missing: true}, err
	}
	row := MemberRow{User: user, Tenant: tenant, Row: u.Row, Missing: u.Row == nil}
	if m := u.Record.Membership(rule.id, tenant); m != nil {
		row.Since = m.EnteredAt
	}
	if rule.static() {
		for _, recorded := range u.Record.Recorded {
			if recorded.Audience == rule.id && recorded.Tenant == tenant {
				row.Since = recorded.AddedAt
			}
		}
	}
	return row, nil
}

// ListUsers returns users who are in the users table, nearest to the place first.
func (r *Reading) ListUsers(s Span) (rows []MemberRow, err error) {
	walk := r.snapshot.Users
	if s.Backward {
		walk = r.snapshot.UsersBackward
	}
	err = walk(s.User, func(id string, encoded []byte) (bool, error) {
		if len(rows) == s.Limit {
			return false, nil
		}
		var record state.Record
		if err := record.Decode(append([]byte(nil), encoded...)); err != nil || !record.Present {
			return true, err
		}
		row, err := r.row(&record)
		rows = append(rows, MemberRow{User: id, Row: row})
		return len(rows) < s.Limit, err
	})
	return rows, err
}
