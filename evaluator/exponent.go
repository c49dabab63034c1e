package evaluator

import (
	"cmp"
	"strconv"
	"strings"
)

// exponent is a power of ten of any size: a json document may hold 1e999999999999999999999, and that is a number like any
// other. Up to 18 digits it is small; beyond, big has its sign and digits, so that its cost is its length and never its
// value. There is one representation of each exponent.
type exponent struct {
	small int64
	big   string // "" when small; else digits without leading zeros, with "-" in front when negative
}

const smallExponentDigits = 18

// exponentOf returns the exponent written as text ([+-]? and digits, or nothing) plus shift.
func exponentOf(text string, shift int64) exponent {
	negative := strings.HasPrefix(text, "-")
	digits := strings.TrimLeft(strings.TrimLeft(text, "+-"), "0")
	if len(digits) <= smallExponentDigits {
		e, _ := strconv.ParseInt("0"+digits, 10, 64)
		if negative {
			e = -e
		}
		return sumExponent(e, shift)
	}
	if negative {
		digits = "-" + digits
	}
	return exponent{big: digits}.add(shift)
}

// sumExponent returns a + b, each of which has at most 18 digits, so that their sum cannot overflow.
func sumExponent(a, b int64) exponent {
	const limit = 1_000_000_000_000_000_000
	sum := a + b
	if -limit < sum && sum < limit {
		return exponent{small: sum}
	}
	return exponent{big: strconv.FormatInt(sum, 10)}
}

// add returns e + n for an n of at most 18 digits.
func (e exponent) add(n int64) exponent {
	if e.big == "" {
		return sumExponent(e.small, n)
	}
	if n == 0 {
		return e
	}
	digits, negative := strings.CutPrefix(e.big, "-")
	if negative {
		n = -n // work on the magnitude
	}
	sum := []byte("0" + digits)
	if n > 0 {
		addDigits(sum, n)
	} else {
		subtractDigits(sum, -n)
	}
	text := strings.TrimLeft(bytesString(sum), "0")
	if len(text) <= smallExponentDigits {
		small, _ := strconv.ParseInt(text, 10, 64)
		if negative {
			small = -small
		}
		return exponent{small: small}
	}
	if negative {
		text = "-" + text
	}
	return exponent{big: text}
}

// addDigits adds n to a decimal that has room for its carry.
func addDigits(digits []byte, n int64) {
	for i := len(digits) - 1; n > 0; i-- {
		n += int64(digits[i] - '0')
		digits[i] = byte('0' + n%10)
		n /= 10
	}
}

// subtractDigits subtracts n from a decimal that is larger.
func subtractDigits(digits []byte, n int64) {
	for i := len(digits) - 1; n > 0; i-- {
		d := int64(digits[i]-'0') - n%10
		n /= 10
		if d < 0 {
			d += 10
			n++
		}
		digits[i] = byte('0' + d)
	}
}

func (e exponent) compare(o exponent) int {
	if e.big == "" && o.big == "" {
		return cmp.Compare(e.small, o.small)
	}
	sign := e.sign()
	if c := cmp.Compare(sign, o.sign()); c != 0 {
		return c
	}
	if c := cmp.Compare(len(e.big), len(o.big)); c != 0 { // small ones have none, and are the lesser
		return sign * c
	}
	return sign * strings.Compare(e.big, o.big)
}

func (e exponent) sign() int {
	switch {
	case e.big == "":
		if e.small < 0 {
			return -1
		}
		return 1
	case e.big[0] == '-':
		return -1
	}
	return 1
}

func (e exponent) appendText(dst []byte) []byte {
	if e.big != "" {
		return append(dst, e.big...)
	}
	return strconv.AppendInt(dst, e.small, 10)
}
