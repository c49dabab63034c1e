package evaluator

import "time"

// Type says where an audience's members come from. It never changes after creation.
type Type uint8

const (
	Dynamic Type = iota + 1 // its conditions
	Static                  // its recorded members
)

// String is the type's published name.
func (t Type) String() string {
	if t == Static {
		return "static"
	}
	return "dynamic"
}

// TriggerFrequency says which entries of one user may start work.
type TriggerFrequency uint8

const (
	EveryTime TriggerFrequency = iota // the default
	OncePerUser
	OncePerUserAndTenant
)

var frequencyNames = [...]string{"every_time", "once_per_user", "once_per_user_and_tenant"}

// String is the frequency's published name.
func (f TriggerFrequency) String() string { return frequencyNames[f] }

// Settle is how long the conditions must have held, or not held, without a break before an entry, or exit, counts.
type Settle struct {
	Enter, Exit time.Duration // 0: at once
}

// Waits reports whether either direction waits. The membership of such an audience is then not its conditions' verdict but
// what the pipeline has settled, and other audiences read it as given (Input.Given).
func (s Settle) Waits() bool { return s.Enter > 0 || s.Exit > 0 }

// Definition is one audience as decoded from its document. It is immutable once decoded.
type Definition struct {
	Key               string
	Name              string // the key when the document has none
	Description       string
	Type              Type
	Segments          []Segment // of a dynamic audience, at least one; a user is in when all conditions of one hold
	Settle            Settle
	TriggerFrequency  TriggerFrequency
	TriggerOnBackfill bool
	Include           []Path  // properties that its events carry
	Warnings          []Fault // what is allowed and most likely not meant

	settleWritten Value
}

// Segment is a list of conditions, at least one, that must all hold.
type Segment struct {
	Conditions []Condition
}

// Audience is a definition under the number the state gave its key.
type Audience struct {
	ID         AudienceID
	Definition *Definition
}

// Given reports whether others read the membership of the audience from Input.Given instead of its conditions: it is
// static, or it settles.
func (d *Definition) Given() bool { return d.Type == Static || d.Settle.Waits() }

// Leaves calls visit for every condition that is not a group, in the order of the document.
func (d *Definition) Leaves(visit func(*Condition)) {
	for i := range d.Segments {
		for j := range d.Segments[i].Conditions {
			d.Segments[i].Conditions[j].leaves(visit)
		}
	}
}

// References returns the other audiences that the conditions ask about, in the order of the document.
func (d *Definition) References() []Reference {
	var refs []Reference
	d.Leaves(func(c *Condition) {
		if c.Argument.Kind == ArgumentAudience {
			refs = append(refs, *c.Argument.Reference)
		}
	})
	return refs
}

// PropertyPaths returns the properties that the conditions, their arguments and Include read, each once, in the order of
// the document.
func (d *Definition) PropertyPaths() []PropertyPath {
	var paths []PropertyPath
	seen := make(map[string]bool)
	d.properties(func(p PropertyPath) {
		if name := p.Path.String(); !seen[name] {
			seen[name] = true
			paths = append(paths, p)
		}
	})
	return paths
}

// properties calls visit at every place that names a property which is read.
func (d *Definition) properties(visit func(PropertyPath)) {
	d.Leaves(func(c *Condition) {
		if c.Operator.ReadsProperty() {
			visit(PropertyPath{At: keyPath(c.At, "property"), Path: c.Property})
		}
		c.Argument.dynamics(func(p Path) { visit(PropertyPath{At: keyPath(c.At, "argument"), Path: p}) })
	})
	for i, p := range d.Include {
		visit(PropertyPath{At: indexPath("include", i), Path: p})
	}
}

// PropertyPath is a property that a definition reads, and the first place where it does.
type PropertyPath struct {
	At   string // JSON path in the document
	Path Path
}
