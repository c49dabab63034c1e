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
	size      int // its blocks: first, first + stride and so on
	first     int32
	stride    int32
	audience  int32 // the one at bit 0; the next one is at bit 1
	kind      groupKind
	used      uint64     // bits that are audiences, or clauses of a scattered one
	questions []question // of audiences with conditions beyond the lanes: by bit and clause
	asks      []uint64   // of those, by clause: audiences that ask something
	whole     uint64     // of those: audiences that are whole
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
	strew := len(g.groups)
	slices.SortStableFunc(strewn, func(a, b *plan) int { return compareShares(a.shares, b.shares) })
	for i := range strewn {
		if i%64 == 0 {
			g.groups = append(g.groups, group{size: 1, audience: none, kind: scattered})
		}
		g.groups[len(g.groups)-1].used |= 1 << (i % 64)
	}
	g.lineUp()
	for i := range g.audiences {
		if n := g.groupOf[i]; n != none {
			a, gr := &g.audiences[i], &g.groups[n]
			for c := range a.end - a.first {
				g.clauses[a.first+c].place = gr.block(int(c))*64 + int32(i) - gr.audience
			}
		}
	}
	for i, p := range strewn {
		g.clauses[p.clause].place = g.groups[strew+i/64].first*64 + int32(i%64)
	}
	y.settle()
}

// join puts an audience into the last group, or into a new one where it does not fit.
func (y *layout) join(number int32) {
	g := y.segment
	a := &g.audiences[number]
	size := int(a.end - a.first)
	n := len(g.groups) - 1
	if n < 0 || g.groups[n].kind != a.kind || g.groups[n].size != size || number-g.groups[n].audience == 64 {
		g.groups = append(g.groups, group{size: size, audience: number, kind: a.kind})
		n++
	}
	g.groupOf[number] = int32(n)
	g.groups[n].used |= 1 << (number - g.groups[n].audience)
}

// settle lists what has a bit in the order of bits.
func (y *layout) settle() {
	g := y.segment
	g.clauseAt = slices.Repeat([]int32{none}, len(g.groupAt)*64)
	for i := range g.clauses {
		if place := g.clauses[i].place; place != none {
			g.clauseAt[place] = int32(i)
		}
	}
	for _, i := range g.clauseAt {
		if i != none {
			y.laned = append(y.laned, &y.plans[i])
			y.residue(&g.clauses[i])
		}
	}
}

// block is the block of a group's clauses of one number.
func (gr *group) block(clause int) int32 { return gr.first + int32(clause)*gr.stride }

// run is a number of groups, one after the other, of as many clauses. First come the blocks of the first clauses of all of
// them, then those of the second ones: neighbours read the same vectors, and whole runs are combined at once.
type run struct {
	first, end int // groups
	block      int // the first one of theirs
	size       int // blocks of each
}

// lineUp gives the groups their blocks.
func (g *segment) lineUp() {
	for n := range g.groups {
		if g.groups[n].kind == byBits {
			g.bitGroups = n + 1
		}
		if size := g.groups[n].size; len(g.runs) == 0 || g.runs[len(g.runs)-1].size != size {
			g.runs = append(g.runs, run{first: n, size: size})
		}
		g.runs[len(g.runs)-1].end = n + 1
	}
	for i := range g.runs {
		r := &g.runs[i]
		r.block = len(g.groupAt)
		for n := r.first; n < r.end; n++ {
			g.groups[n].first, g.groups[n].stride = int32(r.block+n-r.first), int32(r.end-r.first)
		}
		for range r.size {
			for n := r.first; n < r.end; n++ {
				g.groupAt = append(g.groupAt, int32(n))
			}
		}
	}
}
