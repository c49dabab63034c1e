package compiled

// fillVector writes a vector's words for both sides.
func (s *scratch) fillVector(n int) {
	g := s.part.segment
	v := &g.vectors[n]
	s.filled[n] = s.epoch
	if v.kind == ageLane {
		s.fillAge(v)
		return
	}
	p := s.probe(v.attribute, after)
	s.fillValue(v, p, after)
	if !s.differs(v.attribute) {
		s.copyOver(v)
		return
	}
	if q := s.probe(v.attribute, before); s.sameProbe(p, q) {
		s.copyOver(v)
	} else {
		s.fillValue(v, q, before)
	}
}

// fillAll writes the words of every vector that was not written yet.
func (s *scratch) fillAll() {
	if s.allFilled == s.epoch {
		return
	}
	s.allFilled = s.epoch
	for n := range s.filled {
		if s.filled[n] != s.epoch {
			s.fillVector(n)
		}
	}
}

func (s *scratch) wordsOf(v *vector) []pair { return s.words[v.base : int(v.base)+len(v.blocks)] }

// copyOver makes both sides what the later one is.
func (s *scratch) copyOver(v *vector) {
	words := s.wordsOf(v)
	for i := range words {
		words[i][before] = words[i][after]
	}
}

func (s *scratch) fillAge(v *vector) {
	g := s.part.segment
	words, l := s.wordsOf(v), &v.lanes[0]
	rank := l.scale.rank(s.value(g, v.attribute, after), s.inputs[after].Now)
	l.write(words, rank, after&1)
	earlier := l.scale.rank(s.value(g, v.attribute, before), s.inputs[before].Now)
	if earlier == rank {
		s.copyOver(v)
	} else {
		l.write(words, earlier, before)
	}
}

// fillValue writes a vector's words for what a value found.
func (s *scratch) fillValue(v *vector, p *probe, on side) {
	words := s.wordsOf(v)
	if len(v.lanes) == 0 {
		for i, w := range v.initial {
			words[i][on&1] = w
		}
	}
	for i := range v.lanes {
		if i == 0 {
			v.lanes[i].write(words, p.ranks[i], on)
		} else {
			v.lanes[i].add(words, p.ranks[i], on)
		}
	}
	x := s.part.segment.attributes[v.attribute].index
	for _, n := range s.found[p.first:p.end] {
		e := &x.entries[n]
		if e.masks != 0 {
			for i, m := range x.masks[e.masks-1 : int(e.masks-1)+len(words)] {
				words[i][on&1] = words[i][on&1]&^m[0] | m[1]
			}
			continue
		}
		for _, bit := range x.bits[e.satisfied:e.violated] {
			words[bit>>6][on&1] &^= 1 << (bit & 63)
		}
		for _, bit := range x.bits[e.violated:e.end] {
			words[bit>>6][on&1] |= 1 << (bit & 63)
		}
	}
}

// write makes words those of a rank.
func (l *lane) write(words []pair, rank int32, on side) {
	from, snapshot := l.start(rank, len(words))
	for i, w := range from {
		words[i][on&1] = w
	}
	l.toggle(words, snapshot, rank, on)
}

// add makes words hold the bits of a rank beside their own. No two lanes of a vector share a bit.
func (l *lane) add(words []pair, rank int32, on side) {
	from, snapshot := l.start(rank, len(words))
	for i, w := range from {
		words[i][on&1] |= w
	}
	l.toggle(words, snapshot, rank, on)
}

// start returns the kept words nearest to a rank and whose they are.
func (l *lane) start(rank int32, size int) (words []uint64, of int32) {
	if rank == unranked {
		return l.unranked, unranked
	}
	n := int(l.nearest[rank])
	return l.snapshots[n*size : (n+1)*size], l.ranks[n]
}

// toggle leads from the words of one rank to those of another.
func (l *lane) toggle(words []pair, from, to int32, on side) {
	if from > to {
		from, to = to, from
	}
	if from == unranked {
		return
	}
	for _, bit := range l.toggles[l.starts[from+1]:l.starts[to+1]] {
		words[bit>>6][on&1] ^= 1 << (bit & 63)
	}
}
