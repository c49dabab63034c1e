package compiled

import "math/bits"

// diff finds the audiences of the segment whose verdict differs or may differ: those that a bit or a hashed clause decides
// go to s.outcome at once, all others are touched, to be compared when every segment is through.
func (s *scratch) diff() {
	g := s.part.segment
	if s.mask == 0 {
		if g.timedHashed { // for their flips
			s.visitClusters()
		}
		return
	}
	clear(s.visit)
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
		s.visitBlocks()
	}
	if g.clustered {
		s.visitClusters()
	}
}

// visitResidue marks blocks, and the clauses in them, whose conditions beyond the lanes may have another verdict.
func (s *scratch) visitResidue(r *blockBits) bool {
	for i, b := range r.blocks {
		s.visit[b/64] |= 1 << (b % 64)
		s.residue[b] |= r.words[i]
	}
	return len(r.blocks) > 0
}

func union(a, b []uint64) {
	for i, w := range b {
		a[i] |= w
	}
}

// movedVectors fills the vectors of attributes that differ, and of ages when the clock does, and marks the blocks of those
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

// visitBlocks compares both sides of every block marked.
func (s *scratch) visitBlocks() {
	g := s.part.segment
	for i, marked := range s.visit {
		if marked != 0 {
			s.fillAll()
		}
		for ; marked != 0; marked &= marked - 1 {
			block := i*64 + bits.TrailingZeros64(marked)
			w := s.compute(block)
			flipped := (w[before] ^ w[after]) & g.used[block]
			if residual := g.residual[block]; residual != 0 {
				s.visitResidual(block, w, flipped)
				flipped &^= residual
			}
			for ; flipped != 0; flipped &= flipped - 1 {
				bit := bits.TrailingZeros64(flipped)
				s.bitFlipped(g.ownerAt[block*64+bit], w[after]>>bit&1 == 0)
			}
		}
	}
}

// compute returns the words of a block: the clauses that its vectors violate, on both sides.
func (s *scratch) compute(block int) pair {
	g := s.part.segment
	if s.computed[block] == s.epoch {
		return s.blocks[block]
	}
	var w pair
	for _, e := range g.entries[g.entryStart[block]:g.entryStart[block+1]] {
		word := &s.words[e]
		w[before] |= word[before]
		w[after] |= word[after]
	}
	s.blocks[block], s.computed[block] = w, s.epoch
	return w
}

// visitResidual compares the clauses of a block that have conditions beyond the lanes: those that the lanes let through on
// some side, if the lanes' verdict or what those conditions read differs.
func (s *scratch) visitResidual(block int, w pair, flipped uint64) {
	g := s.part.segment
	differing := flipped&g.residual[block] | s.residue[block]
	s.residue[block] = 0
	for through := differing &^ (w[before] & w[after]); through != 0; through &= through - 1 {
		bit := bits.TrailingZeros64(through)
		c := &g.clauses[g.clauseAt[block*64+bit]]
		if s.touched[c.audience] == s.epoch {
			continue
		}
		if s.mask&c.mask == 0 && !g.referring[c.audience] { // both sides are one to what is beyond the lanes
			if s.beyond(c, after) {
				s.clauseFlipped(c.audience, w[after]>>bit&1 == 0)
			}
			continue
		}
		was := w[before]>>bit&1 == 0 && s.beyond(c, before)
		is := w[after]>>bit&1 == 0 && s.beyond(c, after)
		if was != is {
			s.clauseFlipped(c.audience, is)
		}
	}
}

// clauseFlipped notes that the verdict of one clause differs.
func (s *scratch) clauseFlipped(a int32, is bool) {
	if !s.part.segment.audiences[a].single {
		s.touch(a)
	} else if !s.part.isDead(a) {
		s.touched[a] = s.epoch // a clause found by hash may be found again by another of its values
		s.outcome = append(s.outcome, change{a, is})
	}
}

// bitFlipped notes that the verdict of a clause that is all in the lanes differs.
func (s *scratch) bitFlipped(owner int32, is bool) {
	if owner >= 0 {
		if !s.part.isDead(owner) {
			s.outcome = append(s.outcome, change{owner, is})
		}
		return
	}
	a := ^owner
	if s.touched[a] == s.epoch {
		return
	}
	g := s.part.segment
	if !g.inLanes[a] {
		s.touch(a)
		return
	}
	if s.touched[a] = s.epoch; s.part.isDead(a) {
		return
	}
	if violated := s.violated(a); (violated[before]^violated[after])&1 != 0 {
		s.outcome = append(s.outcome, change{a, violated[after]&1 == 0})
	}
}

// violated has in bit 0 whether all clauses of an audience that is all in the lanes are, on both sides.
func (s *scratch) violated(a int32) pair {
	g := s.part.segment
	all := pair{^uint64(0), ^uint64(0)}
	for _, place := range g.places[g.firsts[a]:g.firsts[a+1]] {
		w := s.compute(int(place >> 6))
		all[before] &= w[before] >> (place & 63)
		all[after] &= w[after] >> (place & 63)
	}
	return all
}

// touch queues an audience once, to have its verdicts compared.
func (s *scratch) touch(a int32) {
	if s.touched[a] == s.epoch || s.part.isDead(a) {
		return
	}
	s.touched[a] = s.epoch
	s.queue = append(s.queue, a)
}

// visitClusters judges the clauses found by hash from a value of either side, where anything that they read differs.
func (s *scratch) visitClusters() {
	g := s.part.segment
	for a := range g.attributes {
		x := g.attributes[a].index
		if x == nil || len(x.clusters) == 0 {
			continue
		}
		p := s.probe(int32(a), after)
		if !s.differs(int32(a)) {
			s.visitFound(x, p, s.mask, true)
			continue
		}
		s.visitFound(x, p, ^uint64(0), true)
		s.visitFound(x, s.probe(int32(a), before), ^uint64(0), false)
	}
}

// visitFound judges the clauses of what one probe found that read any of mask.
func (s *scratch) visitFound(x *index, p *probe, mask uint64, later bool) {
	g := s.part.segment
	for _, n := range s.found[p.first:p.end] {
		e := &x.entries[n]
		if e.cluster == e.clusterEnd || e.clusterMask&(mask|clockBit) == 0 && mask != ^uint64(0) {
			continue
		}
		for _, c := range x.clusters[e.cluster:e.clusterEnd] {
			clause := &g.clauses[c]
			if clause.timed && later {
				s.hashed = append(s.hashed, c)
			}
			if clause.mask&mask != 0 || mask == ^uint64(0) {
				s.judgeClause(clause)
			}
		}
	}
}

// judgeClause compares a clause found by hash on both sides.
func (s *scratch) judgeClause(c *clause) {
	if s.touched[c.audience] == s.epoch || s.part.isDead(c.audience) {
		return
	}
	if was, is := s.clause(c, before), s.clause(c, after); was != is {
		s.clauseFlipped(c.audience, is)
	}
}
