package compiled

import "muster/evaluator"

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
		s.looked += len(lanes)
		for i := range lanes {
			p.ranks[i] = lanes[i].scale.rank(v, 0)
		}
	}
	return p
}

// bothProbes looks an attribute up on the later side, and on the earlier one where it differs, and reports whether what they
// found does.
func (s *scratch) bothProbes(a int32) (later, earlier *probe, differ bool) {
	later = s.probe(a, after)
	if !s.differs(a) {
		return later, later, false
	}
	earlier = s.probe(a, before)
	return later, earlier, !s.sameProbe(later, earlier)
}

// aged are the ranks of an age on both sides.
type aged struct {
	epoch          uint32
	earlier, later int32
}

// ageRanks returns the ranks of an age vector on both sides.
func (s *scratch) ageRanks(n int) (earlier, later int32) {
	r := &s.ages[n]
	if r.epoch != s.epoch {
		r.epoch = s.epoch
		g := s.part.segment
		v := &g.vectors[n]
		c := v.lanes[0].scale
		was, is := s.inputs[before].Now, s.inputs[after].Now
		value := s.value(g, v.attribute, after)
		r.later = c.rank(value, is)
		r.earlier = r.later
		if s.differs(v.attribute) {
			r.earlier = c.rank(s.value(g, v.attribute, before), was)
		} else if s.mask&clockBit != 0 && !c.keeps(value, was, r.later) {
			r.earlier = c.rank(value, was)
		}
	}
	return r.earlier, r.later
}

// keeps reports whether a value has a rank at another instant, if that is easily told: the clock has hardly moved.
func (c *scale) keeps(v evaluator.Value, now evaluator.Instant, rank int32) bool {
	i, ok := v.Instant()
	return ok && c.micros != nil && rank != unranked && near(i) && near(now) && c.atMicros(int64(i-now), rank)
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
