package compiled

import (
	"math/bits"
	"slices"

	"muster/evaluator"
)

// few is how many changes are sorted by comparing; more are sorted by a pass over a bitmap of all audiences.
const few = 24

func sortIDs(ids []evaluator.AudienceID) { slices.Sort(ids) }

// report writes the outcome of all parts in the set's order. Alone says that one side has no row: then each outcome holds
// on the other, and entered says whether that is the later one.
func (j *Judge) report(out *evaluator.Diff, alone, entered bool) {
	n := 0
	for _, s := range j.parts {
		n += len(s.outcome)
		if alone {
			for i := range s.outcome {
				s.outcome[i].entered = entered
			}
		}
	}
	if n == 0 {
		return
	}
	if n <= few {
		j.reportFew(out, alone)
	} else {
		j.reportMany(out, alone)
	}
}

func (j *Judge) reportFew(out *evaluator.Diff, alone bool) {
	j.few = j.few[:0]
	for n, s := range j.parts {
		for _, c := range s.outcome {
			at := placedChange{position: s.part.position[c.audience], part: int32(n), change: c}
			i := len(j.few)
			for i > 0 && j.few[i-1].position > at.position {
				i--
			}
			j.few = slices.Insert(j.few, i, at)
		}
	}
	for i := range j.few {
		j.append(out, handle{j.few[i].part, j.few[i].audience}, j.few[i].entered, alone)
	}
}

// placedChange is a change with its place in the set's order.
type placedChange struct {
	position, part int32
	change
}

func (j *Judge) reportMany(out *evaluator.Diff, alone bool) {
	for _, s := range j.parts {
		for _, c := range s.outcome {
			at := s.part.position[c.audience]
			j.moved[at/64] |= 1 << (at % 64)
			if c.entered {
				j.entered[at/64] |= 1 << (at % 64)
			}
		}
	}
	for i, moved := range j.moved {
		if moved == 0 {
			continue
		}
		entered := j.entered[i]
		j.moved[i], j.entered[i] = 0, 0
		for ; moved != 0; moved &= moved - 1 {
			bit := bits.TrailingZeros64(moved)
			j.append(out, j.set.order[i*64+bit], entered>>bit&1 != 0, alone)
		}
	}
}

func (j *Judge) append(out *evaluator.Diff, h handle, entered, alone bool) {
	s := j.parts[h.part]
	own := true
	if s.part.segment.referring[h.audience] {
		a := &s.part.segment.audiences[h.audience]
		if alone {
			own = s.ownAlone(a)
		} else {
			own = s.own(a)
		}
	}
	out.Changes = append(out.Changes, evaluator.Change{Audience: s.part.segment.ids[h.audience], Entered: entered, Own: own})
}
