package evaluator

// Row is a Tuple under its Schema, with values parsed when they are asked for and remembered. It is not safe for
// concurrent use. The zero Row is ready for Reset.
type Row struct {
	schema *Schema
	tuple  Tuple
	fields []field
}

type field struct {
	text   []byte
	null   bool
	parsed bool
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
		r.fields = make([]field, len(schema.Columns))
	}
	r.fields = r.fields[:len(schema.Columns)]
	rest := tuple
	for i := range r.fields {
		text, unchanged, size, ok := rest.next()
		if !ok || unchanged {
			return ErrTuple
		}
		r.fields[i] = field{text: text, null: text == nil}
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
func (r *Row) Text(i int) []byte { return r.fields[i].text }
