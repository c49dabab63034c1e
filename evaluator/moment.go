package evaluator

import (
	"cmp"
	"math"
	"time"
)

// Moment is an instant without the bounds of Instant: Postgres's dates reach to the year 5874897, and "999999999 weeks
// ago" further still. Comparing moments is exact where microseconds in 64 bits would overflow.
type Moment struct {
	Second int64 // since 2000-01-01 00:00:00 UTC; the extremes of int64 are the infinities
	Micro  int32 // 0 to 999999, always counted towards the future
}

const microsPerSecond = 1_000_000

// Moment returns i as a Moment.
func (i Instant) Moment() Moment {
	switch i {
	case Infinity:
		return Moment{Second: math.MaxInt64}
	case NegativeInfinity:
		return Moment{Second: math.MinInt64}
	}
	second, micro := int64(i)/microsPerSecond, int64(i)%microsPerSecond
	if micro < 0 {
		second, micro = second-1, micro+microsPerSecond
	}
	return Moment{Second: second, Micro: int32(micro)}
}

// Finite reports whether m is neither infinity.
func (m Moment) Finite() bool { return m.Second != math.MaxInt64 && m.Second != math.MinInt64 }

// Compare returns -1, 0 or 1 as m lies before, at or after o.
func (m Moment) Compare(o Moment) int {
	if c := cmp.Compare(m.Second, o.Second); c != 0 {
		return c
	}
	return cmp.Compare(m.Micro, o.Micro)
}

// Add returns the moment that many seconds after m, or before it when seconds is negative. The infinities stay. No sum of
// a moment of Postgres's and a relative argument comes near the bounds of int64 seconds.
func (m Moment) Add(seconds int64) Moment {
	if m.Finite() {
		m.Second += seconds
	}
	return m
}

// Next returns the moment one microsecond after m.
func (m Moment) Next() Moment {
	switch {
	case !m.Finite():
	case m.Micro == microsPerSecond-1:
		m = Moment{Second: m.Second + 1}
	default:
		m.Micro++
	}
	return m
}

// Instant returns m as an Instant, and false when it is finite and lies beyond what an Instant can hold.
func (m Moment) Instant() (Instant, bool) {
	const bound = math.MaxInt64 / microsPerSecond
	switch {
	case m.Second == math.MaxInt64:
		return Infinity, true
	case m.Second == math.MinInt64:
		return NegativeInfinity, true
	case m.Second > bound || m.Second < -bound-1:
		return 0, false
	case m.Second == bound:
		if int64(m.Micro) >= math.MaxInt64%microsPerSecond {
			return 0, false // its microseconds are, or lie beyond, the number that stands for infinity
		}
	case m.Second == -bound-1:
		if int64(m.Micro)-microsPerSecond <= math.MinInt64%microsPerSecond {
			return 0, false
		}
	}
	if m.Second < 0 { // from above, for the product alone could overflow
		return Instant((m.Second+1)*microsPerSecond + int64(m.Micro) - microsPerSecond), true
	}
	return Instant(m.Second*microsPerSecond + int64(m.Micro)), true
}

// String is m in the form of Instant.String.
func (m Moment) String() string {
	switch m.Second {
	case math.MaxInt64:
		return Infinity.String()
	case math.MinInt64:
		return NegativeInfinity.String()
	}
	return time.Unix(m.Second+unixOfEpoch, int64(m.Micro)*1_000).UTC().Format("2006-01-02T15:04:05.000000Z")
}
