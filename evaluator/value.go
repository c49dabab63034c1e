package evaluator

import (
	"slices"
	"strings"
	"unsafe"
)

// Kind is the kind of a Value.
type Kind uint8

const (
	KindNull Kind = iota // also what a path that finds nothing yields: missing and null are the same
	KindBool
	KindNumber
	KindString
	KindTimestamp
	KindList
	KindObject
)

var kindNames = [...]string{"null", "boolean", "number", "string", "timestamp", "list", "object"}

// String is the kind's name as LANGUAGE.md uses it.
func (k Kind) String() string { return kindNames[k] }

// Value is one value of the condition language. It is three words, immutable and free to copy; the zero Value is null.
// Its strings, lists and objects share memory with what it was made of, which must not change afterwards.
//
// Values must not be compared with ==, which would compare addresses: Identical, Equal and AppendKey are the comparisons.
type Value struct {
	kind Kind
	wide bool           // of a timestamp: n is in seconds, for it is beyond an Instant
	n    int64          // of a bool 0 or 1; a small number; an Instant; a length
	p    unsafe.Pointer // of a string, list or object its first element; of a number its *decimal, or nil when small
}

// Member is one key of an object and its value.
type Member struct {
	Key   string
	Value Value
}

// BoolValue returns b as a Value.
func BoolValue(b bool) Value {
	if b {
		return Value{kind: KindBool, n: 1}
	}
	return Value{kind: KindBool}
}

// NumberValue returns n as a Value.
func NumberValue(n Number) Value {
	return Value{kind: KindNumber, n: n.small, p: unsafe.Pointer(n.big)}
}

// StringValue returns s as a Value.
func StringValue(s string) Value {
	return Value{kind: KindString, n: int64(len(s)), p: unsafe.Pointer(unsafe.StringData(s))}
}

// TimestampValue returns i as a Value.
func TimestampValue(i Instant) Value { return Value{kind: KindTimestamp, n: int64(i)} }

// ListValue returns a list of items, which it keeps.
func ListValue(items []Value) Value {
	return Value{kind: KindList, n: int64(len(items)), p: unsafe.Pointer(unsafe.SliceData(items))}
}

// ObjectValue returns an object of members, which it keeps and sorts. Of members with equal keys the last one counts.
func ObjectValue(members []Member) Value {
	members = sortMembers(members)
	return Value{kind: KindObject, n: int64(len(members)), p: unsafe.Pointer(unsafe.SliceData(members))}
}

// Kind returns the value's kind.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is null, or missing, which is the same.
func (v Value) IsNull() bool { return v.kind == KindNull }

// Bool returns a boolean, and false for any other kind.
func (v Value) Bool() bool { return v.kind == KindBool && v.n != 0 }

// Number returns a number, and 0 for any other kind.
func (v Value) Number() Number {
	if v.kind != KindNumber {
		return Number{}
	}
	return Number{small: v.n, big: (*decimal)(v.p)}
}

// Text returns a string, and "" for any other kind.
func (v Value) Text() string {
	if v.kind != KindString {
		return ""
	}
	return unsafe.String((*byte)(v.p), v.n)
}

// Items returns the items of a list, which must not be changed, and nil for any other kind.
func (v Value) Items() []Value {
	if v.kind != KindList {
		return nil
	}
	return unsafe.Slice((*Value)(v.p), v.n)
}

// Members returns the members of an object in ascending order of key, without duplicates; they must not be changed. It
// returns nil for any other kind.
func (v Value) Members() []Member {
	if v.kind != KindObject {
		return nil
	}
	return unsafe.Slice((*Member)(v.p), v.n)
}

// Member returns the value of an object's key. It reports false when v has no such key or is no object.
func (v Value) Member(key string) (Value, bool) {
	members := v.Members()
	low, high := 0, len(members)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if members[mid].Key < key {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low < len(members) && members[low].Key == key {
		return members[low].Value, true
	}
	return Value{}, false
}

// IsScalar reports whether v is neither a list nor an object; null is a scalar.
func (v Value) IsScalar() bool { return v.kind != KindList && v.kind != KindObject }

// Instant returns the instant of a timestamp. It reports false for every other kind and for a timestamp that Postgres can
// hold and an Instant cannot: a date beyond the year 294276. Moment has those too.
func (v Value) Instant() (Instant, bool) {
	return Instant(v.n), v.kind == KindTimestamp && !v.wide
}

// Moment returns the instant of any timestamp, and false for every other kind. A timestamp string is a string here:
// Value.Time takes both.
func (v Value) Moment() (Moment, bool) {
	switch {
	case v.kind != KindTimestamp:
		return Moment{}, false
	case v.wide:
		return Moment{Second: v.n}, true
	}
	return Instant(v.n).Moment(), true
}

// momentValue returns m, a date's midnight when it is beyond an Instant, as a Value.
func momentValue(m Moment) Value {
	if i, ok := m.Instant(); ok {
		return TimestampValue(i)
	}
	return Value{kind: KindTimestamp, wide: true, n: m.Second}
}

// sortMembers sorts by key and keeps the last of equal keys, in place.
func sortMembers(members []Member) []Member {
	ascending := true
	for i := 1; i < len(members) && ascending; i++ {
		ascending = members[i-1].Key < members[i].Key
	}
	if ascending {
		return members
	}
	slices.SortStableFunc(members, func(a, b Member) int { return strings.Compare(a.Key, b.Key) })
	kept := members[:0]
	for i := range members {
		if i+1 == len(members) || members[i+1].Key != members[i].Key {
			kept = append(kept, members[i])
		}
	}
	return kept
}
