package compiled

import "math/bits"

// diff tells the audiences of the segment whose verdict differs. Those for which that is not clear from one clause are
// touched, to be compared when every segment is through.
func (s *scratch) diff() {
	g := s.part.segment
	if s.mask == 0 {
		if g.timedHashed { // for their flips
			s.visitClusters()
		}
		return
	}
	moved := s.movedVectors()
	if s.mask&clockBit != 0 {
		moved = s.visitResidue(&g.clocked) || moved
	}
	for _, a := range g.residues {
		if s.differs(a) {
			moved = s.visitResidue(&g.attributes[a].residue) || moved
		}
	}
	if moved {
		s.visitGroups()
	}
	s.visitClusters()
}

// visitResidue marks groups, and the clauses in their blocks, whose conditions beyond the lanes may have another verdict.
func (s *scratch) visitResidue(r *blockBits) bool {
	g := s.part.segment
	for i, b := range r.blocks {
		n := g.groupAt[b]
		s.visit[n/64] |= 1 << (n % 64)
		s.residue[b] |= r.words[i]
	}
	return len(r.blocks) > 0
}

func union(a, b []uint64) {
	for i, w := range b {
		a[i] |= w
	}
}

// movedVectors marks the groups of the vectors whose words may differ between the sides.
func (s *scratch) movedVectors() (moved bool) {
	g := s.part.segment
	for n := range g.vectors {
		v := &g.vectors[n]
		if !s.differs(v.attribute) && (v.kind != ageLane || s.mask&clockBit == 0) {
			continue
		}
		if s.moved(v) {
			union(s.visit, v.bitmap)
			moved = true
		}
	}
	return moved
}

// moved reports whether a vector's words may differ.
func (s *scratch) moved(v *vector) bool {
	if v.kind == ageLane {
		earlier, later := s.ageRanks(v)
		return earlier != later
	}
	_, _, differ := s.bothProbes(v.attribute)
	return differ
}

// visitGroups compares both sides of every group marked.
func (s *scratch) visitGroups() {
	s.fill()
	groups := s.part.segment.groups
	for i, marked := range s.visit {
		s.visit[i] = 0
		for ; marked != 0; marked &= marked - 1 {
			n := i*64 + bits.TrailingZeros64(marked)
			switch groups[n].kind {
			case byBits:
				s.visitBits(n)
			case byResidue:
				s.visitResidual(n)
			default:
				s.visitScattered(n)
			}
		}
	}
}

// visitBits tells the audiences of a group that their bits decide.
func (s *scratch) visitBits(n int) {
	p := s.part
	violated := s.violated(n)
	flipped := (violated[before] ^ violated[after]) & p.live[n]
	if flipped == 0 {
		return
	}
	first := p.segment.groups[n].audience
	asked := flipped & p.askedIn[n]
	for ; flipped != 0; flipped &= flipped - 1 {
		bit := bits.TrailingZeros64(flipped)
		s.judge.note(p.position[int(first)+bit], violated[after]>>bit&1^1)
	}
	for ; asked != 0; asked &= asked - 1 {
		s.flipped = append(s.flipped, first+int32(bits.TrailingZeros64(asked)))
	}
}

// visitScattered touches the audiences of clauses that flipped, or that may have beyond the lanes.
func (s *scratch) visitScattered(n int) {
	g := s.part.segment
	gr := &g.groups[n]
	violated := s.violated(n)
	residue := s.residue[gr.first] &^ (violated[before] & violated[after])
	s.residue[gr.first] = 0
	for flipped := ((violated[before] ^ violated[after]) | residue) & gr.used; flipped != 0; flipped &= flipped - 1 {
		s.touch(g.clauses[g.clauseAt[int(gr.first)*64+bits.TrailingZeros64(flipped)]].audience)
	}
}

// violated returns which audiences of a group satisfy no clause, on both sides. The planes must be filled.
func (s *scratch) violated(n int) pair {
	gr := &s.part.segment.groups[n]
	all := s.blocks[gr.first]
	for _, w := range s.blocks[gr.first+1 : gr.end] {
		all[before] &= w[before]
		all[after] &= w[after]
	}
	return all
}

// tell notes that the verdict of an audience differs.
func (s *scratch) tell(a int32, is bool) {
	p := s.part
	entered := uint64(0)
	if is {
		entered = 1
	}
	s.judge.note(p.position[a], entered)
	if p.asked[a/64]>>(a%64)&1 != 0 {
		s.flipped = append(s.flipped, a)
	}
}

// touch queues an audience once, to have its verdicts compared.
func (s *scratch) touch(a int32) {
	if s.touched[a] == s.epoch || s.part.isDead(a) {
		return
	}
	s.touched[a] = s.epoch
	s.queue = append(s.queue, a)
}
