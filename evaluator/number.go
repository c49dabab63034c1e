package evaluator

import (
	"cmp"
	"encoding/binary"
	"strconv"
	"strings"
)

// Number is an exact decimal number of any size, or NaN, or an infinity. The zero Number is 0. There is one
// representation of each number: a whole number that fits 64 bits is small, every other one has its digits.
type Number struct {
	small int64
	big   *decimal // nil when the number is small
}

// decimal is 0.digits * 10^exponent when finite.
type decimal struct {
	class    class
	negative bool
	digits   string // without leading or trailing zeros, never empty when finite
	exponent exponent
}

type class uint8

const (
	finite class = iota
	infinite
	notANumber
)

var (
	// NaN equals itself and nothing else, and every order relation with it is false.
	NaN = Number{big: &decimal{class: notANumber}}
	// PositiveInfinity lies beyond all numbers, as NegativeInfiniteNumber lies below them.
	PositiveInfinity       = Number{big: &decimal{class: infinite}}
	NegativeInfiniteNumber = Number{big: &decimal{class: infinite, negative: true}}
)

// IntNumber returns i as a Number.
func IntNumber(i int64) Number { return Number{small: i} }

// Int64 returns a whole number that fits 64 bits, and false for every other number.
func (n Number) Int64() (int64, bool) { return n.small, n.big == nil }

// IsNaN reports whether n is NaN.
func (n Number) IsNaN() bool { return n.big != nil && n.big.class == notANumber }

// Finite reports whether n is neither NaN nor an infinity.
func (n Number) Finite() bool { return n.big == nil || n.big.class == finite }

// Sign returns -1, 0 or 1. NaN counts as positive.
func (n Number) Sign() int {
	switch {
	case n.big == nil:
		return cmp.Compare(n.small, 0)
	case n.big.negative:
		return -1
	}
	return 1
}

// Compare returns -1, 0 or 1 by exact mathematical value. NaN is above everything and equal to itself, so that numbers can
// be sorted; the relation Order, which follows the language, holds for no NaN.
func (n Number) Compare(o Number) int {
	if n.big == nil && o.big == nil {
		return cmp.Compare(n.small, o.small)
	}
	if n.big == o.big {
		return 0
	}
	if n.big == nil {
		if c, ok := n.compareFloor(o); ok {
			return c
		}
	} else if o.big == nil {
		if c, ok := o.compareFloor(n); ok {
			return -c
		}
	}
	sign := n.Sign()
	if c := cmp.Compare(sign, o.Sign()); c != 0 || sign == 0 {
		return c
	}
	var nbuf, obuf [20]byte
	return sign * n.magnitude(&nbuf).compare(o.magnitude(&obuf))
}

// Equal reports whether n and o are the same number; NaN is the same as NaN.
func (n Number) Equal(o Number) bool {
	if n.big == nil || o.big == nil {
		return n == o
	}
	return *n.big == *o.big
}

// magnitude is the size of a number that is not 0, without its sign.
type magnitude struct {
	class    class
	digits   []byte
	exponent exponent
}

func (n Number) magnitude(buf *[20]byte) magnitude {
	if n.big != nil {
		return magnitude{n.big.class, stringBytes(n.big.digits), n.big.exponent}
	}
	size := uint64(n.small)
	if n.small < 0 {
		size = -size
	}
	digits := strconv.AppendUint(buf[:0], size, 10)
	width := len(digits)
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	return magnitude{digits: digits, exponent: exponent{small: int64(width)}}
}

func (m magnitude) compare(o magnitude) int {
	if c := cmp.Compare(m.class, o.class); c != 0 || m.class != finite {
		return c
	}
	if c := m.exponent.compare(o.exponent); c != 0 {
		return c
	}
	return strings.Compare(bytesString(m.digits), bytesString(o.digits)) // no trailing zeros: the longer is the larger
}

// AppendText appends the canonical decimal: without needless zeros, in plain digits while that is readable and with an
// exponent beyond; NaN, Infinity and -Infinity by name. Equal numbers have equal text.
func (n Number) AppendText(dst []byte) []byte {
	if n.big == nil {
		return strconv.AppendInt(dst, n.small, 10)
	}
	d := n.big
	if d.class == notANumber {
		return append(dst, "NaN"...)
	}
	if d.negative {
		dst = append(dst, '-')
	}
	if d.class == infinite {
		return append(dst, "Infinity"...)
	}
	const plainWidth = 21 // as ECMAScript prints
	point := d.exponent.small
	switch {
	case d.exponent.big != "" || point > plainWidth || point <= -6:
		return d.appendScientific(dst)
	case point <= 0:
		dst = append(dst, "0."...)
		dst = append(dst, "000000"[:-point]...)
		return append(dst, d.digits...)
	case point >= int64(len(d.digits)):
		dst = append(dst, d.digits...)
		return append(dst, strings.Repeat("0", int(point)-len(d.digits))...)
	}
	dst = append(dst, d.digits[:point]...)
	dst = append(dst, '.')
	return append(dst, d.digits[point:]...)
}

func (d *decimal) appendScientific(dst []byte) []byte {
	dst = append(dst, d.digits[0])
	if len(d.digits) > 1 {
		dst = append(dst, '.')
		dst = append(dst, d.digits[1:]...)
	}
	dst = append(dst, 'e')
	return d.exponent.add(-1).appendText(dst)
}

// String is the canonical decimal.
func (n Number) String() string { return string(n.AppendText(nil)) }

// appendKey appends bytes that two numbers share exactly when they are equal.
func (n Number) appendKey(dst []byte) []byte {
	if n.big == nil {
		return binary.BigEndian.AppendUint64(append(dst, 'i'), uint64(n.small))
	}
	text := n.AppendText(nil)
	dst = binary.AppendUvarint(append(dst, 'd'), uint64(len(text)))
	return append(dst, text...)
}
