package evaluator

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// string reads a string literal. Without escapes it is a view of the text.
func (p *jsonParser) string() (string, error) {
	start := p.pos + 1
	for i := start; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"':
			p.pos = i + 1
			return p.text[start:i], nil
		case c == '\\':
			return p.escaped(start, i)
		case c < ' ':
			p.pos = i
			return "", p.fault("a control character in a string must be escaped")
		}
	}
	p.pos = len(p.text)
	return "", p.fault("a string without its end")
}

// escaped goes on with a string literal at its first backslash.
func (p *jsonParser) escaped(start, at int) (string, error) {
	b := append(make([]byte, 0, 2*(at-start)+16), p.text[start:at]...)
	for p.pos = at; p.pos < len(p.text); {
		switch c := p.text[p.pos]; {
		case c == '"':
			p.pos++
			return bytesString(b), nil
		case c == '\\':
			var ok bool
			if b, ok = p.escape(b); !ok {
				return "", p.fault("unknown escape")
			}
		case c < ' ':
			return "", p.fault("a control character in a string must be escaped")
		default:
			b = append(b, c)
			p.pos++
		}
	}
	return "", p.fault("a string without its end")
}

// escape reads one escape, or the two that make a surrogate pair.
func (p *jsonParser) escape(b []byte) ([]byte, bool) {
	const letters, meanings = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if p.pos+1 >= len(p.text) {
		return b, false
	}
	c := p.text[p.pos+1]
	if i := strings.IndexByte(letters, c); i >= 0 {
		p.pos += 2
		return append(b, meanings[i]), true
	}
	r, ok := p.unicodeEscape(p.pos)
	if !ok {
		return b, false
	}
	p.pos += 6
	if utf16.IsSurrogate(r) {
		low, ok := p.unicodeEscape(p.pos)
		if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
			p.pos += 6
			return utf8.AppendRune(b, pair), true
		}
		r = utf8.RuneError
	}
	return utf8.AppendRune(b, r), true
}

// unicodeEscape reads the \uXXXX at a place, without moving.
func (p *jsonParser) unicodeEscape(at int) (rune, bool) {
	if at+6 > len(p.text) || p.text[at] != '\\' || p.text[at+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.text[at+2 : at+6]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
