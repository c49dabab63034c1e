package compiled

import (
	"math/bits"
	"slices"

	"muster/evaluator"
)

// tally collects the audiences of a judgement as bits of their positions in the set's order, so that telling them in that
// order takes no sorting. It is clear between judgements.
type tally struct {
	moved, entered, owned []uint64 // the last two count where moved is set; owned ones are known to have changed by themselves
	summary               []uint64 // a bit for each word of moved that is not zero
	at                    int      // of summary: the words before are zero
}

func newTally(positions int) tally {
	n := bitmapWords(positions)
	return tally{
		moved: make([]uint64, n), entered: make([]uint64, n), owned: make([]uint64, n), summary: make([]uint64, bitmapWords(n)),
	}
}

// note adds the audience at a position; entered is 1 when it holds on the later side.
func (t *tally) note(position int32, entered uint64) {
	word, bit := uint32(position)/64, uint32(position)%64
	t.moved[word] |= 1 << bit
	t.entered[word] |= entered << bit
	t.summary[word/64] |= 1 << (word % 64)
}

// credit says that an audience that was noted has changed by itself, if owned is 1.
func (t *tally) credit(position int32, owned uint64) {
	t.owned[uint32(position)/64] |= owned << (uint32(position) % 64)
}

// take returns the next words that are not zero and clears them. It reports false once there are none left.
func (t *tally) take() (word int, moved, entered, owned uint64, ok bool) {
	for ; t.at < len(t.summary); t.at++ {
		words := t.summary[t.at]
		if words == 0 {
			continue
		}
		t.summary[t.at] = words & (words - 1)
		word = t.at*64 + bits.TrailingZeros64(words)
		moved, entered, owned = t.moved[word], t.entered[word], t.owned[word]
		t.moved[word], t.entered[word], t.owned[word] = 0, 0, 0
		return word, moved, entered, owned, true
	}
	t.at = 0
	return 0, 0, 0, 0, false
}

// members writes the numbers of the audiences noted, ascending.
func (j *Judge) members(out *evaluator.Match) {
	for word, moved, _, _, ok := j.take(); ok; word, moved, _, _, ok = j.take() {
		for ; moved != 0; moved &= moved - 1 {
			out.Members = append(out.Members, j.set.ids[word*64+bits.TrailingZeros64(moved)])
		}
	}
	slices.Sort(out.Members)
}

// report writes the changes noted in the set's order. Alone says that one side has no row: then each audience noted holds on
// the other, and entered says whether that is the later one.
func (j *Judge) report(out *evaluator.Diff, alone, entered bool) {
	for _, s := range j.parts {
		out.Visited += len(s.found) + s.looked
	}
	changes := out.Changes
	for word, moved, in, owned, ok := j.take(); ok; word, moved, in, owned, ok = j.take() {
		if alone && !entered {
			in = 0
		}
		owned |= ^j.set.referring[word]
		ids := j.set.ids[word*64:]
		for ; moved != 0; moved &= moved - 1 {
			bit := bits.TrailingZeros64(moved)
			own := owned>>bit&1 != 0 || j.own(j.set.order[word*64+bit], alone)
			changes = append(changes, evaluator.Change{Audience: ids[bit], Entered: in>>bit&1 != 0, Own: own})
		}
	}
	out.Changes = changes
}

// own reports whether a change of an audience that refers to others is its own.
func (j *Judge) own(h handle, alone bool) bool {
	s := j.parts[h.part]
	a := &s.part.segment.audiences[h.audience]
	if alone {
		return s.ownAlone(a)
	}
	return s.own(a)
}
