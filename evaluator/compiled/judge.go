package compiled

import "muster/evaluator"

// Judge judges users by a Set. It keeps scratch memory and must not be used by two goroutines at once.
type Judge struct {
	set   *Set
	parts []*scratch
	tally
}

// NewJudge returns a judge by the set.
func (s *Set) NewJudge() *Judge {
	j := &Judge{set: s, parts: make([]*scratch, len(s.parts)), tally: newTally(len(s.order))}
	for i, p := range s.parts {
		j.parts[i] = newScratch(p, j)
	}
	return j
}

// Match finds the dynamic audiences whose conditions hold for an input, and the next flip of any.
func (j *Judge) Match(in *evaluator.Input, out *evaluator.Match) {
	out.Members, out.NextFlip = out.Members[:0], evaluator.NoInstant
	if in.Row == nil {
		return
	}
	j.match(in)
	j.members(out)
	out.NextFlip = j.nextFlip()
}

// match notes the audiences that hold.
func (j *Judge) match(in *evaluator.Input) {
	for _, s := range j.parts {
		s.begin(in, in)
	}
	for _, s := range j.parts {
		s.match()
	}
}

// Diff finds the dynamic audiences whose verdict differs between two inputs of one user, each by its own row, clock and
// given memberships, and the next flip of any after the later one.
func (j *Judge) Diff(before, after *evaluator.Input, out *evaluator.Diff) {
	out.Changes, out.NextFlip, out.Visited = out.Changes[:0], evaluator.NoInstant, 0
	switch {
	case before.Row == nil && after.Row == nil:
		return
	case before.Row == nil:
		j.match(after)
		j.report(out, true, true)
	case after.Row == nil:
		j.match(before)
		j.report(out, true, false)
		return
	default:
		j.diff(before, after)
		j.report(out, false, false)
	}
	out.NextFlip = j.nextFlip()
}

// diff notes the audiences whose verdict differs.
func (j *Judge) diff(before, after *evaluator.Input) {
	for _, s := range j.parts {
		s.begin(before, after)
		s.compareRows()
		if before.User != after.User {
			s.mask |= userBit
			s.touchSampled()
		}
	}
	j.touchGiven(before.Given, after.Given)
	for _, s := range j.parts {
		s.diffBits()
	}
	for _, s := range j.parts {
		s.diffGroups()
	}
	for settled := false; !settled; {
		settled = true
		for _, s := range j.parts {
			if s.settle() {
				settled = false
			}
		}
	}
}

// touchSampled touches the audiences that depend on the user's id.
func (s *scratch) touchSampled() {
	g := s.part.segment
	for _, c := range g.sampled {
		s.touch(g.clauses[c].audience)
	}
}

// touchGiven touches the audiences that ask about a membership that is given on one side only.
func (j *Judge) touchGiven(before, after []evaluator.Given) {
	for len(before) > 0 || len(after) > 0 {
		var g evaluator.Given
		switch {
		case len(after) == 0 || len(before) > 0 && lessGiven(before[0], after[0]):
			g, before = before[0], before[1:]
		case len(before) == 0 || lessGiven(after[0], before[0]):
			g, after = after[0], after[1:]
		default:
			before, after = before[1:], after[1:]
			continue
		}
		for _, h := range j.set.given[g.Audience] {
			j.parts[h.part].touch(h.audience)
		}
	}
}

func lessGiven(a, b evaluator.Given) bool {
	return a.Audience < b.Audience || a.Audience == b.Audience && a.Tenant < b.Tenant
}

// isGiven looks a membership up in the ascending list of those given.
func isGiven(given []evaluator.Given, g evaluator.Given) bool {
	low, high := 0, len(given)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if lessGiven(given[mid], g) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low < len(given) && given[low] == g
}

func (j *Judge) nextFlip() evaluator.Instant {
	next := evaluator.NoInstant
	for _, s := range j.parts {
		next = s.nextFlip(next)
	}
	return next
}
