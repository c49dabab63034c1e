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
	Number int16  // Postgres's attnum, which survives a rename; 0 when it is not known
	OID    uint32 `json:",omitempty"` // of the declared type; 0 when it is not known
	// Missing is the text that rows older than the column have in it: the constant default that it was added with. The log
	// says nothing of them. Nil is NULL.
	Missing *string `json:",omitempty"`
}

// Schema is the list of columns a Tuple is made of. It is immutable once shared.
type Schema struct {
	Columns    []Column
	Key        int // index of the id column
	Properties int // index of the json column whose keys are properties, or -1
	// Hidden names the columns that the table has and the stream does not carry: left out by configuration, by the
	// publication's column list, or generated. They cannot be read, and they still hide the property of their name.
	Hidden []string

	// Table is Postgres's number of the table, which a rename keeps and another table of its name does not have; 0 when it is
	// not known.
	Table uint32 `json:",omitempty"`
	// Width is the highest number that any column of the table had when the shape was met: a column beyond it is new, one
	// up to it that the schema lacks had values before it came to be seen. 0 when numbers are not known.
	Width int16 `json:",omitempty"`
	// Files names what holds the table's rows; another means that they were written anew. "" when it is not known.
	Files string `json:",omitempty"`
	// Rewrites counts how often rows became others without a word in the log. Between two schemas of different counts
	// Reshape does not lead from one to the other: the table has to be read.
	Rewrites uint32 `json:",omitempty"`
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

// Identical reports whether both schemas are also of the same rows: not only Equal, but met on the same files, with the same
// declared types.
func (s *Schema) Identical(o *Schema) bool {
	if s == o {
		return true
	}
	if !s.Equal(o) || s.Table != o.Table || s.Width != o.Width || s.Files != o.Files || s.Rewrites != o.Rewrites {
		return false
	}
	for i := range s.Columns {
		if s.Columns[i].OID != o.Columns[i].OID {
			return false
		}
	}
	return true
}

// LeadsTo reports whether Reshape turns rows of s into exactly what the table holds under later: on the same files, every
// column that both have keeps the text of its values, and every other was added since s was met. Rewrites is not looked at:
// it records the answer. Without numbers the answer is yes, for nothing speaks against it.
func (s *Schema) LeadsTo(later *Schema, sameText func(from, to uint32) bool) bool {
	if s.Width == 0 || later.Width == 0 {
		return true
	}
	if s.Files != later.Files {
		return false
	}
	for i := range later.Columns {
		c := &later.Columns[i]
		if c.Number == 0 {
			return false
		}
		at := s.origin(later, i)
		switch {
		case at < 0 && c.Number <= s.Width: // hidden before
			return false
		case at >= 0 && s.Columns[at].OID != c.OID && !sameText(s.Columns[at].OID, c.OID):
			return false
		}
	}
	return true
}

// origin returns the index in s of the column that is the i-th of the later schema, or -1 when that is new.
func (s *Schema) origin(later *Schema, i int) int {
	c := &later.Columns[i]
	numbered := false
	for j := range s.Columns {
		numbered = numbered || s.Columns[j].Number != 0
		if c.Number != 0 && s.Columns[j].Number == c.Number {
			return j
		}
	}
	if c.Number != 0 && numbered {
		return -1
	}
	return s.Column(c.Name) // one of the two does not know numbers
}

func (t ColumnType) equal(o ColumnType) bool {
	if t.Kind != o.Kind || t.Delimiter != o.Delimiter || (t.Element == nil) != (o.Element == nil) {
		return false
	}
	return t.Element == nil || t.Element.equal(*o.Element)
}
