package sample

import (
	"cmp"
	"slices"
)

// change is what a load is about to write.
type change struct {
	kind, user string
	statement  statement
}

// compose makes the changes of a ticket. They are in the order of the users' ids, so that transactions of several
// changes wait for one another and never in a circle.
func (l *Load) compose(ticket int64) []change {
	rng := stream(l.options.Seed+1, ticket) // the seed itself is for the users
	changes := make([]change, 0, l.options.PerTransaction)
	taken := make(map[string]bool, l.options.PerTransaction)
	for len(changes) < l.options.PerTransaction {
		k := choose(rng, kinds)
		known := l.users.Load()
		if known == 0 || k.name == SignUp {
			number := l.users.Add(1)
			changes = append(changes, change{SignUp, ID(number), signUp(rng, number)})
			continue
		}
		// A user of that number may have been deleted; then the change changes nothing and does not count.
		id := ID(1 + rng.Int64N(known))
		if taken[id] && int64(len(taken)) < known {
			continue
		}
		taken[id] = true
		changes = append(changes, change{k.name, id, k.write(rng, id)})
	}
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.user, b.user) })
	return changes
}
