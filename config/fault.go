package config

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Origin is where a value comes from: a place in the file, a variable, or neither, which is the default.
type Origin struct {
	File         string
	Line, Column int // from 1, in the file or in the YAML that a variable holds; 0 when there is no narrower place
	Variable     string
}

// Given reports whether the value was given and is not a default.
func (o Origin) Given() bool { return o != Origin{} }

// String is file:line:column, the variable's name (with line and column within it where it holds YAML), or "default".
func (o Origin) String() string {
	switch {
	case o.Variable != "" && o.Line > 0:
		return fmt.Sprintf("%s:%d:%d", o.Variable, o.Line, o.Column)
	case o.Variable != "":
		return o.Variable
	case o.Line > 0:
		return fmt.Sprintf("%s:%d:%d", o.File, o.Line, o.Column)
	case o.File != "":
		return o.File
	}
	return "default"
}

// Origin tells where the value of a key, such as "kafka.topic", comes from; of a secret also when a file holds it.
func (c *Config) Origin(key string) Origin { return c.origins[key] }

// Fault is one thing that is wrong with a configuration.
type Fault struct {
	Origin  Origin // where; the zero Origin for something that is missing everywhere
	Key     string // such as kafka.topic; "" when the fault is not about one key
	Message string // what, and what to do
}

// Error is "where: key: message", as far as they are known.
func (f Fault) Error() string {
	var parts []string
	if f.Origin.Given() {
		parts = append(parts, f.Origin.String())
	}
	if f.Key != "" {
		parts = append(parts, f.Key)
	}
	return strings.Join(append(parts, f.Message), ": ")
}

// Faults is everything that is wrong with a configuration: those of the file in its order, then those of variables, then
// what is missing. It is the error that Load returns for a configuration that can be read and is not right.
type Faults []Fault

// Error is one line a fault, under a line that counts them when there are several.
func (f Faults) Error() string {
	if len(f) == 1 {
		return f[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration has %d faults:", len(f))
	for _, fault := range f {
		b.WriteString("\n  " + fault.Error())
	}
	return b.String()
}

// sorted returns the faults in the order that Faults promises.
func (f Faults) sorted() Faults {
	rank := func(o Origin) int {
		switch {
		case o.Variable != "":
			return 1
		case o.File != "":
			return 0
		}
		return 2
	}
	line := func(o Origin) int {
		if o.Line == 0 {
			return math.MaxInt // of the file as a whole: something it lacks
		}
		return o.Line
	}
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(
			cmp.Compare(rank(a.Origin), rank(b.Origin)),
			cmp.Compare(a.Origin.Variable, b.Origin.Variable),
			cmp.Compare(line(a.Origin), line(b.Origin)),
			cmp.Compare(a.Origin.Column, b.Origin.Column),
		)
	})
	return f
}
