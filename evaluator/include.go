package evaluator

// AppendIncluded appends the JSON object that the events of the audience carry as their user: each property of Include
// under its path without the root ("plan", "address.city"), null where there is nothing. Without Include it appends
// nothing. A nil row, of a user who is gone, gives nulls.
func (d *Definition) AppendIncluded(dst []byte, row *Row) []byte {
	if len(d.Include) == 0 {
		return dst
	}
	w := objectWriter{dst: append(dst, '{')}
	for _, p := range d.Include {
		var v Value
		if row != nil {
			v = row.Property(p)
		}
		w.value(p.Name(), v)
	}
	return append(w.dst, '}')
}

// CheckColumns returns a fault for every property that is a column which the table has and the stream does not carry:
// conditions would silently read nothing there.
func (d *Definition) CheckColumns(schema *Schema) Faults {
	var faults Faults
	d.properties(func(p PropertyPath) {
		if schema.IsHidden(p.Path[0]) {
			faults = append(faults, Fault{p.At, "the column " + StringValue(p.Path[0]).String() + " is not in the stream: it is excluded by the " +
				"configuration or the publication, or generated"})
		}
	})
	return faults
}
