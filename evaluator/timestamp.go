package evaluator

import "strings"

// TimestampString returns the instant of a timestamp string: RFC 3339 with T and Z in either case, a real date, seconds to
// 59 and an offset to 23:59, or YYYY-MM-DD, which is that day's UTC midnight. Fractions finer than microseconds are cut
// towards the past. The offset may lead out of the years 0000 to 9999.
func TimestampString(s string) (Instant, bool) {
	if len(s) < len("2006-01-02") {
		return 0, false
	}
	year, ok := digitsValue(s[:4])
	if !ok {
		return 0, false
	}
	days, rest, ok := scanMonthDay(year, s[4:])
	if !ok {
		return 0, false
	}
	second := days * secondsPerDay
	if rest == "" {
		return Instant(second * microsPerSecond), true
	}
	if rest[0] != 'T' && rest[0] != 't' {
		return 0, false
	}
	clock, micro, rest, ok := scanClock(rest[1:])
	if !ok {
		return 0, false
	}
	offset, ok := scanOffset(rest)
	if !ok {
		return 0, false
	}
	return Instant((second+clock-offset)*microsPerSecond + micro), true
}

const secondsPerDay = 86_400

// scanMonthDay reads the -MM-DD behind a year and returns the days from 2000-01-01 to that date.
func scanMonthDay(year int64, s string) (days int64, rest string, ok bool) {
	if len(s) < len("-01-02") || s[0] != '-' || s[3] != '-' {
		return 0, "", false
	}
	month, ok1 := digitsValue(s[1:3])
	day, ok2 := digitsValue(s[4:6])
	if !ok1 || !ok2 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, "", false
	}
	return daysSinceEpoch(year, month, day), s[6:], true
}

// scanClock reads HH:MM:SS and a fraction of any length.
func scanClock(s string) (seconds, micro int64, rest string, ok bool) {
	if len(s) < len("15:04:05") || s[2] != ':' || s[5] != ':' {
		return 0, 0, "", false
	}
	hour, ok1 := digitsValue(s[0:2])
	minute, ok2 := digitsValue(s[3:5])
	second, ok3 := digitsValue(s[6:8])
	if !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 59 {
		return 0, 0, "", false
	}
	rest = s[8:]
	if strings.HasPrefix(rest, ".") {
		size := countDigits(rest[1:])
		if size == 0 {
			return 0, 0, "", false
		}
		micro, _ = digitsValue((rest[1:1+min(size, 6)] + "000000")[:6])
		rest = rest[1+size:]
	}
	return hour*3600 + minute*60 + second, micro, rest, true
}

// scanOffset reads all of an RFC 3339 offset: Z, or ±HH:MM.
func scanOffset(s string) (seconds int64, ok bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) != len("+00:00") || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	hour, ok1 := digitsValue(s[1:3])
	minute, ok2 := digitsValue(s[4:6])
	if !ok1 || !ok2 || hour > 23 || minute > 59 {
		return 0, false
	}
	seconds = hour*3600 + minute*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

// digitsValue returns the value of up to 18 digits and nothing but digits.
func digitsValue(s string) (int64, bool) {
	var n int64
	if s == "" || len(s) > 18 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

// daysIn returns the days of a month in the proleptic Gregorian calendar, in which year 0 is 1 BC.
func daysIn(year, month int64) int64 {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSinceEpoch counts the days from 2000-01-01 to a date, by 400-year eras of 146,097 days that begin on March 1st, so
// that the leap day is the last of its year.
func daysSinceEpoch(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	if year < 0 && year%400 != 0 {
		era--
	}
	yearOfEra := year - era*400
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	const epoch = 730_425 // days from 0000-03-01 to 2000-01-01
	return era*146_097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - epoch
}
