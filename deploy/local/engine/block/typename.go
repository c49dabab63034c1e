package block

import (
	"fmt"
	"strings"
)

// splitType splits a type such as Map(String, Array(UInt8)) into its name and its arguments.
func splitType(s string) (name string, args []string, err error) {
	s = strings.TrimSpace(s)
	name, rest, parameters := strings.Cut(s, "(")
	if !parameters {
		return s, nil, nil
	}
	if !strings.HasSuffix(rest, ")") {
		return "", nil, fmt.Errorf("type %q has no closing parenthesis", s)
	}
	rest = rest[:len(rest)-1]
	for start, depth, i := 0, 0, 0; ; i++ {
		if i >= len(rest) {
			return strings.TrimSpace(name), append(args, strings.TrimSpace(rest[start:])), nil
		}
		switch rest[i] {
		case '\'', '`', '"':
			i = closingQuote(rest, i)
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				args = append(args, strings.TrimSpace(rest[start:i]))
				start = i + 1
			}
		}
	}
}

// withoutName takes the element's name off, if it has one: "a Int8" and "`a b` Int8" are Int8.
func withoutName(s string) string {
	if s != "" && s[0] == '`' {
		return strings.TrimSpace(s[min(len(s), closingQuote(s, 0)+1):])
	}
	if i := strings.IndexAny(s, " ("); i >= 0 && s[i] == ' ' {
		return strings.TrimSpace(s[i:])
	}
	return s
}

// closingQuote returns the position of the quote that closes the one at i.
func closingQuote(s string, i int) int {
	for quote, j := s[i], i+1; j < len(s); j++ {
		switch s[j] {
		case '\\':
			j++
		case quote:
			return j
		}
	}
	return len(s)
}
