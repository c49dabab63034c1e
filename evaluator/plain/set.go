package plain

import (
	"errors"
	"fmt"

	"muster/evaluator"
)

// Set is a compiled list of audiences over one schema. It is immutable and may be shared by any number of judges.
type Set struct {
	audiences []*audience // in an order in which each comes after all that it refers to
	byID      map[evaluator.AudienceID]*audience
}

// audience is a definition with its paths and references resolved.
type audience struct {
	id         evaluator.AudienceID
	index      int // in Set.audiences
	definition *evaluator.Definition
	segments   [][]*condition
}

// condition mirrors an evaluator.Condition.
type condition struct {
	*evaluator.Condition
	children []*condition
	property evaluator.Source
	argument evaluator.Source    // when dynamic
	ends     [2]evaluator.Source // of a between, where dynamic
	target   *audience           // of a membership condition; nil when the set does not have it
}

// ErrCycle is returned for audiences that depend on themselves.
var ErrCycle = errors.New("audiences refer to one another in a circle")

// Compile prepares audiences for rows of schema. The definitions are expected to have passed CheckSet. A reference to an
// audience that is not among them reads as no membership; a circle is refused with ErrCycle, and so is a number or a key
// that occurs twice.
func Compile(audiences []evaluator.Audience, schema *evaluator.Schema) (*Set, error) {
	s := &Set{byID: make(map[evaluator.AudienceID]*audience, len(audiences))}
	byKey := make(map[string]*audience, len(audiences))
	all := make([]*audience, len(audiences))
	for i, a := range audiences {
		key := a.Definition.Key
		if byKey[key] != nil || s.byID[a.ID] != nil {
			return nil, fmt.Errorf("compile audiences: %q (number %d) occurs twice", key, a.ID)
		}
		all[i] = &audience{id: a.ID, definition: a.Definition}
		byKey[key], s.byID[a.ID] = all[i], all[i]
	}
	for _, a := range all {
		for i := range a.definition.Segments {
			a.segments = append(a.segments, resolve(a.definition.Segments[i].Conditions, schema, byKey))
		}
	}
	return s, s.sort(all)
}

func resolve(conditions []evaluator.Condition, schema *evaluator.Schema, byKey map[string]*audience) []*condition {
	resolved := make([]*condition, len(conditions))
	for i := range conditions {
		from := &conditions[i]
		c := &condition{Condition: from}
		resolved[i] = c
		if from.Group != evaluator.Leaf {
			c.children = resolve(from.Conditions, schema, byKey)
			continue
		}
		c.property = schema.Resolve(from.Property)
		c.argument = schema.Resolve(from.Argument.Path)
		if from.Argument.Kind == evaluator.ArgumentBetween {
			c.ends[0] = schema.Resolve(from.Argument.Ends[0].Path)
			c.ends[1] = schema.Resolve(from.Argument.Ends[1].Path)
		}
		if from.Operator.IsMembership() {
			c.target = byKey[from.Argument.Reference.Audience]
		}
	}
	return resolved
}

// sort fills s.audiences in topological order, by depth first search. Independent audiences keep the order given.
func (s *Set) sort(all []*audience) error {
	const entered, done = 1, 2
	state := make(map[*audience]int, len(all))
	var visit func(a *audience) error
	visit = func(a *audience) error {
		switch state[a] {
		case done:
			return nil
		case entered:
			return fmt.Errorf("compile audience %q: %w", a.definition.Key, ErrCycle)
		}
		state[a] = entered
		for leaf := range a.leaves() {
			if leaf.target != nil {
				if err := visit(leaf.target); err != nil {
					return err
				}
			}
		}
		state[a] = done
		a.index = len(s.audiences)
		s.audiences = append(s.audiences, a)
		return nil
	}
	for _, a := range all {
		if err := visit(a); err != nil {
			return err
		}
	}
	return nil
}

// leaves yields the conditions that are no groups.
func (a *audience) leaves() func(yield func(*condition) bool) {
	return func(yield func(*condition) bool) {
		for _, segment := range a.segments {
			if !eachLeaf(segment, yield) {
				return
			}
		}
	}
}

func eachLeaf(conditions []*condition, yield func(*condition) bool) bool {
	for _, c := range conditions {
		if c.Group == evaluator.Leaf {
			if !yield(c) {
				return false
			}
		} else if !eachLeaf(c.children, yield) {
			return false
		}
	}
	return true
}
