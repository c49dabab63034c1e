package evaluator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxNesting is how deep lists and objects may lie in one another in a document; Postgres itself gives up earlier.
const maxNesting = 10_000

var errNesting = errors.New("nested deeper than 10000")

// ParseJSON returns what a json or jsonb document holds: of equal keys the last, U+0000 as it is, a lone surrogate as
// U+FFFD, numbers exactly at any size. It is strict about syntax and refuses nesting beyond 10,000. The value shares text's
// memory.
func ParseJSON(text []byte) (Value, error) {
	p := jsonParser{text: bytesString(text)}
	return p.document()
}

// jsonParser reads one document. Lists and objects grow on two stacks and are copied out at their end, at their size.
type jsonParser struct {
	text    string
	pos     int
	depth   int
	values  []Value
	members []Member
	watch   *jsonWatch // nil: nobody wants to know
}

// jsonWatch is told what a Value cannot say: where keys were given twice and how numbers were written.
type jsonWatch struct {
	path      jsonPath
	duplicate func(path *jsonPath)
	number    func(path *jsonPath, text string, parts numberText)
}

func (p *jsonParser) document() (Value, error) {
	v, err := p.value()
	if err != nil {
		return Value{}, err
	}
	if p.blanks(); p.pos != len(p.text) {
		return Value{}, p.fault("something follows the document")
	}
	return v, nil
}

func (p *jsonParser) fault(what string) error {
	return fmt.Errorf("not JSON at byte %d: %s", p.pos, what)
}

func (p *jsonParser) blanks() {
	for p.pos < len(p.text) && isBlank(p.text[p.pos]) {
		p.pos++
	}
}

// isBlank is JSON's idea of white space, and the condition language's.
func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// skip passes over blanks and c, and reports whether c was there.
func (p *jsonParser) skip(c byte) bool {
	p.blanks()
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *jsonParser) value() (Value, error) {
	p.blanks()
	if p.pos == len(p.text) {
		return Value{}, p.fault("it ends too early")
	}
	switch p.text[p.pos] {
	case '{', '[':
		return p.nested(p.text[p.pos])
	case '"':
		s, err := p.string()
		return StringValue(s), err
	case 't':
		return p.word("true", BoolValue(true))
	case 'f':
		return p.word("false", BoolValue(false))
	case 'n':
		return p.word("null", Value{})
	}
	return p.number()
}

func (p *jsonParser) word(word string, v Value) (Value, error) {
	if !strings.HasPrefix(p.text[p.pos:], word) {
		return Value{}, p.fault("unknown word")
	}
	p.pos += len(word)
	return v, nil
}

func (p *jsonParser) number() (Value, error) {
	parts, size := scanNumber(p.text[p.pos:])
	if size == 0 {
		return Value{}, p.fault("no value begins like this")
	}
	text := p.text[p.pos : p.pos+size]
	p.pos += size
	if p.watch != nil {
		p.watch.number(&p.watch.path, text, parts)
		if !parts.bounded(size) {
			return NumberValue(Number{}), nil // a fault by now: do not spend time on it
		}
	}
	return NumberValue(parts.number()), nil
}

// nested reads an object or a list, whichever the bracket opens.
func (p *jsonParser) nested(bracket byte) (v Value, err error) {
	if p.depth == maxNesting {
		return Value{}, errNesting
	}
	p.depth++
	p.pos++
	if bracket == '{' {
		v, err = p.object()
	} else {
		v, err = p.list()
	}
	p.depth--
	return v, err
}

func (p *jsonParser) list() (Value, error) {
	start := len(p.values)
	if p.skip(']') {
		return ListValue(nil), nil
	}
	for {
		if p.watch != nil {
			p.watch.path.pushIndex(len(p.values) - start)
		}
		v, err := p.value()
		if err != nil {
			return Value{}, err
		}
		if p.watch != nil {
			p.watch.path.pop()
		}
		p.values = append(grown(p.values), v)
		if p.skip(',') {
			continue
		}
		if !p.skip(']') {
			return Value{}, p.fault("a list goes on with , or ends with ]")
		}
		items := slices.Clone(p.values[start:])
		p.values = p.values[:start]
		return ListValue(items), nil
	}
}

func (p *jsonParser) object() (Value, error) {
	start := len(p.members)
	if p.skip('}') {
		return ObjectValue(nil), nil
	}
	for {
		m, err := p.member()
		if err != nil {
			return Value{}, err
		}
		p.members = append(grown(p.members), m)
		if p.skip(',') {
			continue
		}
		if !p.skip('}') {
			return Value{}, p.fault("an object goes on with , or ends with }")
		}
		members := slices.Clone(p.members[start:])
		p.members = p.members[:start]
		p.reportDuplicates(members)
		return ObjectValue(members), nil
	}
}

// grown returns a stack that has none with room for what a usual document needs.
func grown[T any](stack []T) []T {
	const usual = 16
	if stack == nil {
		return make([]T, 0, usual)
	}
	return stack
}

func (p *jsonParser) member() (Member, error) {
	if p.blanks(); p.pos == len(p.text) || p.text[p.pos] != '"' {
		return Member{}, p.fault("a key must be a string")
	}
	key, err := p.string()
	if err != nil {
		return Member{}, err
	}
	if !p.skip(':') {
		return Member{}, p.fault("a colon must follow the key")
	}
	if p.watch != nil {
		p.watch.path.pushKey(key)
		defer p.watch.path.pop()
	}
	v, err := p.value()
	return Member{Key: key, Value: v}, err
}

// reportDuplicates tells the watch of every key that occurs more than once, once each.
func (p *jsonParser) reportDuplicates(members []Member) {
	if p.watch == nil {
		return
	}
	seen := make(map[string]int, len(members))
	for i := range members {
		key := members[i].Key
		if seen[key]++; seen[key] == 2 {
			p.watch.path.pushKey(key)
			p.watch.duplicate(&p.watch.path)
			p.watch.path.pop()
		}
	}
}
