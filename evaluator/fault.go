package evaluator

import "strings"

// Fault is one thing wrong with a definition and its place.
type Fault struct {
	Path    string `json:"path"` // JSON path, such as segments[0].conditions[1].argument; "" is the document itself
	Message string `json:"message"`
}

// String is the fault on one line.
func (f Fault) String() string {
	if f.Path == "" {
		return f.Message
	}
	return f.Path + ": " + f.Message
}

// Faults are all that is wrong with a definition: first what concerns the document as a whole, keys given twice and numbers
// out of bounds, then the rest from the top down. As an error it is never empty.
type Faults []Fault

// Error names every fault, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].String()
	}
	return strings.Join(lines, "\n")
}
