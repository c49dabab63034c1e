package evaluator

import (
	"math"
	"strconv"
)

// Floor returns the largest whole number that is not above n, or the bound of 64 bits that n lies beyond. It never
// decreases as numbers ascend, so that it can stand for them in a search. NaN is above everything.
func (n Number) Floor() int64 {
	d := n.big
	switch {
	case d == nil:
		return n.small
	case d.class != finite || d.exponent.big != "" && d.exponent.sign() > 0 || d.exponent.small > 19:
		return bound(d.negative)
	case d.exponent.big != "" || d.exponent.small <= 0: // between -1 and 1, and not 0
		return floorOf(0, d.negative)
	case int(d.exponent.small) >= len(d.digits): // whole, and too wide to be small
		return bound(d.negative)
	}
	whole, err := strconv.ParseInt(d.digits[:d.exponent.small], 10, 64)
	if err != nil {
		return bound(d.negative)
	}
	return floorOf(whole, d.negative)
}

// floorOf is the floor of a number that is not whole, of its whole part's size.
func floorOf(whole int64, negative bool) int64 {
	if negative {
		return -whole - 1
	}
	return whole
}

// compareFloor compares a small number with one that is not, without writing its digits down, and reports false where the
// floor of the other may be a bound that it lies below.
func (n Number) compareFloor(o Number) (int, bool) {
	switch floor := o.Floor(); {
	case floor == math.MinInt64:
		return 0, false
	case n.small <= floor:
		return -1, true
	}
	return 1, true
}

func bound(negative bool) int64 {
	if negative {
		return math.MinInt64
	}
	return math.MaxInt64
}
