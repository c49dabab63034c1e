package compiled

import (
	"math"
	"slices"
	"sort"

	"muster/evaluator"
)

// scaleKind is what the thresholds of a scale are.
type scaleKind uint8

const (
	numericScale scaleKind = iota
	instantScale
	textScale
	ageScale // offsets from now, in seconds
	scaleKinds
)

// scale is a sorted list of thresholds. A value's rank on it says between which two, or at which one, it lies:
//
//	thresholds        c0        c1        c2
//	rank          0   1    2    3    4    5    6
//
// so that "less than c1" is rank <= 2, "at most c1" is rank <= 3, "at least c1" is rank >= 3 and "more than c1" is rank >= 4.
type scale struct {
	kind    scaleKind
	coarse  []int64 // what is searched first: ascending, never out of order with the exact thresholds
	numbers []evaluator.Number
	moments []evaluator.Moment
	texts   []string
	offsets []int64
	micros  []int64 // offsets in microseconds; nil when one is too far away
}

func (c *scale) size() int { return len(c.numbers) + len(c.moments) + len(c.texts) + len(c.offsets) }

// ranks is the number of ranks a value can have.
func (c *scale) ranks() int { return 2*c.size() + 1 }

// scaleOf tells which scale a predicate with a constant or relative argument can be answered on.
func scaleOf(p *predicate) (scaleKind, bool) {
	switch {
	case p.op.timed() && p.argument == argRelative:
		return ageScale, true
	case p.argument != argConstant:
		return 0, false
	case p.op.timed():
		return instantScale, true
	case p.op == opGreater || p.op == opGreaterOrEqual || p.op == opLess || p.op == opLessOrEqual:
		switch p.order {
		case evaluator.NumericOrder:
			return numericScale, true
		case evaluator.InstantOrder:
			return instantScale, true
		case evaluator.CodepointOrder:
			return textScale, true
		}
	}
	return 0, false
}

// newScale makes the scale of all thresholds of some predicates, which are of its kind.
func newScale(kind scaleKind, predicates []*predicate) *scale {
	c := &scale{kind: kind}
	for _, p := range predicates {
		switch kind {
		case numericScale:
			c.numbers = append(c.numbers, p.number)
		case instantScale:
			c.moments = append(c.moments, p.moment)
		case textScale:
			c.texts = append(c.texts, p.value.Text())
		case ageScale:
			c.offsets = append(c.offsets, p.offset)
		}
	}
	slices.SortFunc(c.numbers, evaluator.Number.Compare)
	c.numbers = slices.CompactFunc(c.numbers, evaluator.Number.Equal)
	slices.SortFunc(c.moments, evaluator.Moment.Compare)
	c.moments = slices.Compact(c.moments)
	slices.Sort(c.texts)
	c.texts = slices.Compact(c.texts)
	slices.Sort(c.offsets)
	c.offsets = slices.Compact(c.offsets)
	for i := range c.numbers {
		c.coarse = append(c.coarse, coarseNumber(c.numbers[i]))
	}
	for i := range c.moments {
		c.coarse = append(c.coarse, coarseMoment(c.moments[i]))
	}
	if kind == ageScale {
		c.coarse = c.offsets
		c.micros = inMicroseconds(c.offsets)
	}
	return c
}

// satisfied returns the ranks, from first to last, at which a predicate of the scale's kind holds.
func (c *scale) satisfied(p *predicate) (first, last int) {
	at := 1 + 2*c.index(p)
	end := c.ranks() - 1
	switch p.op {
	case opGreater:
		return at + 1, end
	case opGreaterOrEqual, opOnOrAfter:
		return at, end
	case opLess, opBefore:
		return 0, at - 1
	}
	return 0, at
}

// index finds the threshold of a predicate.
func (c *scale) index(p *predicate) int {
	var i int
	switch c.kind {
	case numericScale:
		i, _ = slices.BinarySearchFunc(c.numbers, p.number, evaluator.Number.Compare)
	case instantScale:
		i, _ = slices.BinarySearchFunc(c.moments, p.moment, evaluator.Moment.Compare)
	case textScale:
		i, _ = slices.BinarySearch(c.texts, p.value.Text())
	case ageScale:
		i, _ = slices.BinarySearch(c.offsets, p.offset)
	}
	return i
}

// unranked is the rank of a value that the scale's operators do not apply to: it violates each of them.
const unranked = -1

// rank returns where v lies on the scale. Now counts for ages only.
func (c *scale) rank(v evaluator.Value, now evaluator.Instant) int32 {
	switch c.kind {
	case numericScale:
		if n, ok := v.Numeric(); ok && !n.IsNaN() {
			return c.rankNumber(n)
		}
	case textScale:
		if v.Kind() == evaluator.KindString {
			i := sort.SearchStrings(c.texts, v.Text())
			return rankAt(i, i < len(c.texts) && c.texts[i] == v.Text())
		}
	case instantScale:
		if t, ok := v.Time(); ok {
			return c.rankMoment(t)
		}
	case ageScale:
		if i, ok := v.Instant(); ok && c.micros != nil && near(i) && near(now) {
			return c.rankMicros(int64(i - now))
		}
		if t, ok := v.Time(); ok {
			return c.rankAge(t, now.Moment())
		}
	}
	return unranked
}

func rankAt(i int, exact bool) int32 {
	if exact {
		return int32(2*i + 1)
	}
	return int32(2 * i)
}

func (c *scale) rankNumber(n evaluator.Number) int32 {
	low, high := c.run(coarseNumber(n))
	i, exact := slices.BinarySearchFunc(c.numbers[low:high], n, evaluator.Number.Compare)
	return rankAt(low+i, exact)
}

func (c *scale) rankMoment(t evaluator.Moment) int32 {
	low, high := c.run(coarseMoment(t))
	i, exact := slices.BinarySearchFunc(c.moments[low:high], t, evaluator.Moment.Compare)
	return rankAt(low+i, exact)
}

// run returns where the thresholds lie that look like a value from afar: the exact search is left to them.
func (c *scale) run(coarse int64) (low, high int) {
	low = lowerBound(c.coarse, coarse)
	high = low
	if high < len(c.coarse) && c.coarse[high] == coarse {
		high++
		if high < len(c.coarse) && c.coarse[high] == coarse {
			high += lowerBound(c.coarse[high:], coarse+1)
			if coarse == math.MaxInt64 {
				high = len(c.coarse)
			}
		}
	}
	return low, high
}

// farthest bounds what is added up in microseconds, and farthestOffset the offsets in seconds for which that is done: some
// thirty thousand years.
const (
	farthest       = math.MaxInt64 / 4
	farthestOffset = farthest / 1_000_000
)

// near reports whether sums with an instant in microseconds do not overflow.
func near(i evaluator.Instant) bool { return -farthest < i && i < farthest }

// inMicroseconds returns ascending offsets in microseconds, or nil when one is too far away.
func inMicroseconds(offsets []int64) []int64 {
	if n := len(offsets); n > 0 && (offsets[0] < -farthestOffset || offsets[n-1] > farthestOffset) {
		return nil
	}
	micros := make([]int64, len(offsets))
	for i, seconds := range offsets {
		micros[i] = seconds * 1_000_000
	}
	return micros
}

func (c *scale) rankMicros(age int64) int32 {
	i := lowerBound(c.micros, age)
	return rankAt(i, i < len(c.micros) && c.micros[i] == age)
}

// atMicros reports whether an age has a rank.
func (c *scale) atMicros(age int64, rank int32) bool {
	i := int(rank / 2)
	if rank&1 != 0 {
		return c.micros[i] == age
	}
	return (i == 0 || c.micros[i-1] < age) && (i == len(c.micros) || age < c.micros[i])
}

// rankAge compares t with now + offset for every offset, without overflow: seconds of age first, microseconds after.
func (c *scale) rankAge(t, now evaluator.Moment) int32 {
	if !t.Finite() || !now.Finite() {
		i := sort.Search(len(c.offsets), func(i int) bool { return now.Add(c.offsets[i]).Compare(t) >= 0 })
		return rankAt(i, i < len(c.offsets) && now.Add(c.offsets[i]) == t)
	}
	age, micro := t.Second-now.Second, t.Micro-now.Micro // t - now = age seconds + micro microseconds, of either sign
	if micro < 0 {
		age, micro = age-1, micro+1_000_000
	}
	i := lowerBound(c.coarse, age)
	if i < len(c.coarse) && c.coarse[i] == age {
		if micro == 0 {
			return rankAt(i, true)
		}
		i++
	}
	return rankAt(i, false)
}

// lowerBound returns the index of the first element that is not less than x. It has no branch that depends on the data,
// which a processor would guess wrong every other time.
func lowerBound(ascending []int64, x int64) int {
	low, n := 0, len(ascending)
	for n > 1 {
		half := n >> 1
		if ascending[low+half-1] < x {
			low += half
		}
		n -= half
	}
	if n == 1 && ascending[low] < x {
		low++
	}
	return low
}

// coarseMoment never decreases as moments ascend.
func coarseMoment(m evaluator.Moment) int64 { return m.Second }

// coarseNumber never decreases as numbers ascend: whole numbers cut to 64 bits, towards minus infinity.
func coarseNumber(n evaluator.Number) int64 {
	if i, ok := n.Int64(); ok {
		return i
	}
	return n.Floor()
}
