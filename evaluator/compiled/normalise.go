package compiled

import (
	"slices"

	"muster/evaluator"
)

// node is a condition in negation normal form: only literals are negated, and there are no Nots.
type node struct {
	kind     nodeKind
	literal  literal
	children []node
}

type nodeKind uint8

const (
	isLiteral nodeKind = iota
	isAll              // an empty one is true
	isAny              // an empty one is false
)

// conjunction is one clause before it has a place: literals that must all hold, and what could not be expanded.
type conjunction struct {
	literals []literal // ascending
	trees    []node
}

const (
	// An "all" of "any"s is multiplied out while that makes at most maxProduct clauses of maxExpansion literals together;
	// beyond, factors stay trees that are walked only for users who satisfy the rest of their clause.
	maxProduct   = 64
	maxExpansion = 512
)

// normalise returns the node of a definition: it holds when any of its segments does.
func (b *builder) normalise(d *evaluator.Definition) node {
	any := node{kind: isAny}
	for i := range d.Segments {
		any.children = append(any.children, b.group(isAll, d.Segments[i].Conditions, false))
	}
	return any
}

func (b *builder) group(kind nodeKind, conditions []evaluator.Condition, negated bool) node {
	if negated { // De Morgan
		kind = isAll + isAny - kind
	}
	n := node{kind: kind, children: make([]node, 0, len(conditions))}
	for i := range conditions {
		child := b.condition(&conditions[i], negated)
		switch {
		case child.kind == kind:
			n.children = append(n.children, child.children...)
		case child.kind != isLiteral && len(child.children) == 1:
			n.children = append(n.children, child.children[0])
		default:
			n.children = append(n.children, child)
		}
	}
	return n
}

func (b *builder) condition(c *evaluator.Condition, negated bool) node {
	switch c.Group {
	case evaluator.All:
		return b.group(isAll, c.Conditions, negated)
	case evaluator.Any:
		return b.group(isAny, c.Conditions, negated)
	case evaluator.Not:
		return b.condition(&c.Conditions[0], !negated)
	}
	l := b.leaf(c)
	negated = negated != l.negated
	if l.second == none {
		return b.literalNode(l.first, negated)
	}
	kind := isAll
	if negated {
		kind = isAny
	}
	return node{kind: kind, children: []node{b.literalNode(l.first, negated), b.literalNode(l.second, negated)}}
}

// literalNode is a literal, or the constant that it always is.
func (b *builder) literalNode(predicate int32, negated bool) node {
	if verdict, constant := b.constant(predicate); constant {
		if verdict != negated {
			return node{kind: isAll}
		}
		return node{kind: isAny}
	}
	return node{kind: isLiteral, literal: literalOf(predicate, negated)}
}

// conjunctions expands a node to clauses of which it holds when any does.
func conjunctions(n node) []conjunction {
	switch n.kind {
	case isLiteral:
		return []conjunction{{literals: []literal{n.literal}}}
	case isAny:
		var all []conjunction
		for i := range n.children {
			all = append(all, conjunctions(n.children[i])...)
		}
		return all
	}
	literals, ok := literalsOf(n)
	if !ok {
		return nil
	}
	product := []conjunction{{literals: literals}}
	var wide []node
	for i := range n.children {
		if n.children[i].kind == isLiteral {
			continue
		}
		factor := conjunctions(n.children[i])
		if len(factor) > 1 && !affordable(product, factor) {
			wide = append(wide, n.children[i])
			continue
		}
		product = multiply(product, factor)
	}
	for i := range product {
		product[i].trees = append(product[i].trees, wide...)
	}
	return product
}

// literalsOf returns the literals right below an "all", and false when they contradict one another.
func literalsOf(n node) ([]literal, bool) {
	var literals []literal
	for i := range n.children {
		if n.children[i].kind == isLiteral {
			literals = append(literals, n.children[i].literal)
		}
	}
	slices.Sort(literals)
	literals = slices.Compact(literals)
	return literals, !contradictory(literals)
}

func affordable(a, b []conjunction) bool {
	size := 0
	for i := range a {
		size += len(a[i].literals) * len(b)
	}
	for i := range b {
		size += len(b[i].literals) * len(a)
	}
	return len(a)*len(b) <= maxProduct && size <= maxExpansion
}

// multiply returns the clauses that hold when one of a and one of b do.
func multiply(a, b []conjunction) []conjunction {
	product := make([]conjunction, 0, len(a)*len(b))
	for i := range a {
		for j := range b {
			literals := append(slices.Clone(a[i].literals), b[j].literals...)
			slices.Sort(literals)
			literals = slices.Compact(literals)
			if contradictory(literals) {
				continue
			}
			product = append(product, conjunction{literals, append(slices.Clone(a[i].trees), b[j].trees...)})
		}
	}
	return product
}

// contradictory reports whether ascending literals hold a predicate and its negation, which are neighbours.
func contradictory(literals []literal) bool {
	for i := 1; i < len(literals); i++ {
		if literals[i-1]^literals[i] == 1 {
			return true
		}
	}
	return false
}
