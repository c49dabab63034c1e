package evaluator

// manyPairs is the number of comparisons of two lists from which an index of one of them is worth its making. It also
// bounds the time of two long lists, which would be the product of their lengths.
const manyPairs = 1_024

// itemIndex finds whether a list has an item that is Equal to a value. Equal is not transitive ("1" and "1.0" differ, and
// both equal 1), so an item is filed under what it is and, when it is a string, also under the other value it can equal; a
// value is looked up as what it is among both, and a string's other value among what items are.
type itemIndex struct {
	fold  bool
	items map[string]bool
}

const (
	itself  = 'i' // the key of an item as it is
	reading = 'r' // the key of what a string item reads as
)

func newItemIndex(items []Value, fold bool) *itemIndex {
	x := &itemIndex{fold: fold, items: make(map[string]bool, len(items))}
	for _, item := range items {
		x.items[string(x.key(itself, item))] = true
		if other, ok := item.reading(); ok {
			x.items[string(x.key(reading, other))] = true
		}
	}
	return x
}

func (x *itemIndex) key(tag byte, v Value) []byte {
	if x.fold && v.kind == KindString {
		v = StringValue(Fold(v.Text()))
	}
	return v.AppendKey([]byte{tag})
}

func (x *itemIndex) has(v Value) bool {
	if x.items[string(x.key(itself, v))] {
		return true
	}
	if v.kind != KindString {
		return x.items[string(x.key(reading, v))]
	}
	other, ok := v.reading()
	return ok && x.items[string(x.key(itself, other))]
}

// reading returns the value of another kind that a string equals by equal_to; there is at most one.
func (v Value) reading() (Value, bool) {
	if v.kind != KindString {
		return Value{}, false
	}
	switch text := v.Text(); text {
	case "":
		return Value{}, true
	case "true", "false":
		return BoolValue(text == "true"), true
	default:
		if n, ok := NumericString(text); ok {
			return NumberValue(n), true
		}
		i, ok := TimestampString(text)
		return TimestampValue(i), ok
	}
}
