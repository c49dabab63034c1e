package evaluator

import "strconv"

// Source is a Path resolved against one Schema: a column and the steps to walk into it. Resolve once, read often.
type Source struct {
	Column   int      // index of the column, or -1: there is nothing there, the value is missing
	Steps    []string // to walk in its value
	Property bool     // Column is the properties document: its value counts only while it is an object
}

// Resolve finds where a path leads. A column hides the property of its name, also one that the stream does not carry.
func (s *Schema) Resolve(p Path) Source {
	if len(p) == 0 || s.IsHidden(p[0]) {
		return Source{Column: -1}
	}
	if i := s.Column(p[0]); i >= 0 {
		return Source{Column: i, Steps: p[1:]}
	}
	if s.Properties < 0 {
		return Source{Column: -1}
	}
	return Source{Column: s.Properties, Steps: p, Property: true}
}

// Value returns the value of column i. Text that is not of the column's type is taken as a string.
func (r *Row) Value(i int) Value {
	f := &r.fields[i]
	if f.parsed {
		return f.value
	}
	v, err := ParseColumn(r.schema.Columns[i].Type, r.texts[i])
	if err != nil {
		v = StringValue(bytesString(r.texts[i]))
	}
	f.value, f.parsed = v, true
	return v
}

// Read returns the value at a source of the row's schema; null when there is nothing.
func (r *Row) Read(s Source) Value {
	if s.Column < 0 {
		return Value{}
	}
	v := r.Value(s.Column)
	if s.Property && v.kind != KindObject {
		return Value{}
	}
	return v.Walk(s.Steps)
}

// Property returns the value a path leads to; null when there is nothing.
func (r *Row) Property(p Path) Value { return r.Read(r.schema.Resolve(p)) }

// Walk returns the value that steps lead to from v; null when there is nothing. On an object a step is a key, on a list a
// 0-based index without sign or leading zero.
func (v Value) Walk(steps []string) Value {
	for _, step := range steps {
		switch v.kind {
		case KindObject:
			v, _ = v.Member(step)
		case KindList:
			i, ok := listIndex(step)
			if !ok || i >= len(v.Items()) {
				return Value{}
			}
			v = v.Items()[i]
		default:
			return Value{}
		}
	}
	return v
}

func listIndex(s string) (int, bool) {
	if s == "" || len(s) > 1 && s[0] == '0' || countDigits(s) != len(s) {
		return 0, false
	}
	i, err := strconv.Atoi(s)
	return i, err == nil
}
