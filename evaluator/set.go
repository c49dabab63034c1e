package evaluator

import (
	"fmt"
	"slices"
	"strings"
)

// SetFault is one thing wrong between the definitions of a set.
type SetFault struct {
	Audience string `json:"audience"` // whose definition it is in
	Fault
}

// SetFaults are all that is wrong between the definitions of a set.
type SetFaults []SetFault

// Error names every fault, one a line.
func (f SetFaults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].Audience + ": " + f[i].Fault.String()
	}
	return strings.Join(lines, "\n")
}

// CheckSet checks what one definition alone cannot show, over all definitions of an environment as they would be after a
// change: each audience asked about exists, none depends on itself, and a tenant is asked of static audiences only. The
// error is of type SetFaults, in the order of the definitions and of their documents.
func CheckSet(definitions []*Definition) error {
	g := newReferenceGraph(definitions)
	component := g.components()
	var faults SetFaults
	for from, def := range definitions {
		report := func(path, format string, args ...any) {
			faults = append(faults, SetFault{def.Key, Fault{path, fmt.Sprintf(format, args...)}})
		}
		if first := g.index[def.Key]; first != from {
			report("key", "the set has another audience of this key")
		}
		for _, ref := range def.References() {
			to, ok := g.index[ref.Audience]
			switch {
			case !IsKey(ref.Audience):
				continue // Decode has told of it
			case !ok:
				report(ref.At, "there is no audience %q", ref.Audience)
				continue
			}
			if ref.Tenant != "" && definitions[to].Type == Dynamic {
				report(strings.TrimSuffix(ref.At, ".audience")+".tenant", "%q is dynamic; only static audiences have members by tenant", ref.Audience)
			}
			if component[to] == component[from] {
				report(ref.At, "the audience depends on itself%s", g.circle(from, to, len(faults)))
			}
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return faults
}

// referenceGraph has an edge from each audience to every one it asks about.
type referenceGraph struct {
	definitions []*Definition
	index       map[string]int
	edges       [][]int
}

func newReferenceGraph(definitions []*Definition) *referenceGraph {
	g := &referenceGraph{definitions, make(map[string]int, len(definitions)), make([][]int, len(definitions))}
	for i, def := range definitions {
		if _, ok := g.index[def.Key]; !ok {
			g.index[def.Key] = i
		}
	}
	for i, def := range definitions {
		for _, ref := range def.References() {
			if to, ok := g.index[ref.Audience]; ok {
				g.edges[i] = append(g.edges[i], to)
			}
		}
	}
	return g
}

// components numbers the strongly connected components (Tarjan, 1972): two audiences depend on each other exactly when
// theirs are equal.
func (g *referenceGraph) components() []int {
	n := len(g.edges)
	order, low, component := make([]int, n), make([]int, n), make([]int, n)
	var stack []int
	count := 0
	var visit func(v int)
	visit = func(v int) {
		count++
		order[v], low[v] = count, count
		stack = append(stack, v)
		for _, to := range g.edges[v] {
			if order[to] == 0 {
				visit(to)
				low[v] = min(low[v], low[to])
			} else if component[to] == 0 {
				low[v] = min(low[v], order[to])
			}
		}
		if low[v] != order[v] {
			return
		}
		for done := false; !done; {
			last := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			component[last] = v + 1
			done = last == v
		}
	}
	for v := range n {
		if order[v] == 0 {
			visit(v)
		}
	}
	return component
}

// circle writes the shortest way from an audience over its neighbour to and back to itself, after a colon. It is left out
// when that many faults were told before: a set that is tangled all over is not searched once for each of its edges.
func (g *referenceGraph) circle(from, to, told int) string {
	const enough = 10
	if told > enough {
		return ""
	}
	cameFrom := map[int]int{to: -1}
	for queue := []int{to}; len(queue) > 0; queue = queue[1:] {
		v := queue[0]
		if v == from {
			break
		}
		for _, next := range g.edges[v] {
			if _, seen := cameFrom[next]; !seen {
				cameFrom[next] = v
				queue = append(queue, next)
			}
		}
	}
	names := []string{}
	for v := from; v >= 0; v = cameFrom[v] {
		names = append(names, g.definitions[v].Key)
	}
	names = append(names, g.definitions[from].Key)
	slices.Reverse(names)
	const readable = 12
	if len(names) > readable {
		names = slices.Replace(names, readable/2, len(names)-readable/2, "...")
	}
	return ": " + strings.Join(names, " > ")
}
