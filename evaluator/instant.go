package evaluator

import "time"

// Instant is a point in time in whole microseconds since 2000-01-01 00:00:00 UTC, the epoch and unit of Postgres, so
// that every timestamp Postgres can hold, and the commit times of its log, are represented exactly.
type Instant int64

const (
	// Infinity lies after, and NegativeInfinity before, every finite instant; each equals itself.
	Infinity         Instant = 1<<63 - 1
	NegativeInfinity Instant = -1 << 63

	// NoInstant is the zero of optional instants (such as "no next flip"): infinity, which no clock ever reaches.
	NoInstant = Infinity

	unixOfEpoch = 946_684_800 // 2000-01-01 in Unix seconds
)

// InstantOf cuts t to whole microseconds towards the past.
func InstantOf(t time.Time) Instant {
	return Instant((t.Unix()-unixOfEpoch)*1_000_000 + int64(t.Nanosecond())/1_000)
}

// Time returns the instant in UTC. The infinities have no time.Time; callers ask Finite first.
func (i Instant) Time() time.Time {
	sec, micro := int64(i)/1_000_000, int64(i)%1_000_000
	if micro < 0 {
		sec, micro = sec-1, micro+1_000_000
	}
	return time.Unix(sec+unixOfEpoch, micro*1_000).UTC()
}

// Finite reports whether the instant is neither infinity.
func (i Instant) Finite() bool { return i != Infinity && i != NegativeInfinity }

// String is RFC 3339 in UTC with six digits of fraction, the form of every instant Muster publishes.
func (i Instant) String() string {
	switch i {
	case Infinity:
		return "infinity"
	case NegativeInfinity:
		return "-infinity"
	}
	return i.Time().Format("2006-01-02T15:04:05.000000Z")
}
