package plain

import (
	"slices"

	"muster/evaluator"
)

// Judge judges users by a Set. It keeps scratch memory and must not be used by two goroutines at once.
type Judge struct {
	set           *Set
	before, after view
	trial         view // at a candidate of the next flip
	candidates    []evaluator.Instant
}

// NewJudge returns a judge by the set.
func (s *Set) NewJudge() *Judge { return &Judge{set: s} }

// Match finds the dynamic audiences whose conditions hold for an input, and the next flip of any.
func (j *Judge) Match(in *evaluator.Input, out *evaluator.Match) {
	v := &j.after
	v.reset(in, in.Now, len(j.set.audiences))
	out.Members = out.Members[:0]
	for _, a := range j.set.audiences {
		if a.definition.Type == evaluator.Dynamic && v.holds(a) {
			out.Members = append(out.Members, a.id)
		}
	}
	slices.Sort(out.Members)
	out.NextFlip = j.nextFlip(v)
}

// Diff finds the dynamic audiences whose verdict differs between two inputs of one user, each by its own row, clock and
// given memberships, and the next flip of any after the later one.
func (j *Judge) Diff(before, after *evaluator.Input, out *evaluator.Diff) {
	j.before.reset(before, before.Now, len(j.set.audiences))
	j.after.reset(after, after.Now, len(j.set.audiences))
	out.Changes = out.Changes[:0]
	for _, a := range j.set.audiences {
		if a.definition.Type != evaluator.Dynamic {
			continue
		}
		if holds := j.after.holds(a); holds != j.before.holds(a) {
			out.Changes = append(out.Changes, evaluator.Change{Audience: a.id, Entered: holds, Own: j.own(a)})
		}
	}
	out.NextFlip = j.nextFlip(&j.after)
}

// own reports whether a change of an audience is its own: a leaf of its own that is no membership condition has another
// verdict. Where none has, the change comes by reference only, provided that an audience referred to did change: a user
// who appears may satisfy nothing but negations, and then no leaf tells, for an absent user's are all false.
func (j *Judge) own(a *audience) bool {
	byReference := false
	for leaf := range a.leaves() {
		if !leaf.Operator.IsMembership() {
			if j.before.leaf(leaf) != j.after.leaf(leaf) {
				return true
			}
			continue
		}
		tenant := leaf.Argument.Reference.Tenant
		if j.before.member(leaf.target, tenant) != j.after.member(leaf.target, tenant) {
			byReference = true
		}
	}
	return !byReference
}
