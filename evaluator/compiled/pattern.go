package compiled

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// required returns a text that every match of a pattern holds, the longest that is easy to find, or "". Looking for it
// first is much faster than the pattern, which most users' values do not match.
func required(pattern string) string {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	return requiredBy(tree)
}

func requiredBy(tree *syntax.Regexp) string {
	switch tree.Op {
	case syntax.OpLiteral:
		text := string(tree.Rune)
		// A replacement character also matches bytes that are no text.
		if tree.Flags&syntax.FoldCase != 0 || strings.ContainsRune(text, utf8.RuneError) {
			return ""
		}
		return text
	case syntax.OpRepeat:
		if tree.Min == 0 {
			return ""
		}
	case syntax.OpConcat, syntax.OpCapture, syntax.OpPlus:
	default:
		return ""
	}
	longest := ""
	for _, sub := range tree.Sub {
		if text := requiredBy(sub); len(text) > len(longest) {
			longest = text
		}
	}
	return longest
}
