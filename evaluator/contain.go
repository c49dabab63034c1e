package evaluator

import "strings"

// Contains is the relation of contains. A property that is a list contains an argument that equals one of its items, and a
// list argument when both share an item. A scalar contains a list argument when it equals an item of it. A string contains
// a string as a substring. Nothing else contains anything; missing does not.
func Contains(property, argument Value, fold bool) bool {
	switch {
	case property.kind == KindNull:
		return false
	case argument.kind == KindList:
		if property.kind == KindList {
			return shareItem(property.Items(), argument.Items(), fold)
		}
		return property.IsScalar() && hasItem(argument.Items(), property, fold)
	case property.kind == KindList:
		return hasItem(property.Items(), argument, fold)
	case property.kind == KindString && argument.kind == KindString:
		return strings.Contains(property.Text(), argument.Text()) ||
			fold && strings.Contains(Fold(property.Text()), Fold(argument.Text()))
	}
	return false
}

// ContainsAll is the relation of contains_all: the property is a list that has every item of the argument, a list too.
func ContainsAll(property, argument Value, fold bool) bool {
	if property.kind != KindList || argument.kind != KindList {
		return false
	}
	has := finder(property.Items(), len(argument.Items()), fold)
	for _, item := range argument.Items() {
		if !has(item) {
			return false
		}
	}
	return true
}

// EqualAny is the relation of equal_to_any: the property equals an item of the argument, a list.
func EqualAny(property, argument Value, fold bool) bool {
	return argument.kind == KindList && hasItem(argument.Items(), property, fold)
}

// HasPrefix and HasSuffix are the relations of starts_with and ends_with, on two strings.
func HasPrefix(property, argument Value, fold bool) bool {
	return bothStrings(property, argument, fold, strings.HasPrefix)
}

// HasSuffix is described with HasPrefix.
func HasSuffix(property, argument Value, fold bool) bool {
	return bothStrings(property, argument, fold, strings.HasSuffix)
}

func bothStrings(property, argument Value, fold bool, holds func(s, part string) bool) bool {
	if property.kind != KindString || argument.kind != KindString {
		return false
	}
	s, part := property.Text(), argument.Text()
	if fold {
		s, part = Fold(s), Fold(part)
	}
	return holds(s, part)
}

// Empty is the relation of empty: null, missing, "", [] or {}.
func Empty(v Value) bool {
	switch v.kind {
	case KindNull:
		return true
	case KindString, KindList, KindObject:
		return v.n == 0
	}
	return false
}

// hasItem reports whether an item equals v.
func hasItem(items []Value, v Value, fold bool) bool {
	for _, item := range items {
		if Equal(item, v, fold) {
			return true
		}
	}
	return false
}

func shareItem(a, b []Value, fold bool) bool {
	has := finder(a, len(b), fold)
	for _, item := range b {
		if has(item) {
			return true
		}
	}
	return false
}

// finder returns the function that tells whether items have a value, to be asked that many times.
func finder(items []Value, times int, fold bool) func(Value) bool {
	if len(items)*times > manyPairs {
		return newItemIndex(items, fold).has
	}
	return func(v Value) bool { return hasItem(items, v, fold) }
}
