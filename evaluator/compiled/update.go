package compiled

import "muster/evaluator"

// base is the segment that holds most of a set, found by number. Sets that differ little share it: what was added or
// changed since is a second, small segment, and what was removed or changed is dead in the base.
type base struct {
	segment *segment
	at      map[evaluator.AudienceID]int32
}

func newBase(sorted []evaluator.Audience, schema *evaluator.Schema, o options) *base {
	b := &base{segment: compileSegment(sorted, schema, o), at: make(map[evaluator.AudienceID]int32, len(sorted))}
	for i := range b.segment.audiences {
		b.at[b.segment.audiences[i].id] = int32(i)
	}
	return b
}

// split tells which of the audiences a base has as they are, in a bitmap of those it has beside them, and returns the others.
func (b *base) split(sorted []evaluator.Audience) (dead []uint64, fresh []evaluator.Audience) {
	alive := 0
	dead = make([]uint64, bitmapWords(len(b.segment.audiences)))
	for i := range dead {
		dead[i] = ^uint64(0)
	}
	for _, a := range sorted {
		i, ok := b.at[a.ID]
		if !ok || b.segment.audiences[i].definition != a.Definition {
			fresh = append(fresh, a)
			continue
		}
		dead[i/64] &^= 1 << (i % 64)
		alive++
	}
	if alive == len(b.segment.audiences) {
		return nil, fresh
	}
	return dead, fresh
}

// compose makes a set of a base and whatever it lacks.
func compose(audiences, sorted []evaluator.Audience, b *base, o options) *Set {
	dead, fresh := b.split(sorted)
	s := &Set{schema: b.segment.schema, audiences: audiences, base: b}
	s.parts = []*part{{segment: b.segment, dead: dead}}
	if len(fresh) > 0 {
		s.parts = append(s.parts, &part{segment: compileSegment(fresh, s.schema, o)})
	}
	s.link(sorted)
	return s
}

// Update returns the set after a change of definitions: those changed replace the ones of their number or are added at the
// end, those removed are gone. It shares nearly all of s, which stays as it is. Its time follows the number of changes
// since s was compiled, and a little the number of audiences; a set that has drifted far is better compiled anew, which a
// Compiler does by itself.
func (s *Set) Update(changed []evaluator.Audience, removed []evaluator.AudienceID) (*Set, error) {
	replaced := make(map[evaluator.AudienceID]evaluator.Audience, len(changed))
	for _, a := range changed {
		replaced[a.ID] = a
	}
	gone := make(map[evaluator.AudienceID]bool, len(removed))
	for _, id := range removed {
		gone[id] = true
	}
	audiences := make([]evaluator.Audience, 0, len(s.audiences)+len(changed))
	for _, a := range s.audiences {
		if r, ok := replaced[a.ID]; ok {
			a = r
			delete(replaced, a.ID)
		}
		if !gone[a.ID] {
			audiences = append(audiences, a)
		}
	}
	for _, a := range changed {
		if _, added := replaced[a.ID]; added && !gone[a.ID] {
			audiences = append(audiences, a)
			delete(replaced, a.ID)
		}
	}
	sorted, err := topological(audiences)
	if err != nil {
		return nil, err
	}
	return compose(audiences, sorted, s.base, options{}), nil
}
