package evaluator

import (
	"errors"
	"slices"
	"strings"
)

var errArray = errors.New("not the text of an array")

// maxDimensions is above what Postgres has, which is 6.
const maxDimensions = 16

// parseArray reads an array as Postgres prints it: {a,"b c",NULL}, dimensions as braces in braces, and bounds in front
// ([0:1]={...}) when they do not begin at 1.
func parseArray(t ColumnType, text string) (Value, error) {
	if strings.HasPrefix(text, "[") {
		bounds, rest, ok := strings.Cut(text, "=")
		if !ok || strings.Trim(bounds, "[]:-0123456789") != "" {
			return Value{}, errArray
		}
		text = rest
	}
	if t.Element == nil {
		return Value{}, errArray
	}
	p := arrayParser{text: text, element: *t.Element, delimiter: t.Delimiter}
	if p.delimiter == 0 {
		p.delimiter = ','
	}
	v, err := p.list(1)
	if err == nil && p.pos != len(p.text) {
		err = errArray
	}
	return v, err
}

type arrayParser struct {
	text      string
	pos       int
	element   ColumnType
	delimiter byte
	values    []Value // a stack, as in jsonParser
}

// next returns the byte at pos, and 0, which no array's text holds, at the end.
func (p *arrayParser) next() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *arrayParser) list(depth int) (Value, error) {
	if p.next() != '{' || depth > maxDimensions {
		return Value{}, errArray
	}
	p.pos++
	start := len(p.values)
	if p.next() == '}' {
		p.pos++
		return ListValue(nil), nil
	}
	for {
		v, err := p.item(depth)
		if err != nil {
			return Value{}, err
		}
		p.values = append(p.values, v)
		switch c := p.next(); {
		case c == p.delimiter && c != 0:
			p.pos++
		case c == '}':
			p.pos++
			items := slices.Clone(p.values[start:])
			p.values = p.values[:start]
			return ListValue(items), nil
		default:
			return Value{}, errArray
		}
	}
}

func (p *arrayParser) item(depth int) (Value, error) {
	switch p.next() {
	case '{':
		return p.list(depth + 1)
	case '"':
		text, err := p.quoted()
		if err != nil {
			return Value{}, err
		}
		return ParseColumn(p.element, stringBytes(text))
	}
	start := p.pos
	for p.pos < len(p.text) && p.text[p.pos] != p.delimiter && p.text[p.pos] != '}' {
		if c := p.text[p.pos]; c == '"' || c == '\\' || c == '{' {
			return Value{}, errArray // such an item would have been quoted
		}
		p.pos++
	}
	text := p.text[start:p.pos]
	switch text {
	case "":
		return Value{}, errArray
	case "NULL":
		return Value{}, nil
	}
	return ParseColumn(p.element, stringBytes(text))
}

// quoted reads an item in quotes, in which a backslash stands before a quote or a backslash. Without one the item is a
// view of the text.
func (p *arrayParser) quoted() (string, error) {
	p.pos++
	start := p.pos
	var b []byte
	for ; p.pos < len(p.text); p.pos++ {
		switch c := p.text[p.pos]; {
		case c == '"':
			text := p.text[start:p.pos]
			p.pos++
			if b == nil {
				return text, nil
			}
			return bytesString(append(b, text...)), nil
		case c == '\\':
			b = append(b, p.text[start:p.pos]...)
			p.pos++
			start = p.pos // the byte behind it stands for itself
		}
	}
	return "", errArray
}
