package compiled

import (
	"math/bits"
	"slices"

	"muster/evaluator"
)

// tally collects the audiences of a judgement as bits of their positions in the set's order, so that telling them in that
// order takes no sorting. It is clear between judgements.
type tally struct {
	words   []tallied
	owned   []uint64 // by word: those known to have changed by themselves, where they are moved
	summary []uint64 // a bit for each of words that is not zero
	at      int      // of summary: the words before are zero
}

// tallied is 64 positions. What is entered counts where moved is set.
type tallied struct {
	moved, entered uint64
}

func newTally(positions int) tally {
	n := bitmapWords(positions)
	return tally{words: make([]tallied, n), owned: make([]uint64, n), summary: make([]uint64, bitmapWords(n))}
}

// note adds the audience at a position; entered is 1 when it holds on the later side. It reports false for one noted before.
func (t *tally) note(position int32, entered uint64) bool {
	word, bit := uint32(position)/64, uint32(position)%64
	w := &t.words[word]
	fresh := w.moved>>bit&1 == 0
	w.moved |= 1 << bit
	w.entered |= entered << bit
	t.summary[word/64] |= 1 << (word % 64)
	return fresh
}

// credit says that an audience that was noted has changed by itself, if owned is 1. It counts for those that refer to others.
func (j *Judge) credit(position int32, owned uint64) {
	word := uint32(position) / 64
	j.owned[word] |= owned << (uint32(position) % 64) & j.set.referring[word]
}

// take returns the next words that are not zero and clears them. It reports false once there are none left.
func (t *tally) take() (word int, w tallied, ok bool) {
	for ; t.at < len(t.summary); t.at++ {
		words := t.summary[t.at]
		if words == 0 {
			continue
		}
		t.summary[t.at] = words & (words - 1)
		word = t.at*64 + bits.TrailingZeros64(words)
		w, t.words[word] = t.words[word], tallied{}
		return word, w, true
	}
	t.at = 0
	return 0, tallied{}, false
}

// members writes the numbers of the audiences noted, ascending.
func (j *Judge) members(out *evaluator.Match) {
	for word, w, ok := j.take(); ok; word, w, ok = j.take() {
		for moved := w.moved; moved != 0; moved &= moved - 1 {
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
	sideless := uint64(0)
	if alone && !entered {
		sideless = ^uint64(0)
	}
	changes := out.Changes
	for word, w, ok := j.take(); ok; word, w, ok = j.take() {
		count := bits.OnesCount64(w.moved)
		from := len(changes)
		if cap(changes)-from < 64 {
			changes = slices.Grow(changes, 64)
		}
		unpackChanges(changes[from:from+64], j.set.ids[word*64:word*64+65], w.moved, w.entered&^sideless, count)
		changes = changes[:from+count]
		if unsure := w.moved & j.set.referring[word]; unsure != 0 {
			unsure &^= j.owned[word]
			j.owned[word] = 0
			for ; unsure != 0; unsure &= unsure - 1 {
				bit := bits.TrailingZeros64(unsure)
				changes[from+bits.OnesCount64(w.moved&(1<<bit-1))].Own = j.own(j.set.order[word*64+bit], alone)
			}
		}
	}
	out.Changes = changes
}

// unpackChanges writes the changes of one word, as their own. Like flips.unpack it does not branch for each.
func unpackChanges(changes []evaluator.Change, ids []evaluator.AudienceID, moved, entered uint64, count int) {
	for i := range max(usual, count) {
		bit := bits.TrailingZeros64(moved)
		changes[i] = evaluator.Change{Audience: ids[bit], Entered: entered>>(bit&63)&1 != 0, Own: true}
		moved &= moved - 1
	}
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
