package statement

import "strings"

type kind int

const (
	word kind = iota
	quoted
	symbol
)

// token is a piece of the text, text[start:end].
type token struct {
	kind       kind
	text       string
	start, end int
	depth      int // of open parentheses, brackets and braces before it
}

// is reports whether the token is the keyword, given in upper case, outside all parentheses.
func (t token) is(keyword string) bool {
	return t.kind == word && t.depth == 0 && strings.EqualFold(t.text, keyword)
}

// scanner walks through a statement, past blanks and comments.
type scanner struct {
	text  string
	pos   int
	depth int
}

func (s *scanner) next() (token, bool) {
	s.skipBlank()
	if s.pos >= len(s.text) {
		return token{}, false
	}
	start, depth, k := s.pos, s.depth, symbol
	switch c := s.text[s.pos]; {
	case c == '\'' || c == '"' || c == '`':
		k = quoted
		s.pos = s.closing(c)
	case isWord(c):
		k = word
		for s.pos < len(s.text) && isWord(s.text[s.pos]) {
			s.pos++
		}
	default:
		s.pos++
		switch c {
		case '(', '[', '{':
			s.depth++
		case ')', ']', '}':
			s.depth = max(0, s.depth-1)
			depth = s.depth
		}
	}
	return token{kind: k, text: s.text[start:s.pos], start: start, end: s.pos, depth: depth}, true
}

// closing returns the position after the quote that ends the one at pos; both a backslash and doubling escape it.
func (s *scanner) closing(quote byte) int {
	for i := s.pos + 1; i < len(s.text); i++ {
		switch s.text[i] {
		case '\\':
			i++
		case quote:
			if i+1 < len(s.text) && s.text[i+1] == quote {
				i++
				continue
			}
			return i + 1
		}
	}
	return len(s.text)
}

func (s *scanner) skipBlank() {
	for s.pos < len(s.text) {
		rest := s.text[s.pos:]
		switch {
		case isBlank(rest[0]):
			s.pos++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "# "), strings.HasPrefix(rest, "#!"):
			s.pos += length(rest, "\n")
		case strings.HasPrefix(rest, "/*"):
			s.pos += comment(rest)
		default:
			return
		}
	}
}

// comment returns the length of the comment that text begins with; they nest.
func comment(text string) int {
	for i, open := 2, 1; i+1 < len(text); i++ {
		switch text[i : i+2] {
		case "/*":
			open++
			i++
		case "*/":
			open--
			i++
			if open == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// length returns how much of text lies before the end of the first mark, all of it when there is none.
func length(text, mark string) int {
	if i := strings.Index(text, mark); i >= 0 {
		return i + len(mark)
	}
	return len(text)
}

func isBlank(c byte) bool {
	return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v'
}

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
