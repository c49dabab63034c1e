package evaluator

import "slices"

// ColumnKind says how the text of a column becomes a Value.
type ColumnKind uint8

const (
	ColumnText      ColumnKind = iota // text, varchar, uuid, citext, enum, inet and every type without a row below
	ColumnChar                        // char(n): text without its trailing blanks
	ColumnBool                        // t or f
	ColumnNumber                      // int*, float*, numeric
	ColumnTimestamp                   // timestamptz, timestamp, date
	ColumnJSON                        // json, jsonb
	ColumnBytea                       // hex text, "\x" included
	ColumnArray                       // a list of Element; dimensions nest
)

// ColumnType is the type of a column as far as conditions are concerned; a domain is its base type.
type ColumnType struct {
	Kind      ColumnKind
	Element   *ColumnType // of an array
	Delimiter byte        // of an array's text: ',' for every built-in type but box
}

// Column is one column of the users table as the stream carries it.
type Column struct {
	Name   string
	Type   ColumnType
	Number int16 // Postgres's attnum, which survives a rename; 0 when it is not known
}

// Schema is the list of columns a Tuple is made of. It is immutable once shared.
type Schema struct {
	Columns    []Column
	Key        int // index of the id column
	Properties int // index of the json column whose keys are properties, or -1
	// Hidden names the columns that the table has and the stream does not carry: left out by configuration, by the
	// publication's column list, or generated. They cannot be read, and they still hide the property of their name.
	Hidden []string
}

// IsHidden reports whether the table has a column of that name which cannot be read.
func (s *Schema) IsHidden(name string) bool { return slices.Contains(s.Hidden, name) }

// Column returns the index of the column of that exact name, or -1.
func (s *Schema) Column(name string) int {
	for i := range s.Columns {
		if s.Columns[i].Name == name {
			return i
		}
	}
	return -1
}

// Equal reports whether both schemas mean the same columns in the same order.
func (s *Schema) Equal(o *Schema) bool {
	if s == o {
		return true
	}
	if s == nil || o == nil || s.Key != o.Key || s.Properties != o.Properties || len(s.Columns) != len(o.Columns) ||
		!slices.Equal(s.Hidden, o.Hidden) {
		return false
	}
	for i := range s.Columns {
		if s.Columns[i].Name != o.Columns[i].Name || s.Columns[i].Number != o.Columns[i].Number || !s.Columns[i].Type.equal(o.Columns[i].Type) {
			return false
		}
	}
	return true
}

// origin returns the index in s of the column that is the i-th of the later schema, or -1 when that is new.
func (s *Schema) origin(later *Schema, i int) int {
	c := &later.Columns[i]
	if c.Number != 0 {
		for j := range s.Columns {
			if s.Columns[j].Number == c.Number {
				return j
			}
		}
		return -1
	}
	return s.Column(c.Name)
}

func (t ColumnType) equal(o ColumnType) bool {
	if t.Kind != o.Kind || t.Delimiter != o.Delimiter || (t.Element == nil) != (o.Element == nil) {
		return false
	}
	return t.Element == nil || t.Element.equal(*o.Element)
}
