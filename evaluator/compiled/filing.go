package compiled

import (
	"cmp"
	"slices"

	"muster/evaluator"
)

// filing makes the index of one attribute: it files constants and patterns, and collects what each entry leads to.
type filing struct {
	segment *segment
	index   *index
	entries []leads
	filed   map[int32][]int32 // by predicate: its entries
}

// leads is an entry while it grows.
type leads struct {
	satisfied, violated []uint32
	clauses             []hashed
	mask                uint64
}

func (f *filing) entry() int32 {
	f.entries = append(f.entries, leads{})
	return int32(len(f.entries) - 1)
}

// of returns the entries that a predicate is found by: it holds for a value exactly when the value finds one of them. Only
// that a value is there is told by none.
func (f *filing) of(number int32, p *predicate) []int32 {
	entries, ok := f.filed[number]
	if !ok {
		entries = f.file(p)
		slices.Sort(entries)
		entries = slices.Compact(entries)
		f.filed[number] = entries
	}
	return entries
}

func (f *filing) file(p *predicate) []int32 {
	x := f.index
	switch p.op {
	case opEqual:
		return ensureDictionary(&x.equal).file(p.value, p.fold, f.entry)
	case opEqualAny:
		return fileAll(ensureDictionary(&x.equal), p, f.entry)
	case opContains:
		if p.value.Kind() == evaluator.KindList {
			return fileAll(ensureDictionary(&x.lists), p, f.entry)
		}
		entries := ensureDictionary(&x.items).file(p.value, p.fold, f.entry)
		if p.value.Kind() == evaluator.KindString {
			entries = append(entries, f.pattern(p, useWithin))
		}
		return entries
	case opPrefix:
		return []int32{f.pattern(p, usePrefix)}
	case opSuffix:
		return []int32{f.pattern(p, useSuffix)}
	case opEmpty:
		return []int32{ensure(&x.empty, f.entry)}
	case opExists:
		return []int32{ensure(&x.absent, f.entry)} // the opposite
	case opIsTimestamp:
		return []int32{ensure(&x.instant, f.entry)}
	}
	return nil
}

func ensureDictionary(d **dictionary) *dictionary {
	if *d == nil {
		*d = new(dictionary)
	}
	return *d
}

func fileAll(d *dictionary, p *predicate, slot func() int32) []int32 {
	var entries []int32
	for _, item := range p.value.Items() {
		entries = append(entries, d.file(item, p.fold, slot)...)
	}
	return entries
}

func (f *filing) pattern(p *predicate, as use) int32 {
	if p.fold {
		return ensure(f.index.folded.entryOf(evaluator.Fold(p.value.Text()), as), f.entry)
	}
	return ensure(f.index.text.entryOf(p.value.Text(), as), f.entry)
}

// finish writes the entries down in one piece. Size is the number of words of the attribute's vector.
func (f *filing) finish(size int) {
	x := f.index
	x.entries = make([]entry, len(f.entries))
	for i := range f.entries {
		from, e := &f.entries[i], &x.entries[i]
		e.clear, from.satisfied = x.mask(from.satisfied, size)
		e.set, from.violated = x.mask(from.violated, size)
		e.satisfied = uint32(len(x.bits))
		x.bits = append(x.bits, from.satisfied...)
		e.violated = uint32(len(x.bits))
		x.bits = append(x.bits, from.violated...)
		e.end = uint32(len(x.bits))
		e.cluster = uint32(len(x.clusters))
		for _, h := range from.clauses {
			h.first = uint32(len(x.checks))
			x.checks = append(x.checks, f.segment.checks(&f.segment.clauses[h.clause])...)
			h.end = uint32(len(x.checks))
			x.clusters = append(x.clusters, h)
		}
		e.clusterEnd = uint32(len(x.clusters))
		e.clusterMask = from.mask
	}
	if x.text != nil {
		x.text.link()
	}
	if x.folded != nil {
		x.folded.link()
	}
}

// mask writes many bits down by words and returns where, + 1. It returns bits that are few.
func (x *index) mask(bits []uint32, size int) (uint32, []uint32) {
	if len(bits) <= size/2 {
		return 0, bits
	}
	at := len(x.masks)
	x.masks = append(x.masks, make([]uint64, size)...)
	for _, bit := range bits {
		x.masks[at+int(bit>>6)] |= 1 << (bit & 63)
	}
	return uint32(at + 1), nil
}

// text returns the pattern of a predicate that an automaton finds, and false for all others.
func (p *predicate) text() (string, bool) {
	if p.attribute == none || p.argument != argConstant || p.value.Kind() != evaluator.KindString {
		return "", false
	}
	switch p.op {
	case opContains, opPrefix, opSuffix:
		if p.fold {
			return evaluator.Fold(p.value.Text()), true
		}
		return p.value.Text(), true
	}
	return "", false
}

// patternsOf are the texts that one automaton of an attribute looks for.
type patternsOf struct {
	attribute int32
	fold      bool
}

// makeAutomata makes the automata of all attributes, and marks the predicates whose patterns no longer fit into one: those
// with the longest.
func (g *segment) makeAutomata() {
	groups := make(map[patternsOf][]int)
	for i := range g.predicates {
		p := &g.predicates[i]
		if _, ok := p.text(); ok && laneOf(p) == valueLane {
			key := patternsOf{p.attribute, p.fold}
			groups[key] = append(groups[key], i)
		}
	}
	for key, predicates := range groups {
		patterns := make([]string, len(predicates))
		for i, n := range predicates {
			patterns[i], _ = g.predicates[n].text()
		}
		order := slices.Clone(predicates)
		slices.SortFunc(order, func(a, b int) int {
			return cmp.Compare(len(g.predicates[a].value.Text()), len(g.predicates[b].value.Text()))
		})
		a := newAutomaton(patterns)
		room := maxTransitions >> a.shift
		for _, n := range order {
			room -= len(g.predicates[n].value.Text())
			g.predicates[n].unlaned = room <= 0
		}
		x := g.attributes[key.attribute].ensureIndex()
		if key.fold {
			x.folded = a
		} else {
			x.text = a
		}
	}
}
