package evaluator

import (
	"strconv"
	"strings"
)

const (
	maxNumericString   = 400 // characters of a numeric string, and of a number in a definition
	maxNumericExponent = 999 // of the same, either way
)

// numberText is a JSON number (RFC 8259) taken apart.
type numberText struct {
	negative bool
	whole    string // digits before the point
	fraction string // digits behind it
	exponent string // sign and digits behind the e, or ""
}

// scanNumber takes the JSON number at the start of s apart and returns its length, or 0 when there is none.
func scanNumber(s string) (numberText, int) {
	var n numberText
	i := 0
	if i < len(s) && s[i] == '-' {
		n.negative = true
		i++
	}
	start := i
	i += countDigits(s[i:])
	n.whole = s[start:i]
	if n.whole == "" || len(n.whole) > 1 && n.whole[0] == '0' {
		return numberText{}, 0
	}
	if i < len(s) && s[i] == '.' {
		size := countDigits(s[i+1:])
		if size == 0 {
			return numberText{}, 0
		}
		n.fraction = s[i+1 : i+1+size]
		i += 1 + size
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		start = i + 1
		sign := 0
		if start < len(s) && (s[start] == '+' || s[start] == '-') {
			sign = 1
		}
		size := countDigits(s[start+sign:])
		if size == 0 {
			return numberText{}, 0
		}
		i = start + sign + size
		n.exponent = s[start:i]
	}
	return n, i
}

func countDigits(s string) int {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return i
		}
	}
	return len(s)
}

// number returns the number in its one representation.
func (t numberText) number() Number {
	if t.fraction == "" && t.exponent == "" && len(t.whole) <= smallExponentDigits {
		n, _ := strconv.ParseInt(t.whole, 10, 64)
		if t.negative {
			n = -n
		}
		return Number{small: n}
	}
	digits := strings.TrimLeft(t.whole, "0")
	shift := int64(len(digits))
	if digits == "" {
		digits = strings.TrimLeft(t.fraction, "0")
		shift = int64(len(digits) - len(t.fraction))
	} else if t.fraction != "" {
		digits += t.fraction
	}
	digits = strings.TrimRight(digits, "0")
	if digits == "" {
		return Number{}
	}
	exponent := exponentOf(t.exponent, shift)
	if n, ok := smallNumber(t.negative, digits, exponent); ok {
		return Number{small: n}
	}
	return Number{big: &decimal{negative: t.negative, digits: strings.Clone(digits), exponent: exponent}}
}

// smallNumber returns 0.digits * 10^e when it is a whole number of 64 bits.
func smallNumber(negative bool, digits string, e exponent) (int64, bool) {
	const widest = 19
	if e.big != "" || e.small < int64(len(digits)) || e.small > widest {
		return 0, false
	}
	text := digits + "0000000000000000000"[:int(e.small)-len(digits)]
	if negative {
		text = "-" + text
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// bounded reports whether a number of that text may stand in a definition, and in a numeric string.
func (t numberText) bounded(length int) bool {
	digits := strings.TrimLeft(strings.TrimLeft(t.exponent, "+-"), "0")
	if length > maxNumericString || len(digits) > 3 {
		return false
	}
	e, _ := strconv.Atoi("0" + digits)
	return e <= maxNumericExponent
}

// ParseNumber returns the number that text is, as JSON writes it or as Postgres prints it (NaN, Infinity, -Infinity), of any
// length and exponent.
func ParseNumber(text string) (Number, bool) {
	switch text {
	case "NaN":
		return NaN, true
	case "Infinity":
		return PositiveInfinity, true
	case "-Infinity":
		return NegativeInfiniteNumber, true
	}
	t, size := scanNumber(text)
	if size == 0 || size != len(text) {
		return Number{}, false
	}
	return t.number(), true
}

// NumericString returns the number of a numeric string: exactly a JSON number, without blanks, of at most 400 characters
// and an exponent within 999. So "01", "+1", ".5" and "NaN" are none.
func NumericString(s string) (Number, bool) {
	if len(s) == 0 || len(s) > maxNumericString {
		return Number{}, false
	}
	t, size := scanNumber(s)
	if size != len(s) || size == 0 || !t.bounded(size) {
		return Number{}, false
	}
	return t.number(), true
}
