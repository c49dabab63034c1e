package evaluator

import (
	"regexp"
)

// Group is how the conditions of a group combine.
type Group uint8

const (
	Leaf Group = iota // no group: a property, an operator and an argument
	All               // every one holds
	Any               // at least one holds
	Not               // the only one does not hold
)

var groupNames = [...]string{"", "all", "any", "not"}

// String is the group's key in a document, and "" for a leaf.
func (g Group) String() string { return groupNames[g] }

// Condition is a leaf or a group of conditions.
type Condition struct {
	At         string      // its JSON path in the document: segments[0].conditions[1]
	Group      Group       // Leaf, or how Conditions combine
	Conditions []Condition // of a group: at least one, of Not exactly one

	// Of a leaf:
	Property   Path // never nil when Operator.ReadsProperty; else as given, not read
	Operator   Operator
	Argument   Argument
	IgnoreCase bool
}

func (c *Condition) leaves(visit func(*Condition)) {
	if c.Group == Leaf {
		visit(c)
		return
	}
	for i := range c.Conditions {
		c.Conditions[i].leaves(visit)
	}
}

// ArgumentKind says which of an Argument's fields counts.
type ArgumentKind uint8

const (
	ArgumentNone     ArgumentKind = iota // the operator takes none
	ArgumentConstant                     // Value
	ArgumentDynamic                      // Path: the value of that property of the same user; never relative
	ArgumentRelative                     // Offset from now
	ArgumentBetween                      // Ends
	ArgumentPattern                      // Pattern
	ArgumentSample                       // Sample
	ArgumentAudience                     // Reference
)

// Argument is what a leaf compares its property with, decoded by the rules of its operator:
//
//	equal_to, contains and kin          Constant or Dynamic
//	order operators                     Constant number or string, or Dynamic
//	starts_with, ends_with              Constant string, or Dynamic
//	contains_all, equal_to_any and kin  Constant non-empty list, or Dynamic
//	is_timestamp_before, _on_or_after   Constant timestamp (of KindTimestamp), Relative or Dynamic
//	is_between, is_timestamp_between    Between, whose ends are each as two rows up, or as the row above
type Argument struct {
	Kind      ArgumentKind
	Value     Value
	Path      Path
	Offset    int64 // seconds to add to now: negative for "ago"
	Ends      *[2]Argument
	Pattern   *regexp.Regexp // with (?i) in front when case is ignored
	Sample    *Sample
	Reference *Reference

	written Value // as the document has it
}

// Written returns the argument as the document has it.
func (a *Argument) Written() Value { return a.written }

// dynamics calls visit for each property that the argument takes a value from.
func (a *Argument) dynamics(visit func(Path)) {
	switch a.Kind {
	case ArgumentDynamic:
		visit(a.Path)
	case ArgumentBetween:
		a.Ends[0].dynamics(visit)
		a.Ends[1].dynamics(visit)
	}
}

// Reference is a question about another audience.
type Reference struct {
	At       string // JSON path of the audience's key in the document
	Audience string
	Tenant   string // "" is none
}

// Sample is the argument of in_sample.
type Sample struct {
	Seed    string
	Percent Number // 0 to 100

	everyone  bool   // percent is 100
	threshold uint64 // else users whose hash is below are in
}
