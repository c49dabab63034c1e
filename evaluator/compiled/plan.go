package compiled

// plan is what the compiler decided for one clause.
type plan struct {
	clause int32
	pinned bool
	pin    literal
	shares []share
}

// plans decides for each clause whether it is found by hash or sits in the lanes, and orders its literals accordingly. The
// clauses of an audience go the same way, for then either way decides it alone, unless they are too many.
func (b *builder) plans(o options) []plan {
	g := b.segment
	r := newRouter(g, o)
	plans := make([]plan, len(g.clauses))
	for i := range g.audiences {
		a := &g.audiences[i]
		pinned := 0
		for c := a.first; c < a.end; c++ {
			p := &plans[c]
			p.clause = c
			if p.pin, p.pinned = r.pin(g.literals[g.clauses[c].first:g.clauses[c].end]); p.pinned {
				pinned++
			}
		}
		few := int(a.end-a.first) <= maxStripes && pinned < int(a.end-a.first)
		for c := a.first; c < a.end; c++ {
			p := &plans[c]
			if p.pinned = p.pinned && !few; p.pinned {
				g.pinLast(&g.clauses[c], p.pin)
			} else {
				p.shares = g.share(&g.clauses[c])
			}
		}
	}
	return plans
}

// pinLast orders the literals of a clause found by hash: what is left to ask when the pin was found comes first.
func (g *segment) pinLast(c *clause, pin literal) {
	literals := g.literals[c.first:c.end]
	at := 0
	for i, l := range literals {
		if l == pin {
			at = i
		}
	}
	copy(literals[at:], literals[at+1:])
	literals[len(literals)-1] = pin
	c.beyond = c.end - 1
}

// share orders the literals of a clause in the lanes, those beyond them first, and returns what it has in each vector.
func (g *segment) share(c *clause) []share {
	literals := g.literals[c.first:c.end]
	shares, beyond := g.shares(literals)
	n := copy(literals, beyond)
	c.beyond = c.first + uint32(n)
	for _, share := range shares {
		n += copy(literals[n:], share.literals)
	}
	return shares
}
