package evaluator

import "strings"

// parseTimestamp reads a timestamptz, timestamp or date as Postgres prints it with DateStyle ISO: a year of four digits or
// more, an optional clock, an optional offset (UTC is assumed without one), " BC" at the end, or infinity.
func parseTimestamp(text string) (Value, bool) {
	switch text {
	case "infinity":
		return TimestampValue(Infinity), true
	case "-infinity":
		return TimestampValue(NegativeInfinity), true
	}
	text, bc := strings.CutSuffix(text, " BC")
	yearDigits := countDigits(text)
	if yearDigits < 4 || yearDigits > 9 {
		return Value{}, false
	}
	year, _ := digitsValue(text[:yearDigits])
	if bc {
		year = 1 - year // 1 BC is the year 0
	}
	days, rest, ok := scanMonthDay(year, text[yearDigits:])
	if !ok {
		return Value{}, false
	}
	m := Moment{Second: days * secondsPerDay}
	if rest == "" {
		return momentValue(m), true
	}
	if rest[0] != ' ' {
		return Value{}, false
	}
	clock, micro, rest, ok := scanClock(rest[1:])
	if !ok {
		return Value{}, false
	}
	offset, ok := scanPostgresOffset(rest)
	if !ok {
		return Value{}, false
	}
	m = Moment{Second: m.Second + clock - offset, Micro: int32(micro)}
	if i, ok := m.Instant(); ok {
		return TimestampValue(i), true
	}
	return Value{}, false // no timestamp of Postgres's is that far away
}

// scanPostgresOffset reads all of an offset as Postgres prints it: nothing, ±HH, ±HH:MM or ±HH:MM:SS.
func scanPostgresOffset(s string) (seconds int64, ok bool) {
	if s == "" {
		return 0, true
	}
	if s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	unit, rest := int64(3600), s[1:]
	for {
		if len(rest) < 2 {
			return 0, false
		}
		n, ok := digitsValue(rest[:2])
		if !ok || unit < 3600 && n > 59 {
			return 0, false
		}
		seconds += n * unit
		if rest = rest[2:]; rest == "" {
			break
		}
		if rest[0] != ':' || unit == 1 {
			return 0, false
		}
		unit, rest = unit/60, rest[1:]
	}
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}
