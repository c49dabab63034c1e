package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// MemberID names one static membership. Tenant "" is none.
type MemberID struct {
	User, Tenant string
}

// memberBatch bounds the arrays of one statement.
const memberBatch = 10_000

// AddMembers records static members, in one transaction, and returns how many were not there before.
func (c *Control) AddMembers(ctx context.Context, environment, audience string, members []MemberID) (added int, token string, err error) {
	return c.changeMembers(ctx, environment, audience, members, `
INSERT INTO `+c.table("members")+` (environment, audience, user_id, tenant)
SELECT $1, $2, m.user_id, m.tenant FROM unnest($3::text[], $4::text[]) AS m(user_id, tenant)
    ON CONFLICT DO NOTHING`)
}

// RemoveMembers removes static members, in one transaction, and returns how many were there.
func (c *Control) RemoveMembers(ctx context.Context, environment, audience string, members []MemberID) (removed int, token string, err error) {
	return c.changeMembers(ctx, environment, audience, members, `
DELETE FROM `+c.table("members")+` d USING unnest($3::text[], $4::text[]) AS m(user_id, tenant)
 WHERE d.environment = $1 AND d.audience = $2 AND d.user_id = m.user_id AND d.tenant = m.tenant`)
}

func (c *Control) changeMembers(ctx context.Context, environment, audience string, members []MemberID, statement string) (int, string, error) {
	changed := 0
	token, err := c.write(ctx, func(tx pgx.Tx) (bool, error) {
		kind, err := c.audienceType(ctx, tx, environment, audience)
		if err != nil {
			return false, err
		}
		if kind != "static" {
			return false, fmt.Errorf("%w: %q is %s, its members are computed", ErrNotStatic, audience, kind)
		}
		for len(members) > 0 {
			n := min(len(members), memberBatch)
			tag, err := tx.Exec(ctx, statement, environment, audience, column(members[:n], userOf), column(members[:n], tenantOf))
			if err != nil {
				return false, fmt.Errorf("change the members of audience %q in %s: %w", audience, environment, err)
			}
			changed += int(tag.RowsAffected())
			members = members[n:]
		}
		return changed > 0, nil
	})
	if err != nil {
		return 0, "", err
	}
	return changed, token, nil
}

func userOf(m MemberID) string   { return m.User }
func tenantOf(m MemberID) string { return m.Tenant }

func column(members []MemberID, of func(MemberID) string) []string {
	all := make([]string, len(members))
	for i, m := range members {
		all[i] = of(m)
	}
	return all
}
