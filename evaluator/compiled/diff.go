package compiled

import "math/bits"

// diffBits tells the audiences of the segment that bits decide, or a clause found by hash, and whose verdict differs. Those
// for which that is not clear from one clause, and those that ask about one told, are touched.
func (s *scratch) diffBits() {
	g := s.part.segment
	s.moved = false
	if s.mask == 0 {
		if g.timedHashed { // for their flips
			s.visitClusters()
		}
		return
	}
	s.moved = s.vectorsMoved()
	if s.mask&clockBit != 0 {
		s.markResidue(&g.clocked)
	}
	for _, a := range g.residues {
		if s.differs(a) {
			s.markResidue(&g.attributes[a].residue)
		}
	}
	if s.moved {
		s.fill()
		s.flipBits()
	}
	s.visitClusters()
}

// diffGroups tells the audiences of the other groups whose verdict differs.
func (s *scratch) diffGroups() {
	if !s.moved {
		return
	}
	groups := s.part.segment.groups
	for n := s.part.segment.bitGroups; n < len(groups); n++ {
		if groups[n].kind == byResidue {
			s.visitResidual(n)
		} else {
			s.visitScattered(n)
		}
	}
}

// markResidue marks the clauses whose conditions beyond the lanes may have another verdict.
func (s *scratch) markResidue(r *blockBits) {
	for i, b := range r.blocks {
		s.residue[b] |= r.words[i]
	}
	s.moved = s.moved || len(r.blocks) > 0
}

// vectorsMoved reports whether the words of any vector may differ between the sides.
func (s *scratch) vectorsMoved() bool {
	g := s.part.segment
	for n := range g.vectors {
		if s.vectorMoved(n) {
			return true
		}
	}
	return false
}

func (s *scratch) vectorMoved(n int) bool {
	v := &s.part.segment.vectors[n]
	switch v.kind {
	case verdictLane:
		g := s.part.segment
		if g.remembered[g.predicates[v.attribute].memo-1].mask&s.mask == 0 {
			return false
		}
		was, is := s.verdictsOf(v)
		return was != is
	case ageLane:
		if !s.differs(v.attribute) && s.mask&clockBit == 0 {
			return false
		}
		earlier, later := s.ageRanks(n)
		return earlier != later
	}
	if !s.differs(v.attribute) {
		return false
	}
	_, _, differ := s.bothProbes(v.attribute)
	return differ
}

// flips are audiences that bits decide and that flipped, while they are found. One pass finds the words that are not zero,
// the next one the bits of those, neither with a branch that depends on the data.
type flips struct {
	groups []int32  // by word
	words  []uint64 // bits that flipped
	list   []uint32 // audiences times two, plus one for those that hold on the later side
}

func newFlips(groups int) flips {
	return flips{groups: make([]int32, groups+1), words: make([]uint64, groups+1), list: make([]uint32, 64)}
}

// flipBits tells the audiences that their bits decide.
func (s *scratch) flipBits() {
	p := s.part
	live := p.live[:p.segment.bitGroups]
	was, is := s.violated[before][:len(live)], s.violated[after][:len(live)]
	groups, words, n := s.flips.groups, s.flips.words, 0
	for i := range live {
		flipped := (was[i] ^ is[i]) & live[i]
		groups[n], words[n] = int32(i), flipped
		n += int((flipped | -flipped) >> 63)
	}
	m := 0
	for i, group := range groups[:n] {
		flipped := words[i]
		m += s.flips.unpack(m, flipped, ^is[group], p.segment.groups[group].audience)
		if asked := flipped & p.asking.about[group]; asked != 0 {
			s.touchAskersIn(group, asked)
		}
	}
	for _, e := range s.flips.list[:m] {
		s.judge.note(p.position[e>>1], uint64(e&1))
	}
}

// usual is how many bits of a word are unpacked whether they are there or not. More are hardly ever one word's.
const usual = 3

// unpack writes the audiences of one word to the list from m on, and returns how many there are.
func (f *flips) unpack(m int, flipped, holds uint64, first int32) int {
	if len(f.list)-m < 64 {
		f.list = append(f.list, make([]uint32, len(f.list))...)
	}
	list, count := f.list[m:m+64], bits.OnesCount64(flipped)
	for i := range max(usual, count) {
		bit := bits.TrailingZeros64(flipped)
		list[i] = uint32(int(first)+bit)<<1 | uint32(holds>>(bit&63)&1)
		flipped &= flipped - 1
	}
	return count
}

// visitScattered touches the audiences of clauses that flipped, or that may have beyond the lanes.
func (s *scratch) visitScattered(n int) {
	g := s.part.segment
	gr := &g.groups[n]
	was, is := s.violated[before][n], s.violated[after][n]
	residue := s.residue[gr.first] &^ (was & is)
	s.residue[gr.first] = 0
	for flipped := (was ^ is | residue) & gr.used; flipped != 0; flipped &= flipped - 1 {
		s.touch(g.clauses[g.clauseAt[int(gr.first)*64+bits.TrailingZeros64(flipped)]].audience)
	}
}

// tell notes that the verdict of an audience differs, once.
func (s *scratch) tell(a int32, is bool) {
	if s.judge.note(s.part.position[a], oneIf(is)) {
		s.touchAskersOf(a)
	}
}

// touch queues an audience once, to have its verdicts compared.
func (s *scratch) touch(a int32) {
	if s.touched[a] == s.epoch || s.part.isDead(a) {
		return
	}
	s.touched[a] = s.epoch
	g := s.part.segment
	if n := g.groupOf[a]; n != none && g.groups[n].kind == byResidue {
		s.touchBit(n, uint8(a-g.groups[n].audience))
		return
	}
	s.queue = append(s.queue, a)
}

// settle compares the verdicts of the audiences that were touched, which touches those that ask about the ones that differ.
// It reports whether there was anything to do.
func (s *scratch) settle() bool {
	if len(s.queue) == 0 && len(s.pending) == 0 {
		return false
	}
	for i := 0; i < len(s.queue); i++ {
		a := s.queue[i]
		if was, is := s.verdict(a, before), s.verdict(a, after); was != is {
			s.tell(a, is)
		}
	}
	s.queue = s.queue[:0]
	for i := 0; i < len(s.pending); i++ {
		if n := s.pending[i]; s.asking[n] != 0 {
			s.fill()
			s.visitResidual(int(n))
		}
	}
	s.pending = s.pending[:0]
	return true
}
