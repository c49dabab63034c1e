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
			collect(s.constant, v.blocks, words)
			continue
		}
		collect(s.later, v.blocks, words)
		s.writeValue(v, q, words)
		collect(s.earlier, v.blocks, words)
	}
	s.combine()
}

// combine makes both sides of the planes.
func (s *scratch) combine() {
	blocks := s.blocks
	constant, earlier, later := s.constant[:len(blocks)], s.earlier[:len(blocks)], s.later[:len(blocks)]
	agedEarlier, agedLater := s.agedEarlier[:len(blocks)], s.agedLater[:len(blocks)]
	for i := range blocks {
		blocks[i] = pair{constant[i] | earlier[i] | agedEarlier[i], constant[i] | later[i] | agedLater[i]}
	}
	for i := range s.part.segment.runs {
		s.conjoin(&s.part.segment.runs[i])
	}
}

// conjoin works out of the words of blocks those of groups: audiences none of whose clauses hold.
func (s *scratch) conjoin(r *run) {
	violated, blocks := s.violated[r.first:r.end], s.blocks[r.block:]
	switch r.size {
	case 1:
		copy(violated, blocks)
	case 2:
		blocks = blocks[:2*len(violated)]
		for i := range violated {
			a, b := blocks[2*i], blocks[2*i+1]
			violated[i] = pair{a[before] & b[before], a[after] & b[after]}
		}
	default:
		for i := range violated {
			all := blocks[i*r.size]
			for _, w := range blocks[i*r.size+1 : (i+1)*r.size] {
				all[before] &= w[before]
				all[after] &= w[after]
			}
			violated[i] = all
		}
	}
}

// groupViolated are the audiences of a group none of whose clauses hold, as far as the lanes say.
func (s *scratch) groupViolated(n int32) pair {
	if s.filled != s.epoch {
		s.fill()
	}
	return s.violated[n]
}

func (s *scratch) fillAge(n int, words []uint64) {
	v := &s.part.segment.vectors[n]
	earlier, later := s.ageRanks(n)
	v.lanes[0].write(words, later)
	collect(s.agedLater, v.blocks, words)
	if earlier != later {
		v.lanes[0].write(words, earlier)
	}
	collect(s.agedEarlier, v.blocks, words)
}

// collect adds the words of one vector to a plane.
func collect(plane []uint64, blocks []uint32, words []uint64) {
	words = words[:len(blocks)]
	for i, b := range blocks {
		plane[b] |= words[i]
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
			for i, w := range x.masks[e.clear-1:][:len(words)] {
				words[i] &^= w
			}
		}
		for _, bit := range x.bits[e.satisfied:e.violated] {
			words[bit>>6] &^= 1 << (bit & 63)
		}
		if e.set != 0 {
			for i, w := range x.masks[e.set-1:][:len(words)] {
				words[i] |= w
			}
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
	for i, w := range from {
		words[i] |= w
	}
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
