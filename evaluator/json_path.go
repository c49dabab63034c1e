package evaluator

import (
	"strconv"
	"strings"
)

// jsonPath is a place in a JSON document as faults name it, segments[0].conditions[1].argument: a stack that the parser
// pushes to and pops from, so that a path costs something only when it is asked for.
type jsonPath struct {
	text  []byte
	marks []int // lengths of text before each step
}

func (p *jsonPath) pushKey(key string) {
	p.marks = append(p.marks, len(p.text))
	p.text = appendKeyStep(p.text, key)
}

func (p *jsonPath) pushIndex(i int) {
	p.marks = append(p.marks, len(p.text))
	p.text = appendIndexStep(p.text, i)
}

func (p *jsonPath) pop() {
	last := len(p.marks) - 1
	p.text, p.marks = p.text[:p.marks[last]], p.marks[:last]
}

// endsIn reports whether the last step is that key.
func (p *jsonPath) endsIn(key string) bool {
	return len(p.marks) > 0 && strings.TrimPrefix(string(p.text[p.marks[len(p.marks)-1]:]), ".") == key
}

func (p *jsonPath) String() string { return string(p.text) }

// keyPath and indexPath return the place of a key, or an item, of the value at path.
func keyPath(path, key string) string     { return string(appendKeyStep([]byte(path), key)) }
func indexPath(path string, i int) string { return string(appendIndexStep([]byte(path), i)) }

func appendKeyStep(path []byte, key string) []byte {
	if !isName(key) {
		path = append(path, '[')
		path = appendQuoted(path, key)
		return append(path, ']')
	}
	if len(path) > 0 {
		path = append(path, '.')
	}
	return append(path, key...)
}

func appendIndexStep(path []byte, i int) []byte {
	path = append(path, '[')
	path = strconv.AppendInt(path, int64(i), 10)
	return append(path, ']')
}
