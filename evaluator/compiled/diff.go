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
	for a := range g.attributes {
		if s.differs(int32(a)) {
			moved = s.visitResidue(&g.attributes[a].residue) || moved
		}
	}
	if moved {
		s.visitGroups()
	}
	if g.clustered {
		s.visitClusters()
	}
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

// movedVectors fills the vectors of attributes that differ, and of ages when the clock does, and marks the groups of those
// whose words may.
func (s *scratch) movedVectors() (moved bool) {
	g := s.part.segment
	for n := range g.vectors {
		v := &g.vectors[n]
		if v.kind == ageLane {
			if s.mask&clockBit == 0 && !s.differs(v.attribute) || s.sameAge(v) {
				continue
			}
		} else if !s.differs(v.attribute) || s.sameProbe(s.probe(v.attribute, before), s.probe(v.attribute, after)) {
			continue
		}
		s.fillVector(n)
		union(s.visit, v.bitmap)
		moved = true
	}
	return moved
}

// sameAge reports whether an age has the same rank on both sides.
func (s *scratch) sameAge(v *vector) bool {
	g, c := s.part.segment, v.lanes[0].scale
	return c.rank(s.value(g, v.attribute, after), s.inputs[after].Now) ==
		c.rank(s.value(g, v.attribute, before), s.inputs[before].Now)
}

// visitGroups compares both sides of every group marked.
func (s *scratch) visitGroups() {
	s.fillAll()
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

// visitResidual compares the audiences of a group that have conditions beyond the lanes: those that the lanes let through on
// some side, if the lanes' verdict or what those conditions read differs.
func (s *scratch) visitResidual(n int) {
	gr := &s.part.segment.groups[n]
	violated := s.violated(n)
	var differing uint64
	for b := gr.first; b < gr.end; b++ {
		differing |= s.blocks[b][before] ^ s.blocks[b][after] | s.residue[b]
		s.residue[b] = 0
	}
	for through := differing & s.part.live[n] &^ (violated[before] & violated[after]); through != 0; through &= through - 1 {
		bit := bits.TrailingZeros64(through)
		if was, is := s.compareBit(gr, bit); was != is {
			s.tell(gr.audience+int32(bit), is)
		}
	}
}

// compareBit judges an audience of a group on both sides.
func (s *scratch) compareBit(gr *group, bit int) (was, is bool) {
	g := s.part.segment
	a := &g.audiences[int(gr.audience)+bit]
	c := a.first
	for b := gr.first; b < gr.end && !(was && is); b++ {
		had, has := s.blocks[b][before]>>bit&1 == 0, s.blocks[b][after]>>bit&1 == 0
		clause := &g.clauses[c]
		c++
		switch {
		case !had && !has:
		case s.mask&clause.mask == 0 && !a.referring: // both sides are one to what is beyond the lanes
			if s.beyond(clause, after) {
				was, is = was || had, is || has
			}
		default:
			was = was || had && s.beyond(clause, before)
			is = is || has && s.beyond(clause, after)
		}
	}
	return was, is
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

// violated works out the words of a group's blocks, and returns which of its audiences satisfy no clause, on both sides.
func (s *scratch) violated(n int) pair {
	if s.judged[n] == s.epoch {
		return s.groups[n]
	}
	g := s.part.segment
	gr := &g.groups[n]
	all := pair{^uint64(0), ^uint64(0)}
	for b := gr.first; b < gr.end; b++ {
		var w pair
		for _, e := range g.entries[g.entryStart[b]:g.entryStart[b+1]] {
			word := &s.words[e]
			w[before] |= word[before]
			w[after] |= word[after]
		}
		s.blocks[b] = w
		all[before] &= w[before]
		all[after] &= w[after]
	}
	s.groups[n], s.judged[n] = all, s.epoch
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
