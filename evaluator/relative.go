package evaluator

import "strings"

var unitSeconds = map[string]int64{"minute": 60, "hour": 3_600, "day": secondsPerDay, "week": 7 * secondsPerDay}

const (
	maxRelativeDigits = 9
	relativeHint      = `a relative time is written "7 days ago" or "3 days from now", in minutes, hours, days or weeks`
)

// relativeOffset returns the seconds to add to now of "7 days ago", "3 days from now", 7_days_ago or 3_days_from_now.
func relativeOffset(s string) (int64, bool) {
	separator := " "
	if !strings.Contains(s, separator) {
		separator = "_"
	}
	words := strings.SplitN(s, separator, 4)
	switch {
	case len(words) == 3 && words[2] == "ago":
	case len(words) == 4 && words[2] == "from" && words[3] == "now":
		words[2] = "from_now"
	default:
		return 0, false
	}
	return offsetSeconds(words[0], words[1], words[2])
}

func offsetSeconds(value, unit, modifier string) (int64, bool) {
	n, ok := digitsValue(value)
	size, known := unitSeconds[strings.TrimSuffix(unit, "s")]
	if !ok || !known || len(value) > maxRelativeDigits {
		return 0, false
	}
	switch modifier {
	case "ago":
		return -n * size, true
	case "from_now":
		return n * size, true
	}
	return 0, false
}

// relativeObject reads {"value": 7, "unit": "days", "modifier": "ago"}.
func (d *decoder) relativeObject(path string, v Value) (Argument, bool) {
	d.only(path, v, "a relative time", "value", "unit", "modifier")
	value, _ := v.Member("value")
	unit, _ := v.Member("unit")
	modifier, _ := v.Member("modifier")
	if value.Kind() != KindNumber || d.unusual[keyPath(path, "value")] {
		return Argument{}, false
	}
	offset, ok := offsetSeconds(value.Number().String(), unit.Text(), modifier.Text())
	return Argument{Kind: ArgumentRelative, Offset: offset}, ok
}

// seemsRelative reports whether an argument is a relative time in any form, for operators that take none.
func seemsRelative(v Value) bool {
	if v.Kind() == KindString {
		_, ok := relativeOffset(v.Text())
		return ok
	}
	_, hasUnit := v.Member("unit")
	_, hasModifier := v.Member("modifier")
	return hasUnit && hasModifier
}
