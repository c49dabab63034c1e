package evaluator

import (
	"encoding/binary"
	"errors"
)

// Tuple is one row of the users table in the form it travels and is stored in: for each column of its Schema, in order,
// a uvarint and what it announces. 0 is NULL, 1 is "unchanged" (a TOASTed value that the log left out), and n >= 2 is
// n-2 bytes of text, as Postgres prints the value under the session settings that Muster fixes.
// One slice a row: decoding touches only the columns that are asked for.
type Tuple []byte

const (
	fieldNull      = 0
	fieldUnchanged = 1
	fieldText      = 2
)

// AppendNull appends a NULL column.
func (t Tuple) AppendNull() Tuple { return append(t, fieldNull) }

// AppendUnchanged appends a column whose value the log left out because it did not change.
func (t Tuple) AppendUnchanged() Tuple { return append(t, fieldUnchanged) }

// AppendText appends a column with a value.
func (t Tuple) AppendText(text []byte) Tuple {
	t = binary.AppendUvarint(t, uint64(len(text))+fieldText)
	return append(t, text...)
}

// ErrTuple is returned for bytes that are no Tuple of the schema they came with.
var ErrTuple = errors.New("malformed tuple")

// next splits the first field off: its text (nil when NULL or unchanged), whether it is the unchanged marker, its
// encoded length, or ok = false for malformed bytes.
func (t Tuple) next() (text []byte, unchanged bool, size int, ok bool) {
	n, w := binary.Uvarint(t)
	switch {
	case w <= 0:
		return nil, false, 0, false
	case n == fieldNull:
		return nil, false, w, true
	case n == fieldUnchanged:
		return nil, true, w, true
	case n-fieldText > uint64(len(t)-w):
		return nil, false, 0, false
	}
	end := w + int(n-fieldText)
	return t[w:end:end], false, end, true
}

// FillUnchanged returns t with every unchanged marker replaced by stored's field of the same place. Without a marker it
// returns t itself. Both tuples must be of schemas with the same columns.
func (t Tuple) FillUnchanged(stored Tuple) (Tuple, error) {
	marked := false
	for rest := t; len(rest) > 0; {
		_, unchanged, size, ok := rest.next()
		if !ok {
			return nil, ErrTuple
		}
		marked = marked || unchanged
		rest = rest[size:]
	}
	if !marked {
		return t, nil
	}
	filled := make(Tuple, 0, len(t)+len(stored))
	for rest := t; len(rest) > 0; {
		_, unchanged, size, _ := rest.next()
		_, _, storedSize, ok := stored.next()
		if !ok {
			return nil, ErrTuple
		}
		if unchanged {
			filled = append(filled, stored[:storedSize]...)
		} else {
			filled = append(filled, rest[:size]...)
		}
		rest, stored = rest[size:], stored[storedSize:]
	}
	return filled, nil
}

// Reshape returns a row of schema from as a row of schema to. A column keeps its value under its own name, or under a new
// one when it was renamed, which shows by its number. Columns that from does not have get what rows older than them have:
// the default they were added with, else NULL.
func (t Tuple) Reshape(from, to *Schema) (Tuple, error) {
	fields := make([][]byte, len(from.Columns)) // encoded, length included
	for i := range fields {
		_, _, size, ok := t.next()
		if !ok {
			return nil, ErrTuple
		}
		fields[i], t = t[:size], t[size:]
	}
	if len(t) != 0 {
		return nil, ErrTuple
	}
	var reshaped Tuple
	for i := range to.Columns {
		switch at := from.origin(to, i); {
		case at >= 0:
			reshaped = append(reshaped, fields[at]...)
		case to.Columns[i].Missing != nil:
			reshaped = reshaped.AppendText([]byte(*to.Columns[i].Missing))
		default:
			reshaped = reshaped.AppendNull()
		}
	}
	return reshaped, nil
}
