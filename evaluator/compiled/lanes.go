package compiled

// layout turns plans into blocks and vectors.
type layout struct {
	segment *segment
	plans   []plan            // by clause
	laned   []*plan           // those in the lanes, in the order of their bits
	vectors map[vectorKey]int // of segment.vectors
}

type vectorKey struct {
	attribute int32
	kind      laneKind
}

// order puts vectors of few clauses first, so that those are neighbours.
func (k vectorKey) order() int64 {
	if k.kind == verdictLane {
		return int64(k.attribute)
	}
	return 1<<32 + int64(k.attribute)<<2 | int64(k.kind)
}

func (p *share) vector() vectorKey { return vectorKey{p.of, p.kind} }

func bitmapWords(bits int) int { return (bits + 63) / 64 }

// residue notes which attributes make a clause worth a visit beside its vectors.
func (y *layout) residue(c *clause) {
	g := y.segment
	g.eachBeyond(c, func(number int32) {
		p := &g.predicates[number]
		if p.relative() {
			g.clocked.set(c.place)
		}
		for _, a := range [...]int32{p.attribute, p.other} {
			if a != none {
				g.attributes[a].residue.set(c.place)
			}
		}
	})
}

// build makes the vectors and their lanes.
func (y *layout) build() {
	g := y.segment
	y.vectors = make(map[vectorKey]int)
	shares := y.collect()
	for i := range g.vectors {
		y.fill(i, shares[i])
	}
}

// placed is a part with the bit of its clause in the vector.
type placed struct {
	share
	bit uint32
}

// collect finds which blocks each vector has a word for.
func (y *layout) collect() [][]placed {
	g := y.segment
	var shares [][]placed
	g.plainTimed = make([]uint64, len(g.groupAt))
	for _, plan := range y.laned {
		place := g.clauses[plan.clause].place
		block := uint32(place / 64)
		ages := 0
		for _, p := range plan.shares {
			if p.kind == ageLane {
				ages++
			}
			key := p.vector()
			n, ok := y.vectors[key]
			if !ok {
				n = len(g.vectors)
				y.vectors[key] = n
				g.vectors = append(g.vectors, vector{attribute: p.of, kind: p.kind})
				shares = append(shares, nil)
				if p.kind == valueLane {
					g.attributes[p.of].ensureIndex().value = vector0(n + 1)
				}
			}
			v := &g.vectors[n]
			v.cover(block)
			shares[n] = append(shares[n], placed{p, uint32(len(v.blocks)-1)<<6 | uint32(place%64)})
		}
		if ages == 1 && g.groups[g.groupAt[block]].kind == byBits {
			g.plainTimed[block] |= 1 << (place % 64)
		}
	}
	return shares
}

func (a *attribute) ensureIndex() *index {
	if a.index == nil {
		a.index = new(index)
	}
	return a.index
}

// fill makes the lanes of one vector and files its constants.
func (y *layout) fill(n int, shares []placed) {
	g := y.segment
	v := &g.vectors[n]
	v.extend()
	if v.kind == verdictLane {
		v.placeVerdicts(shares)
		return
	}
	v.initial = make([]uint64, len(v.blocks))
	var scaled [scaleKinds][]laneBits
	for _, p := range shares {
		first := &g.predicates[p.literals[0].predicate()]
		if kind, ok := scaleOf(first); ok {
			bits := laneBits{bit: p.bit}
			for _, l := range p.literals {
				bits.predicates = append(bits.predicates, &g.predicates[l.predicate()])
				bits.negated = append(bits.negated, l.negated())
			}
			scaled[kind] = append(scaled[kind], bits)
			continue
		}
		if p.literals[0].negated() == first.inverted() {
			v.initial[p.bit>>6] |= 1 << (p.bit & 63)
		}
	}
	initial := v.initial
	for kind, bits := range scaled {
		if len(bits) > 0 {
			v.lanes = append(v.lanes, newLane(scaleKind(kind), bits, initial))
			initial = make([]uint64, len(v.blocks))
		}
	}
}
