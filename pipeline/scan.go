package pipeline

import (
	"muster/evaluator"
)

// Given returns the memberships of a user that others read as they are settled: by audience id and tenant, for the
// audiences asked for.
func (r *Reading) Given(dst []evaluator.Given, u *User, asked func(evaluator.AudienceID) bool) []evaluator.Given {
	if u.Row == nil {
		return dst
	}
	for i := range u.Record.Memberships {
		if m := &u.Record.Memberships[i]; m.In && asked(m.Audience) {
			dst = append(dst, evaluator.Given{Audience: m.Audience, Tenant: m.Tenant})
		}
	}
	return dst
}

// Current reports whether a user has been judged by the definitions in force. While a backfill runs, some have not.
func (r *Reading) Current(u *User) bool { return u.Record.Generation == r.generation.Generation }
