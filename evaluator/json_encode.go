package evaluator

import (
	"encoding/json"
	"unicode/utf8"
)

// AppendJSON appends v as JSON: numbers exact and at their shortest, NaN, infinities and timestamps as strings, an
// object's keys in ascending order. Equal values have equal JSON.
func (v Value) AppendJSON(dst []byte) []byte {
	switch v.kind {
	case KindBool:
		if v.n != 0 {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case KindNumber:
		if n := v.Number(); !n.Finite() {
			return appendQuoted(dst, n.String())
		}
		return v.Number().AppendText(dst)
	case KindString:
		return appendQuoted(dst, v.Text())
	case KindTimestamp:
		m, _ := v.Moment()
		return appendQuoted(dst, m.String())
	case KindList:
		dst = append(dst, '[')
		for i, item := range v.Items() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.AppendJSON(dst)
		}
		return append(dst, ']')
	case KindObject:
		dst = append(dst, '{')
		for i, m := range v.Members() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendQuoted(dst, m.Key), ':')
			dst = m.Value.AppendJSON(dst)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// MarshalJSON is AppendJSON.
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

var _ json.Marshaler = Value{}

// String is the value as JSON.
func (v Value) String() string { return string(v.AppendJSON(nil)) }

// appendQuoted appends s as a JSON string, escaping what JSON requires and no more. Bytes that are not UTF-8 become U+FFFD.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			dst = utf8.AppendRune(dst, r)
			i += size
			continue
		}
		dst = appendEscaped(dst, c)
		i++
	}
	return append(dst, '"')
}

func appendEscaped(dst []byte, c byte) []byte {
	const hexDigits = "0123456789abcdef"
	switch {
	case c == '"' || c == '\\':
		return append(dst, '\\', c)
	case c >= ' ':
		return append(dst, c)
	case c == '\n':
		return append(dst, `\n`...)
	case c == '\r':
		return append(dst, `\r`...)
	case c == '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
