package compiled

import (
	"math/bits"
	"slices"

	"muster/evaluator"
)

// tally collects the audiences of a judgement as bits of their positions in the set's order, so that telling them in that
// order takes no sorting. It is clear between judgements.
type tally struct {
	moved, entered []uint64 // entered counts where moved is set
	summary        []uint64 // a bit for each word of moved that is not zero
}

func newTally(positions int) tally {
	n := bitmapWords(positions)
	return tally{make([]uint64, n), make([]uint64, n), make([]uint64, bitmapWords(n))}
}

// note adds the audience at a position; entered is 1 when it holds on the later side.
func (t *tally) note(position int32, entered uint64) {
	word, bit := uint32(position)/64, uint32(position)%64
	t.moved[word] |= 1 << bit
	t.entered[word] |= entered << bit
	t.summary[word/64] |= 1 << (word % 64)
}

// take calls each for the words that are not zero, and clears them.
func (t *tally) take(each func(first int, moved, entered uint64)) {
	for i, words := range t.summary {
		t.summary[i] = 0
		for ; words != 0; words &= words - 1 {
			word := i*64 + bits.TrailingZeros64(words)
			moved, entered := t.moved[word], t.entered[word]
			t.moved[word], t.entered[word] = 0, 0
			each(word*64, moved, entered)
		}
	}
}

// members writes the numbers of the audiences noted, ascending.
func (j *Judge) members(out *evaluator.Match) {
	j.take(func(first int, moved, _ uint64) {
		for ; moved != 0; moved &= moved - 1 {
			out.Members = append(out.Members, j.set.ids[first+bits.TrailingZeros64(moved)])
		}
	})
	slices.Sort(out.Members)
}

// report writes the changes noted in the set's order. Alone says that one side has no row: then each audience noted holds on
// the other, and entered says whether that is the later one.
func (j *Judge) report(out *evaluator.Diff, alone, entered bool) {
	for _, s := range j.parts {
		out.Visited += len(s.found) + s.looked
	}
	j.take(func(first int, moved, in uint64) {
		if alone && !entered {
			in = 0
		}
		referring := j.set.referring[first/64]
		for ; moved != 0; moved &= moved - 1 {
			bit := bits.TrailingZeros64(moved)
			own := referring>>bit&1 == 0 || j.own(j.set.order[first+bit], alone)
			out.Changes = append(out.Changes, evaluator.Change{Audience: j.set.ids[first+bit], Entered: in>>bit&1 != 0, Own: own})
		}
	})
}

// own reports whether a change of an audience that refers to others is its own.
func (j *Judge) own(h handle, alone bool) bool {
	s := j.parts[h.part]
	if alone {
		return s.ownAlone(&s.part.segment.audiences[h.audience])
	}
	return s.own(h.audience)
}
