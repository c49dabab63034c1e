package compiled

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"muster/evaluator"
)

const (
	// rare is the share of users below which a value is worth a visit of its own: a clause that pins it is found by hash,
	// and costs nothing for all the others. The crossover was measured.
	rare = 0.001
	// maxPinned is the longest list that still pins: each of its items leads to the clause.
	maxPinned = 8
	// fewClauses is how many clauses need no cluster: two words of lanes hold them all.
	fewClauses = 128
)

// routing says how clauses are distributed. All but byFrequency are for tests: the answers must be the same.
type routing uint8

const (
	byFrequency routing = iota
	everyPinHashed
	everythingInLanes
)

// router decides for each clause whether it is found by hash or sits in the lanes.
type router struct {
	segment   *segment
	known     *Statistics
	constants []int // by attribute: how many different constants are asked for
	rarest    float64
}

func newRouter(g *segment, options options) *router {
	r := &router{segment: g, known: options.known, constants: make([]int, len(g.attributes)), rarest: rare}
	switch {
	case options.routing == everyPinHashed:
		r.rarest = math.MaxFloat64
	case options.routing == everythingInLanes || len(g.clauses) <= fewClauses:
		r.rarest = 0
	}
	seen := make(map[string]bool)
	var key []byte
	for i := range g.predicates {
		p := &g.predicates[i]
		if p.argument != argConstant || p.attribute == none {
			continue
		}
		count := func(v evaluator.Value) {
			key = v.AppendKey(binary.AppendUvarint(key[:0], uint64(p.attribute)))
			if !seen[string(key)] {
				seen[string(key)] = true
				r.constants[p.attribute]++
			}
		}
		switch p.op {
		case opEqual:
			count(p.value)
		case opEqualAny:
			for _, item := range p.value.Items() {
				count(item)
			}
		}
	}
	return r
}

// pin returns the literal whose values are rarest, if they are rare enough.
func (r *router) pin(literals []literal) (literal, bool) {
	best, lowest := literal(0), r.rarest
	for _, l := range literals {
		if f := r.frequency(l); f < lowest {
			best, lowest = l, f
		}
	}
	return best, lowest < r.rarest
}

// frequency estimates the share of users for whom a literal holds, if it can pin; it is infinite if it cannot.
func (r *router) frequency(l literal) float64 {
	p := &r.segment.predicates[l.predicate()]
	if l.negated() || p.argument != argConstant || p.attribute == none {
		return math.Inf(1)
	}
	switch p.op {
	case opEqual:
		return r.of(p.attribute, p.value)
	case opEqualAny:
		if len(p.value.Items()) > maxPinned {
			return math.Inf(1)
		}
		sum := 0.0
		for _, item := range p.value.Items() {
			sum += r.of(p.attribute, item)
		}
		return sum
	}
	return math.Inf(1)
}

// of is the share of users that have a value: as it was seen, or else as if all constants asked for were equally likely.
func (r *router) of(attribute int32, v evaluator.Value) float64 {
	if f, ok := r.known.frequency(r.segment.attributes[attribute].source, v); ok {
		return f
	}
	if v.IsNull() || v.Kind() == evaluator.KindBool || v.Kind() == evaluator.KindString && v.Text() == "" {
		return 1
	}
	return 1 / float64(r.constants[attribute]+1)
}

// laneKind says which vector of its attribute a literal can sit in.
type laneKind uint8

const (
	noLane      laneKind = iota
	valueLane            // decided by the value alone
	ageLane              // decided by the value and the clock
	verdictLane          // decided by the predicate's own verdict
)

func laneOf(p *predicate) laneKind {
	if p.popular {
		return verdictLane
	}
	if p.attribute == none || p.unlaned {
		return noLane
	}
	if kind, ok := scaleOf(p); ok {
		if kind == ageScale {
			return ageLane
		}
		return valueLane
	}
	if p.argument != argConstant {
		return noLane
	}
	switch p.op {
	case opEqual, opEqualAny, opEmpty, opExists, opIsTimestamp:
		return valueLane
	case opContains:
		// A fold finds nothing that begins or ends within a character, which a pattern that is not UTF-8 may.
		if p.fold && p.value.Kind() == evaluator.KindString && !utf8.ValidString(p.value.Text()) {
			return noLane
		}
		return valueLane
	case opPrefix, opSuffix:
		return valueLane
	}
	return noLane
}

// share is what a clause has in one vector.
type share struct {
	of       int32 // the attribute; of a verdictLane the predicate
	kind     laneKind
	literals []literal // several only on one scale
}

// shares distributes literals over vectors, one part for each; those that find no place are beyond the lanes.
func (g *segment) shares(literals []literal) (shares []share, beyond []literal) {
next:
	for _, l := range literals {
		p := &g.predicates[l.predicate()]
		kind := laneOf(p)
		if kind == noLane {
			beyond = append(beyond, l)
			continue
		}
		of := p.attribute
		if kind == verdictLane {
			of = l.predicate()
		}
		for i := range shares {
			if shares[i].of == of && shares[i].kind == kind {
				if !g.sameScale(shares[i].literals[0], l) {
					beyond = append(beyond, l)
				} else {
					shares[i].literals = append(shares[i].literals, l)
				}
				continue next
			}
		}
		shares = append(shares, share{of, kind, []literal{l}})
	}
	return shares, beyond
}

func (g *segment) sameScale(a, b literal) bool {
	ka, aOK := scaleOf(&g.predicates[a.predicate()])
	kb, bOK := scaleOf(&g.predicates[b.predicate()])
	return aOK && bOK && ka == kb
}
