package compiled

import "slices"

// vector is the part of the lanes that one attribute decides: a word for each block in which some clause reads it. A bit is
// set when the attribute's value violates its clause, so that a block's clauses hold where none of its vectors' words has a
// bit. An attribute has up to two vectors: of its value, and of its age.
type vector struct {
	attribute int32 // of a verdictLane: the predicate
	kind      laneKind
	blocks    []uint32    // by word: its block, ascending
	extents   []extent    // the same by neighbours; nil where those are too few
	initial   []uint64    // words of a value that finds nothing
	lanes     []lane      // scales on which it looks the value up
	verdicts  [2][]uint64 // of a verdictLane: words when the predicate does not hold, and when it does
}

// extent is a number of neighbouring blocks.
type extent struct {
	block, word, size uint32
}

const (
	// widestGap is how many words of blocks that do not read a vector it may have to make one extent of two.
	widestGap = 8
	// extentWords is how many words an extent must have on average to be worth more than a list of blocks.
	extentWords = 3
)

// cover adds a word for a block that follows those covered, and for a few in between.
func (v *vector) cover(block uint32) {
	n := len(v.blocks)
	if n > 0 && v.blocks[n-1] == block {
		return
	}
	if n > 0 && block-v.blocks[n-1] <= widestGap+1 {
		for b := v.blocks[n-1] + 1; b < block; b++ {
			v.blocks = append(v.blocks, b)
		}
	}
	v.blocks = append(v.blocks, block)
}

// extend finds the extents of the blocks covered.
func (v *vector) extend() {
	for word, b := range v.blocks {
		if n := len(v.extents); n > 0 && v.extents[n-1].block+v.extents[n-1].size == b {
			v.extents[n-1].size++
			continue
		}
		v.extents = append(v.extents, extent{b, uint32(word), 1})
	}
	if len(v.blocks) < extentWords*len(v.extents) {
		v.extents = nil
	}
}

// lane is one scale of a vector with the words of every rank: some are kept, the others are reached from the nearest one
// kept by toggling the bits in between.
type lane struct {
	scale     *scale
	starts    []uint32 // by rank, and one more: toggles[starts[r]:starts[r+1]] lead from rank r-1 to r
	toggles   []uint32
	nearest   []uint32 // by rank: which snapshot to start from
	ranks     []int32  // by snapshot
	snapshots []uint64 // len(unranked) words each
	unranked  []uint64
}

// Toggles between two snapshots of so many words: half as many, for that is what it costs to copy one, within bounds.
const (
	leastDistance = 8
	mostDistance  = 256
)

// laneBits are the bits of one clause on a scale while the lane is built.
type laneBits struct {
	bit        uint32
	predicates []*predicate
	negated    []bool
}

// newLane makes a lane of clauses over size words. With initial, that is part of each of its words.
func newLane(kind scaleKind, clauses []laneBits, initial []uint64) lane {
	var predicates []*predicate
	for i := range clauses {
		predicates = append(predicates, clauses[i].predicates...)
	}
	l := lane{scale: newScale(kind, predicates), unranked: slices.Clone(initial)}
	first := slices.Clone(initial) // words of rank 0
	boundaries := make([][]uint32, l.scale.ranks())
	for i := range clauses {
		l.place(&clauses[i], first, boundaries)
	}
	l.starts = make([]uint32, 1, len(boundaries)+1)
	for _, bits := range boundaries {
		l.toggles = append(l.toggles, bits...)
		l.starts = append(l.starts, uint32(len(l.toggles)))
	}
	l.snapshot(first)
	return l
}

// place notes at which ranks a clause is violated.
func (l *lane) place(c *laneBits, first []uint64, boundaries [][]uint32) {
	word, mask := c.bit>>6, uint64(1)<<(c.bit&63)
	var cuts []int
	unranked := false
	for i, p := range c.predicates {
		low, high := l.scale.satisfied(p)
		cuts = append(cuts, low, high+1)
		unranked = unranked || !c.negated[i]
	}
	if unranked {
		l.unranked[word] |= mask
	}
	violated := func(rank int) bool {
		for i, p := range c.predicates {
			low, high := l.scale.satisfied(p)
			if (low <= rank && rank <= high) == c.negated[i] {
				return true
			}
		}
		return false
	}
	was := violated(0)
	if was {
		first[word] |= mask
	}
	slices.Sort(cuts)
	for _, rank := range slices.Compact(cuts) {
		if rank <= 0 || rank >= len(boundaries) {
			continue
		}
		if is := violated(rank); is != was {
			boundaries[rank] = append(boundaries[rank], c.bit)
			was = is
		}
	}
}

// snapshot keeps the words of some ranks, so many toggles apart where the thresholds allow.
func (l *lane) snapshot(words []uint64) {
	keep := func(rank int) {
		l.ranks = append(l.ranks, int32(rank))
		l.snapshots = append(l.snapshots, words...)
	}
	keep(0)
	distance := uint32(min(max(len(words)/2, leastDistance), mostDistance))
	last := uint32(0)
	for rank := 1; rank < l.scale.ranks(); rank++ {
		for _, bit := range l.toggles[l.starts[rank]:l.starts[rank+1]] {
			words[bit>>6] ^= 1 << (bit & 63)
		}
		if l.starts[rank+1]-last >= distance {
			keep(rank)
			last = l.starts[rank+1]
		}
	}
	l.nearest = make([]uint32, l.scale.ranks())
	s := 0
	for rank := range l.nearest {
		for s+1 < len(l.ranks) && l.closer(rank, s+1, s) {
			s++
		}
		l.nearest[rank] = uint32(s)
	}
}

// closer reports whether fewer toggles lie between a rank and snapshot a than between it and snapshot b, the one before a.
func (l *lane) closer(rank, a, b int) bool {
	at := l.starts[rank+1]
	toA, toB := l.starts[l.ranks[a]+1], l.starts[l.ranks[b]+1]
	return max(toA, at)-min(toA, at) < max(toB, at)-min(toB, at)
}
