package compiled

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// maxStripes is how many clauses an audience may have and still be judged by whole words: more of them would leave groups
// that are mostly empty.
const maxStripes = 4

// group is up to 64 audiences of as many clauses each, in as many blocks: clause k of the audience at bit i is bit i of the
// block k. The AND of the blocks' words then has a bit where no clause of an audience holds.
type group struct {
	first, end uint32 // its blocks
	audience   int32  // the one at bit 0; the next one is at bit 1
	kind       groupKind
	used       uint64     // bits that are audiences, or clauses of a scattered one
	questions  []question // of audiences with conditions beyond the lanes: by bit and clause
	asks       []uint64   // of those, by clause: audiences that ask something
	whole      uint64     // of those: audiences that are whole
}

// groupKind is what more than bits it takes to judge an audience. It is also the order in which audiences are numbered.
type groupKind uint8

const (
	byBits    groupKind = iota // nothing
	byResidue                  // conditions beyond the lanes
	scattered                  // the whole audience: clauses of those with too many of them, or with some found by hash
	byHash                     // no group: audiences all of whose clauses are found by hash, or which have none
)

// standing is where an audience belongs.
type standing struct {
	audience int32
	kind     groupKind
	key      string // audiences of similar keys read the same vectors, and are neighbours so that a block needs few of them
}

// arrange numbers audiences and clauses anew, in the order of their bits.
func (y *layout) arrange() {
	g := y.segment
	standings := make([]standing, len(g.audiences))
	for i := range g.audiences {
		standings[i] = y.stand(int32(i))
	}
	slices.SortStableFunc(standings, func(a, b standing) int {
		if c := cmp.Compare(a.kind, b.kind); c != 0 {
			return c
		}
		return strings.Compare(a.key, b.key)
	})
	audiences, clauses, plans := make([]audience, 0, len(standings)), make([]clause, 0, len(g.clauses)), make([]plan, 0, len(g.clauses))
	for _, st := range standings {
		a := g.audiences[st.audience]
		first := int32(len(clauses))
		for _, p := range y.plans[a.first:a.end] {
			c := g.clauses[p.clause]
			c.audience, p.clause = int32(len(audiences)), int32(len(clauses))
			clauses, plans = append(clauses, c), append(plans, p)
		}
		a.first, a.end, a.kind = first, int32(len(clauses)), st.kind
		audiences = append(audiences, a)
	}
	g.audiences, g.clauses, y.plans = audiences, clauses, plans
}

// stand orders the shares of an audience's clauses, and its clauses by them, and says where it belongs.
func (y *layout) stand(number int32) standing {
	g := y.segment
	a := &g.audiences[number]
	plans := y.plans[a.first:a.end]
	pinned, beyond := 0, false
	for i := range plans {
		p := &plans[i]
		if p.pinned {
			pinned++
			continue
		}
		slices.SortFunc(p.shares, func(a, b share) int { return cmp.Compare(a.vector().order(), b.vector().order()) })
		beyond = beyond || g.clauses[p.clause].residual()
	}
	slices.SortStableFunc(plans, func(a, b plan) int { return compareShares(a.shares, b.shares) })
	st := standing{audience: number, key: sharesKey(plans)}
	switch {
	case pinned == len(plans):
		st.kind = byHash
	case pinned > 0 || len(plans) > maxStripes:
		st.kind = scattered
	case beyond:
		st.kind = byResidue
	}
	return st
}

func compareShares(a, b []share) int {
	return slices.CompareFunc(a, b, func(p, q share) int { return cmp.Compare(p.vector().order(), q.vector().order()) })
}

// sharesKey begins with the number of clauses, so that those of one number are together.
func sharesKey(plans []plan) string {
	key := binary.BigEndian.AppendUint32(nil, uint32(len(plans)))
	for i := range plans {
		for _, s := range plans[i].shares {
			key = binary.BigEndian.AppendUint64(key, uint64(s.vector().order())+1)
		}
		key = binary.BigEndian.AppendUint64(key, 0)
	}
	return string(key)
}

// place gives each clause in the lanes a bit.
func (y *layout) place() {
	g := y.segment
	g.groupOf = make([]int32, len(g.audiences))
	var strewn []*plan
	for i := range g.audiences {
		a := &g.audiences[i]
		g.groupOf[i] = none
		switch a.kind {
		case byBits, byResidue:
			y.join(int32(i))
		case scattered:
			for c := a.first; c < a.end; c++ {
				if !y.plans[c].pinned {
					strewn = append(strewn, &y.plans[c])
				}
			}
		}
	}
	slices.SortStableFunc(strewn, func(a, b *plan) int { return compareShares(a.shares, b.shares) })
	for i, p := range strewn {
		if i%64 == 0 {
			g.groups = append(g.groups, group{first: g.blockCount(), end: g.blockCount() + 1, audience: none, kind: scattered})
		}
		last := &g.groups[len(g.groups)-1]
		last.used |= 1 << (i % 64)
		g.clauses[p.clause].place = int32(last.first)*64 + int32(i%64)
	}
	y.settle()
}

// join puts an audience into the last group, or into a new one where it does not fit.
func (y *layout) join(number int32) {
	g := y.segment
	a := &g.audiences[number]
	size := uint32(a.end - a.first)
	if n := len(g.groups); n == 0 || g.groups[n-1].kind != a.kind || g.groups[n-1].end-g.groups[n-1].first != size ||
		number-g.groups[n-1].audience == 64 {
		g.groups = append(g.groups, group{first: g.blockCount(), end: g.blockCount() + size, audience: number, kind: a.kind})
	}
	n := len(g.groups) - 1
	bit := number - g.groups[n].audience
	g.groupOf[number] = int32(n)
	g.groups[n].used |= 1 << bit
	for i := range int32(size) {
		g.clauses[a.first+i].place = (int32(g.groups[n].first)+i)*64 + bit
	}
}

// settle lists what has a bit in the order of bits.
func (y *layout) settle() {
	g := y.segment
	g.clauseAt = slices.Repeat([]int32{none}, int(g.blockCount())*64)
	for i := range g.clauses {
		if place := g.clauses[i].place; place != none {
			g.clauseAt[place] = int32(i)
		}
	}
	for n := range g.groups {
		for range g.groups[n].end - g.groups[n].first {
			g.groupAt = append(g.groupAt, int32(n))
		}
	}
	g.summariseGroups()
	for _, i := range g.clauseAt {
		if i != none {
			y.laned = append(y.laned, &y.plans[i])
			y.residue(&g.clauses[i])
		}
	}
}

// blockCount is how many blocks the groups have so far.
func (g *segment) blockCount() uint32 {
	if n := len(g.groups); n > 0 {
		return g.groups[n-1].end
	}
	return 0
}

// run is a number of groups, one after the other, of as many clauses.
type run struct {
	first, end int // groups
	block      int // the first one of theirs
	size       int // blocks of each
}

func (g *segment) summariseGroups() {
	for n := range g.groups {
		gr := &g.groups[n]
		if gr.kind == byBits {
			g.bitGroups = n + 1
		}
		size := int(gr.end - gr.first)
		if len(g.runs) == 0 || g.runs[len(g.runs)-1].size != size {
			g.runs = append(g.runs, run{first: n, block: int(gr.first), size: size})
		}
		g.runs[len(g.runs)-1].end = n + 1
	}
}
