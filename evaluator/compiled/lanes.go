package compiled

import (
	"cmp"
	"slices"
)

// plan is what the compiler decided for one clause.
type plan struct {
	clause int32
	pinned bool
	pin    literal
	shares []share
}

// layout turns plans into blocks and vectors.
type layout struct {
	segment *segment
	plans   []plan            // those in the lanes, in the order of their bits
	vectors map[vectorKey]int // of segment.vectors
}

type vectorKey struct {
	attribute int32
	kind      laneKind
}

func (k vectorKey) order() int64 { return int64(k.attribute)<<2 | int64(k.kind) }

// place gives each plan a bit. Clauses that read the same vectors become neighbours, so that a block needs few of them.
func (y *layout) place() {
	g := y.segment
	for i := range y.plans {
		slices.SortFunc(y.plans[i].shares, func(a, b share) int {
			return cmp.Compare(vectorKey{a.attribute, a.kind}.order(), vectorKey{b.attribute, b.kind}.order())
		})
	}
	slices.SortStableFunc(y.plans, func(a, b plan) int {
		return slices.CompareFunc(a.shares, b.shares, func(p, q share) int {
			return cmp.Compare(vectorKey{p.attribute, p.kind}.order(), vectorKey{q.attribute, q.kind}.order())
		})
	})
	g.blocks = (len(y.plans) + 63) / 64
	g.clauseAt = make([]int32, g.blocks*64)
	g.used, g.residual = make([]uint64, g.blocks), make([]uint64, g.blocks)
	for i := range y.plans {
		c := &g.clauses[y.plans[i].clause]
		c.place = int32(i)
		g.clauseAt[i] = y.plans[i].clause
		g.used[i/64] |= 1 << (i % 64)
		if c.first != c.beyond || c.tree != 0 {
			g.residual[i/64] |= 1 << (i % 64)
			y.residue(c)
		}
	}
}

func bitmapWords(bits int) int { return (bits + 63) / 64 }

// residue notes which attributes make a clause worth a visit beside its vectors.
func (y *layout) residue(c *clause) {
	g := y.segment
	g.eachBeyond(c, func(p *predicate) {
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

// build makes the vectors, their lanes and the entries that lead to them.
func (y *layout) build() {
	g := y.segment
	y.vectors = make(map[vectorKey]int)
	shares := y.collect()
	g.entryStart = make([]uint32, 0, g.blocks+1)
	for i := range g.vectors {
		v := &g.vectors[i]
		v.base = uint32(g.words)
		g.words += len(v.blocks)
		v.bitmap = make([]uint64, bitmapWords(g.blocks))
		for _, b := range v.blocks {
			v.bitmap[b/64] |= 1 << (b % 64)
		}
	}
	y.entries()
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
	for i := range y.plans {
		block := uint32(i / 64)
		for _, p := range y.plans[i].shares {
			key := vectorKey{p.attribute, p.kind}
			n, ok := y.vectors[key]
			if !ok {
				n = len(g.vectors)
				y.vectors[key] = n
				g.vectors = append(g.vectors, vector{attribute: p.attribute, kind: p.kind})
				shares = append(shares, nil)
				x := g.attributes[p.attribute].ensureIndex()
				if p.kind == ageLane {
					x.age = vector0(n + 1)
				} else {
					x.value = vector0(n + 1)
				}
			}
			v := &g.vectors[n]
			if len(v.blocks) == 0 || v.blocks[len(v.blocks)-1] != block {
				v.blocks = append(v.blocks, block)
			}
			shares[n] = append(shares[n], placed{p, uint32(len(v.blocks)-1)<<6 | uint32(i%64)})
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

// entries lists for each block the words of the vectors that have a part in it.
func (y *layout) entries() {
	g := y.segment
	counts := make([]uint32, g.blocks+1)
	for i := range g.vectors {
		for _, b := range g.vectors[i].blocks {
			counts[b+1]++
		}
	}
	for b := 1; b <= g.blocks; b++ {
		counts[b] += counts[b-1]
	}
	g.entryStart = slices.Clone(counts)
	g.entries = make([]uint32, counts[g.blocks])
	for i := range g.vectors {
		v := &g.vectors[i]
		for w, b := range v.blocks {
			g.entries[counts[b]] = v.base + uint32(w)
			counts[b]++
		}
	}
}

// fill makes the lanes of one vector and files its constants.
func (y *layout) fill(n int, shares []placed) {
	g := y.segment
	v := &g.vectors[n]
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
		if !p.literals[0].negated() {
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
