package evaluator

import "encoding/binary"

// Row is a Tuple under its Schema, with values parsed when they are asked for and remembered. It is not safe for
// concurrent use. The zero Row is ready for Reset.
type Row struct {
	schema *Schema
	tuple  Tuple
	texts  [][]byte // by column; comparing rows reads nothing else
	fields []field
}

// field is what is known of the value of a column.
type field struct {
	parsed bool // null is from the start
	value  Value
}

// NewRow returns a row over tuple, which it keeps.
func NewRow(schema *Schema, tuple Tuple) (*Row, error) {
	r := new(Row)
	return r, r.Reset(schema, tuple)
}

// Reset makes r the row of tuple, keeping its memory. It returns ErrTuple when tuple is not one of schema's or still
// holds unchanged markers.
func (r *Row) Reset(schema *Schema, tuple Tuple) error {
	r.schema, r.tuple = schema, tuple
	if cap(r.fields) < len(schema.Columns) {
		r.fields, r.texts = make([]field, len(schema.Columns)), make([][]byte, len(schema.Columns))
	}
	r.fields, r.texts = r.fields[:len(schema.Columns)], r.texts[:len(schema.Columns)]
	rest := tuple
	for i := range r.fields {
		text, unchanged, size, ok := rest.next()
		if !ok || unchanged {
			return ErrTuple
		}
		r.texts[i], r.fields[i] = text, field{parsed: text == nil}
		rest = rest[size:]
	}
	if len(rest) != 0 {
		return ErrTuple
	}
	return nil
}

// Schema returns the row's schema.
func (r *Row) Schema() *Schema { return r.schema }

// Tuple returns the bytes the row was made of.
func (r *Row) Tuple() Tuple { return r.tuple }

// Text returns the text of column i, or nil when it is NULL.
func (r *Row) Text(i int) []byte { return r.texts[i] }

// Differs reports whether the text of column i differs between two rows of one schema.
func (r *Row) Differs(o *Row, i int) bool {
	a, b := r.texts[i], o.texts[i]
	if len(a) != len(b) || (a == nil) != (b == nil) {
		return true
	}
	if n := len(a); 8 <= n && n <= 16 { // most values: two words, which may overlap
		return binary.LittleEndian.Uint64(a) != binary.LittleEndian.Uint64(b) ||
			binary.LittleEndian.Uint64(a[n-8:]) != binary.LittleEndian.Uint64(b[n-8:])
	}
	return string(a) != string(b)
}
