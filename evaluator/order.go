package evaluator

import "strings"

// Numeric returns the number of a value that is numeric: a number or a numeric string.
func (v Value) Numeric() (Number, bool) {
	switch v.kind {
	case KindNumber:
		return v.Number(), true
	case KindString:
		return NumericString(v.Text())
	}
	return Number{}, false
}

// Time returns the moment of a value that is an instant: a timestamp or a timestamp string.
func (v Value) Time() (Moment, bool) {
	switch v.kind {
	case KindTimestamp:
		return v.Moment()
	case KindString:
		i, ok := TimestampString(v.Text())
		return i.Moment(), ok
	}
	return Moment{}, false
}

// OrderKind is what an argument makes an order operator compare.
type OrderKind uint8

const (
	Unordered      OrderKind = iota // the operator is false
	NumericOrder                    // numbers and numeric strings by value
	InstantOrder                    // timestamps and timestamp strings
	CodepointOrder                  // strings by bytes, which in UTF-8 is by code points
)

// OrderKind returns the kind that v decides as the argument of an order operator.
func (v Value) OrderKind() OrderKind {
	if _, ok := v.Numeric(); ok {
		return NumericOrder
	}
	if _, ok := v.Time(); ok {
		return InstantOrder
	}
	if v.kind == KindString {
		return CodepointOrder
	}
	return Unordered
}

// Order compares a property with the argument of an order operator, whose kind decides: -1, 0 or 1, or false when the
// property is not of that kind, the argument has none, or either is NaN. Then every order operator is false.
func Order(property, argument Value) (int, bool) {
	switch argument.OrderKind() {
	case NumericOrder:
		a, _ := argument.Numeric()
		p, ok := property.Numeric()
		if !ok || p.IsNaN() || a.IsNaN() {
			return 0, false
		}
		return p.Compare(a), true
	case InstantOrder:
		a, _ := argument.Time()
		p, ok := property.Time()
		return p.Compare(a), ok
	case CodepointOrder:
		if property.kind != KindString {
			return 0, false
		}
		return strings.Compare(property.Text(), argument.Text()), true
	}
	return 0, false
}
