package evaluator

import (
	"unicode"
	"unicode/utf8"
)

// Fold returns s with each character replaced by the least of those that Unicode simple case folding makes equal to it
// (unicode.SimpleFold), without normalisation. Two strings are equal under ignore_case exactly when their folds are, and
// one holds another exactly when its fold holds the other's. Bytes that are not UTF-8 stay as they are.
func Fold(s string) string {
	i := 0
	for i < len(s) && s[i] < utf8.RuneSelf && !lower(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	return bytesString(AppendFold(append(make([]byte, 0, len(s)), s[:i]...), s[i:]))
}

// AppendFold appends Fold(s) to dst, for callers that fold many strings into one buffer.
func AppendFold(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if lower(c) {
				c -= 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[i])
		} else {
			dst = utf8.AppendRune(dst, foldRune(r))
		}
		i += size
	}
	return dst
}

func lower(c byte) bool { return 'a' <= c && c <= 'z' }

// foldRune returns the least rune of r's orbit.
func foldRune(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}

// equalFold reports whether the folds of a and b are equal, without making them.
func equalFold(a, b string) bool {
	for a != "" && b != "" {
		ra, na := nextFolded(a)
		rb, nb := nextFolded(b)
		if ra != rb {
			return false
		}
		a, b = a[na:], b[nb:]
	}
	return a == b
}

// nextFolded returns the first character of s folded, a negative number for a byte that is not UTF-8, and its length.
func nextFolded(s string) (rune, int) {
	if c := s[0]; c < utf8.RuneSelf {
		if lower(c) {
			c -= 'a' - 'A'
		}
		return rune(c), 1
	}
	r, size := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && size == 1 {
		return -rune(s[0]), 1
	}
	return foldRune(r), size
}
