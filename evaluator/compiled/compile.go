package compiled

import "muster/evaluator"

// options are what a compilation may be told.
type options struct {
	known   *Statistics // of the values of users; nil when there are none yet
	routing routing
}

// compileSegment compiles audiences, which are in topological order, for rows of schema.
func compileSegment(audiences []evaluator.Audience, schema *evaluator.Schema, o options) *segment {
	b := newBuilder(schema)
	g := b.segment
	for i := range audiences {
		b.audience(audiences[i])
	}
	g.numberColumns()
	g.makeAutomata()
	g.markPopular(o.routing)
	y := &layout{segment: g, plans: b.plans(o)}
	y.arrange()
	for i := range y.plans {
		g.summarise(int32(i), y.plans[i].pinned)
	}
	y.place()
	y.build()
	y.file()
	g.finish()
	return g
}

// finish works out what judging looks up by predicate and by block.
func (g *segment) finish() {
	g.timed = make([]uint64, len(g.groupAt))
	for i := range g.attributes {
		a := &g.attributes[i]
		if a.index != nil && len(a.index.clusters) > 0 {
			g.clustered = append(g.clustered, int32(i))
		}
		if len(a.residue.blocks) > 0 {
			g.residues = append(g.residues, int32(i))
		}
	}
	for i := range g.predicates {
		if g.predicates[i].popular {
			g.remember(int32(i))
		}
	}
	for i := range g.clauses {
		c, irregular := &g.clauses[i], false
		g.eachBeyond(c, func(number int32) {
			g.remember(number)
			irregular = irregular || g.predicates[number].relative()
		})
		if c.place == none || !c.timed {
			continue
		}
		g.timed[c.place/64] |= 1 << (c.place % 64)
		g.timedLanes = true
		if irregular {
			g.irregular = append(g.irregular, int32(i))
		}
	}
	for i := range g.audiences {
		g.finishLeaves(&g.audiences[i])
	}
	for n := range g.groups {
		if gr := &g.groups[n]; gr.kind == byResidue {
			g.finishResidue(gr)
		}
	}
}

func (g *segment) finishLeaves(a *audience) {
	a.whole = true
	for i := range a.leaves {
		l := &a.leaves[i]
		l.mask = g.maskOf(&g.predicates[l.first])
		if l.second != none {
			l.mask |= g.maskOf(&g.predicates[l.second])
			a.whole = a.whole && !g.splits(a, l)
		}
	}
}

// splits reports whether a clause of an audience has in the lanes one half of a condition that is two predicates, or the
// opposite of a half: that may have another verdict, and the condition not.
func (g *segment) splits(a *audience, l *leaf) bool {
	for _, c := range g.clauses[a.first:a.end] {
		for i, lit := range g.literals[c.first:c.end] {
			beyond := c.first+uint32(i) < c.beyond
			if (beyond || lit.negated()) && (lit.predicate() == l.first || lit.predicate() == l.second) {
				return true
			}
		}
	}
	return false
}

// remember gives a predicate that is judged by itself a place for its verdict, if judging it takes longer than that: many
// clauses may ask it.
func (g *segment) remember(number int32) {
	p := &g.predicates[number]
	if p.memo != 0 || p.op == opMember { // which is remembered by audience
		return
	}
	if p.popular || p.argument == argDynamic || p.op == opMatches || p.op == opSample || p.op == opContains || p.op == opContainsAll {
		g.remembered = append(g.remembered, remembered{number, g.maskOf(p)})
		p.memo = int32(len(g.remembered))
	}
}

// audience normalises one definition into clauses, whose literals are not sorted into lanes yet.
func (b *builder) audience(from evaluator.Audience) {
	g := b.segment
	a := audience{id: from.ID, definition: from.Definition, first: int32(len(g.clauses))}
	for _, c := range conjunctions(b.normalise(from.Definition)) {
		first := uint32(len(g.literals))
		g.literals = append(g.literals, c.literals...)
		tree := int32(0)
		if len(c.trees) > 0 {
			g.trees = append(g.trees, c.trees)
			tree = int32(len(g.trees))
		}
		g.clauses = append(g.clauses, clause{
			audience: int32(len(g.audiences)), first: first, beyond: first, end: uint32(len(g.literals)), place: none, tree: tree,
		})
	}
	a.end = int32(len(g.clauses))
	if len(from.Definition.References()) > 0 {
		a.referring = true
		from.Definition.Leaves(func(c *evaluator.Condition) {
			l := b.leaf(c)
			if c.Operator.IsMembership() {
				a.asks = append(a.asks, g.predicates[l.first].reference)
				return
			}
			a.leaves = append(a.leaves, l)
		})
	}
	g.audiences = append(g.audiences, a)
}

func (g *segment) numberColumns() {
	byColumn := make(map[int]int)
	for i := range g.attributes {
		a := &g.attributes[i]
		a.bit = bitOf(i)
		n, ok := byColumn[a.source.Column]
		if !ok {
			n = len(g.columns)
			byColumn[a.source.Column] = n
			g.columns = append(g.columns, column{column: a.source.Column})
		}
		g.columns[n].attributes = append(g.columns[n].attributes, int32(i))
	}
}

// summarise works out what a clause depends on.
func (g *segment) summarise(number int32, pinned bool) {
	c, sampled := &g.clauses[number], false
	for _, l := range g.literals[c.first:c.end] {
		c.timed = c.timed || g.predicates[l.predicate()].relative()
	}
	g.eachBeyond(c, func(number int32) {
		p := &g.predicates[number]
		sampled = sampled || p.op == opSample
		c.mask |= g.maskOf(p)
		c.timed = c.timed || p.relative()
	})
	if sampled {
		g.sampled = append(g.sampled, number)
	}
	g.timedHashed = g.timedHashed || pinned && c.timed
}

func (g *segment) maskOf(p *predicate) uint64 {
	var mask uint64
	if p.attribute != none {
		mask |= g.attributes[p.attribute].bit
	}
	if p.other != none {
		mask |= g.attributes[p.other].bit
	}
	if p.relative() {
		mask |= clockBit
	}
	if p.op == opMember || p.op == opSample {
		mask |= userBit
	}
	return mask
}

// eachBeyond calls visit for the predicates of a clause that are beyond its lanes or its pin.
func (g *segment) eachBeyond(c *clause, visit func(predicate int32)) {
	for _, l := range g.literals[c.first:c.beyond] {
		visit(l.predicate())
	}
	trees := g.treesOf(c)
	for i := range trees {
		g.eachOfTree(&trees[i], visit)
	}
}

func (g *segment) eachOfTree(n *node, visit func(predicate int32)) {
	if n.kind == isLiteral {
		visit(n.literal.predicate())
	}
	for i := range n.children {
		g.eachOfTree(&n.children[i], visit)
	}
}

// file fills the indexes with what the lanes and the clusters look for.
func (y *layout) file() {
	g := y.segment
	filings := make([]*filing, len(g.attributes))
	of := func(attribute int32) *filing {
		if filings[attribute] == nil {
			filings[attribute] = &filing{segment: g, index: g.attributes[attribute].ensureIndex(), filed: make(map[int32][]int32)}
		}
		return filings[attribute]
	}
	at := make([]uint32, len(g.vectors)) // word being filled, by vector
	for _, plan := range y.laned {
		place := g.clauses[plan.clause].place
		block := uint32(place / 64)
		for _, p := range plan.shares {
			n := y.vectors[p.vector()]
			for g.vectors[n].blocks[at[n]] != block {
				at[n]++
			}
			if p.kind == verdictLane {
				continue
			}
			l := p.literals[0]
			predicate := &g.predicates[l.predicate()]
			if _, scaled := scaleOf(predicate); scaled {
				continue
			}
			bit := at[n]<<6 | uint32(place%64)
			f := of(p.of)
			for _, e := range f.of(l.predicate(), predicate) {
				if l.negated() != predicate.inverted() {
					f.entries[e].violated = append(f.entries[e].violated, bit)
				} else {
					f.entries[e].satisfied = append(f.entries[e].satisfied, bit)
				}
			}
		}
	}
	for i := range y.plans {
		plan := &y.plans[i]
		if !plan.pinned {
			continue
		}
		p := &g.predicates[plan.pin.predicate()]
		f := of(p.attribute)
		c, entries := &g.clauses[plan.clause], f.of(plan.pin.predicate(), p)
		for _, e := range entries {
			f.entries[e].clauses = append(f.entries[e].clauses, hashed{
				mask: c.mask, clause: plan.clause, timed: c.timed, tree: c.tree != 0, alone: len(entries) == 1,
			})
			f.entries[e].mask |= c.mask
		}
	}
	for i := range g.attributes {
		if x := g.attributes[i].index; x != nil {
			size := 0
			if x.value != 0 {
				size = len(g.vectors[x.value-1].blocks)
			}
			of(int32(i)).finish(size)
		}
	}
}
