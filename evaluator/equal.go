package evaluator

import "encoding/binary"

// Equal is equal_to. Null, missing and "" equal one another. Two strings are equal when identical, or, with fold, when
// their folds are. A number equals a numeric string by value, a boolean exactly "true" or "false", a timestamp a timestamp
// string of the same instant. Lists and objects are compared by Identical. It is symmetric and not transitive.
func Equal(a, b Value, fold bool) bool {
	if a.kind == b.kind {
		if fold && a.kind == KindString {
			return equalFold(a.Text(), b.Text())
		}
		return Identical(a, b)
	}
	if b.kind != KindString {
		a, b = b, a
	}
	if b.kind != KindString {
		return false
	}
	text := b.Text()
	switch a.kind {
	case KindNull:
		return text == ""
	case KindBool:
		return a.n != 0 && text == "true" || a.n == 0 && text == "false"
	case KindNumber:
		n, ok := NumericString(text)
		return ok && n.Equal(a.Number())
	case KindTimestamp:
		i, ok := TimestampString(text)
		own, exact := a.Instant()
		return ok && exact && own == i
	}
	return false
}

// Identical is the strict equality inside lists and objects: same kind and value, null only null, an absent key not null,
// numbers by value, a timestamp never a string.
func Identical(a, b Value) bool {
	if a.kind != b.kind {
		return false
	}
	switch a.kind {
	case KindNumber:
		return a.Number().Equal(b.Number())
	case KindString:
		return a.Text() == b.Text()
	case KindList:
		if a.n != b.n {
			return false
		}
		others := b.Items()
		for i, item := range a.Items() {
			if !Identical(item, others[i]) {
				return false
			}
		}
		return true
	case KindObject:
		if a.n != b.n {
			return false
		}
		others := b.Members()
		for i, m := range a.Members() {
			if m.Key != others[i].Key || !Identical(m.Value, others[i].Value) {
				return false
			}
		}
		return true
	}
	return a.n == b.n && a.wide == b.wide
}

// AppendKey appends bytes that two values share exactly when they are Identical: a key for maps.
func (v Value) AppendKey(dst []byte) []byte {
	dst = append(dst, byte(v.kind))
	switch v.kind {
	case KindNull:
		return dst
	case KindNumber:
		return v.Number().appendKey(dst)
	case KindString:
		return appendKeyText(dst, v.Text())
	case KindList:
		dst = binary.AppendUvarint(dst, uint64(v.n))
		for _, item := range v.Items() {
			dst = item.AppendKey(dst)
		}
		return dst
	case KindObject:
		dst = binary.AppendUvarint(dst, uint64(v.n))
		for _, m := range v.Members() {
			dst = m.Value.AppendKey(appendKeyText(dst, m.Key))
		}
		return dst
	case KindTimestamp:
		m, _ := v.Moment()
		dst = binary.BigEndian.AppendUint64(dst, uint64(m.Second))
		return binary.BigEndian.AppendUint32(dst, uint32(m.Micro))
	}
	return append(dst, byte(v.n))
}

func appendKeyText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}
