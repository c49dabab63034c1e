package evaluator

import (
	"fmt"
	"strings"
)

// ParseColumn returns the value of a column that is not NULL from the text Postgres prints for it. It never panics and
// takes time linear in text, whose memory the value shares. The error says that the text is not of the type; callers in
// the stream then take the text itself as a string, for no value of a user's may stop everybody's.
func ParseColumn(t ColumnType, text []byte) (Value, error) {
	s := bytesString(text)
	switch t.Kind {
	case ColumnChar:
		return StringValue(strings.TrimRight(s, " ")), nil
	case ColumnBool:
		switch s {
		case "t":
			return BoolValue(true), nil
		case "f":
			return BoolValue(false), nil
		}
		return Value{}, fmt.Errorf("%.40q is no boolean", s)
	case ColumnNumber:
		if n, ok := ParseNumber(s); ok {
			return NumberValue(n), nil
		}
		return Value{}, fmt.Errorf("%.40q is no number", s)
	case ColumnTimestamp:
		if v, ok := parseTimestamp(s); ok {
			return v, nil
		}
		return Value{}, fmt.Errorf("%.40q is no timestamp", s)
	case ColumnJSON:
		return ParseJSON(text)
	case ColumnArray:
		return parseArray(t, s)
	}
	return StringValue(s), nil
}
