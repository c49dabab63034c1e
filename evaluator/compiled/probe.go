package compiled

// probe is what the value of an attribute finds in its index.
type probe struct {
	epoch      uint32
	first, end int32             // entries: scratch.found[first:end]
	ranks      [scaleKinds]int32 // by lane of the value's vector
}

// probe looks an attribute's value up, once on each side where it differs.
func (s *scratch) probe(a int32, on side) *probe {
	g := s.part.segment
	if !s.differs(a) {
		on = after
	}
	p := &s.probes[int(on)*len(g.attributes)+int(a)]
	if p.epoch == s.epoch {
		return p
	}
	p.epoch = s.epoch
	x := g.attributes[a].index
	v := s.value(g, a, on)
	p.first = int32(len(s.found))
	s.found = x.find(v, s.found, &s.finder)
	p.end = int32(len(s.found))
	if x.value != 0 {
		lanes := g.vectors[x.value-1].lanes
		for i := range lanes {
			p.ranks[i] = lanes[i].scale.rank(v, 0)
		}
	}
	return p
}

// sameProbe reports whether two probes found the same, so that two different values are one to every clause.
func (s *scratch) sameProbe(p, q *probe) bool {
	if p.ranks != q.ranks || p.end-p.first != q.end-q.first {
		return false
	}
	for i := range p.end - p.first {
		if s.found[p.first+i] != s.found[q.first+i] {
			return false
		}
	}
	return true
}
