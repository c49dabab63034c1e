package compiled

// planes are the clauses that are violated, a word for each block, by what violates them. A judge fills them vector by
// vector, so that it reads and writes memory in its order.
type planes struct {
	constant               []uint64 // values that do not differ between the sides
	earlier, later         []uint64 // values that do, on either side
	agedEarlier, agedLater []uint64 // ages
}

func newPlanes(blocks int) planes {
	all := make([]uint64, 5*blocks)
	plane := func(n int) []uint64 { return all[n*blocks : (n+1)*blocks : (n+1)*blocks] }
	return planes{plane(0), plane(1), plane(2), plane(3), plane(4)}
}

// fill works the planes out, once in a judgement.
func (s *scratch) fill() {
	if s.filled == s.epoch {
		return
	}
	s.filled = s.epoch
	clear(s.constant)
	clear(s.earlier)
	clear(s.later)
	clear(s.agedEarlier)
	clear(s.agedLater)
	for n := range s.part.segment.vectors {
		v := &s.part.segment.vectors[n]
		words := s.words[:len(v.blocks)]
		switch v.kind {
		case ageLane:
			s.fillAge(n, words)
			continue
		case verdictLane:
			s.fillVerdict(v)
			continue
		}
		p, q, differ := s.bothProbes(v.attribute)
		s.writeValue(v, p, words)
		if !differ {
			v.collect(s.constant, words)
			continue
		}
		v.collect(s.later, words)
		s.writeValue(v, q, words)
		v.collect(s.earlier, words)
	}
	s.combine()
}

// combine makes both sides of the blocks, and of the groups.
func (s *scratch) combine() {
	copy(s.blocks[before], s.constant)
	orInto(s.blocks[before], s.earlier)
	orInto(s.blocks[before], s.agedEarlier)
	copy(s.blocks[after], s.constant)
	orInto(s.blocks[after], s.later)
	orInto(s.blocks[after], s.agedLater)
	for i := range s.part.segment.runs {
		r := &s.part.segment.runs[i]
		for on := range s.blocks {
			violated, blocks := s.violated[on][r.first:r.end], s.blocks[on][r.block:]
			copy(violated, blocks)
			for k := 1; k < r.size; k++ {
				andInto(violated, blocks[k*len(violated):][:len(violated)])
			}
		}
	}
}

// groupViolated are the audiences of a group none of whose clauses hold, as far as the lanes say.
func (s *scratch) groupViolated(n int32) pair {
	if s.filled != s.epoch {
		s.fill()
	}
	return s.violated.at(n)
}

func (s *scratch) fillAge(n int, words []uint64) {
	v := &s.part.segment.vectors[n]
	earlier, later := s.ageRanks(n)
	v.lanes[0].write(words, later)
	v.collect(s.agedLater, words)
	if earlier != later {
		v.lanes[0].write(words, earlier)
	}
	v.collect(s.agedEarlier, words)
}

// collect adds the words of a vector to a plane.
func (v *vector) collect(plane, words []uint64) {
	if v.extents == nil {
		words = words[:len(v.blocks)]
		for i, b := range v.blocks {
			plane[b] |= words[i]
		}
		return
	}
	for _, e := range v.extents {
		orInto(plane[e.block:e.block+e.size], words[e.word:e.word+e.size])
	}
}

// writeValue writes a vector's words for what a value found.
func (s *scratch) writeValue(v *vector, p *probe, words []uint64) {
	if len(v.lanes) == 0 {
		copy(words, v.initial)
	}
	for i := range v.lanes {
		if i == 0 {
			v.lanes[i].write(words, p.ranks[i])
		} else {
			v.lanes[i].add(words, p.ranks[i])
		}
	}
	x := s.part.segment.attributes[v.attribute].index
	for _, n := range s.found[p.first:p.end] {
		e := &x.entries[n]
		if e.clear != 0 {
			clearFrom(words, x.masks[e.clear-1:][:len(words)])
		}
		for _, bit := range x.bits[e.satisfied:e.violated] {
			words[bit>>6] &^= 1 << (bit & 63)
		}
		if e.set != 0 {
			orInto(words, x.masks[e.set-1:][:len(words)])
		}
		for _, bit := range x.bits[e.violated:e.end] {
			words[bit>>6] |= 1 << (bit & 63)
		}
	}
}

// write makes words those of a rank.
func (l *lane) write(words []uint64, rank int32) {
	from, snapshot := l.start(rank, len(words))
	copy(words, from)
	l.toggle(words, snapshot, rank)
}

// add makes words hold the bits of a rank beside their own. No two lanes of a vector share a bit.
func (l *lane) add(words []uint64, rank int32) {
	from, snapshot := l.start(rank, len(words))
	orInto(words, from)
	l.toggle(words, snapshot, rank)
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
func (l *lane) toggle(words []uint64, from, to int32) {
	if from > to {
		from, to = to, from
	}
	if from == unranked {
		return
	}
	for _, bit := range l.toggles[l.starts[from+1]:l.starts[to+1]] {
		words[bit>>6] ^= 1 << (bit & 63)
	}
}
