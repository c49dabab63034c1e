package block

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrUnsupported says that the data is of a form this package does not know the length of.
var ErrUnsupported = errors.New("not supported by the embedded engine's native protocol (cast it with toString, or use HTTP)")

// maxDepth is how deep types may be nested.
const maxDepth = 64

// sizes are those of the types without parameters that matter to it, in bytes.
var sizes = map[string]int{
	"Int8": 1, "Int16": 2, "Int32": 4, "Int64": 8, "Int128": 16, "Int256": 32,
	"UInt8": 1, "UInt16": 2, "UInt32": 4, "UInt64": 8, "UInt128": 16, "UInt256": 32,
	"Float32": 4, "Float64": 8, "BFloat16": 2, "Bool": 1, "UUID": 16, "IPv4": 4, "IPv6": 16, "Nothing": 1,
	"Date": 2, "Date32": 4, "DateTime": 4, "DateTime64": 8, "Time": 4, "Time64": 8, "Enum8": 1, "Enum16": 2,
	"Decimal32": 4, "Decimal64": 8, "Decimal128": 16, "Decimal256": 32,
	"IntervalNanosecond": 8, "IntervalMicrosecond": 8, "IntervalMillisecond": 8, "IntervalSecond": 8, "IntervalMinute": 8, "IntervalHour": 8,
	"IntervalDay": 8, "IntervalWeek": 8, "IntervalMonth": 8, "IntervalQuarter": 8, "IntervalYear": 8,
}

// aliases are types that are another type under a name of their own.
var aliases = map[string]string{
	"Point": "Tuple(Float64, Float64)", "Ring": "Array(Point)", "LineString": "Array(Point)", "Polygon": "Array(Ring)",
	"MultiLineString": "Array(LineString)", "MultiPolygon": "Array(Polygon)",
}

// parseType returns the layout of a type given as ClickHouse writes it.
func parseType(s string) (layout, error) { return parseNested(s, 0) }

func parseNested(s string, depth int) (layout, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: type nested more than %d deep", ErrUnsupported, maxDepth)
	}
	name, args, err := splitType(s)
	if err != nil {
		return nil, err
	}
	if size, ok := sizes[name]; ok {
		return fixed{size: size}, nil
	}
	if alias, ok := aliases[name]; ok {
		return parseNested(alias, depth+1)
	}
	switch name {
	case "String":
		return text{}, nil
	case "FixedString":
		return parseFixedString(args)
	case "Decimal":
		return parseDecimal(args)
	case "SimpleAggregateFunction":
		if len(args) == 2 {
			args = args[1:]
		}
	}
	return parseComposite(s, name, args, depth)
}

func parseComposite(s, name string, args []string, depth int) (layout, error) {
	elements := make(tuple, len(args))
	for i, arg := range args {
		if name == "Tuple" || name == "Nested" {
			arg = withoutName(arg)
		}
		element, err := parseNested(arg, depth+1)
		if err != nil {
			return nil, err
		}
		elements[i] = element
	}
	switch {
	case name == "Nullable" && len(args) == 1:
		return nullable{elements[0]}, nil
	case name == "Array" && len(args) == 1:
		return array{elements[0]}, nil
	case name == "SimpleAggregateFunction" && len(args) == 1:
		return elements[0], nil
	case name == "LowCardinality" && len(args) == 1:
		if inner, ok := elements[0].(nullable); ok { // the null is a key of the dictionary
			return lowCardinality{inner.layout}, nil
		}
		return lowCardinality{elements[0]}, nil
	case name == "Tuple" && len(args) > 0:
		return elements, nil
	case name == "Map" && len(args) == 2, name == "Nested" && len(args) > 0:
		return array{elements}, nil
	case name == "Variant" && len(args) > 0 && len(args) < 255:
		return variant(elements), nil
	}
	return nil, fmt.Errorf("type %s is %w", s, ErrUnsupported)
}

func parseFixedString(args []string) (layout, error) {
	if len(args) == 1 {
		if n, err := strconv.Atoi(args[0]); err == nil && n > 0 {
			return fixed{size: n}, nil
		}
	}
	return nil, fmt.Errorf("type FixedString(%s) is %w", strings.Join(args, ", "), ErrUnsupported)
}

func parseDecimal(args []string) (layout, error) {
	if len(args) == 2 {
		if precision, err := strconv.Atoi(args[0]); err == nil {
			switch {
			case precision <= 9:
				return fixed{size: 4}, nil
			case precision <= 18:
				return fixed{size: 8}, nil
			case precision <= 38:
				return fixed{size: 16}, nil
			case precision <= 76:
				return fixed{size: 32}, nil
			}
		}
	}
	return nil, fmt.Errorf("type Decimal(%s) is %w", strings.Join(args, ", "), ErrUnsupported)
}
