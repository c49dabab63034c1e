package pgoutput

import (
	"context"
	"fmt"
	"slices"

	"muster/evaluator"
	"muster/pipeline/event"
)

// Shape is what the catalog says of the users table: now, for the stream, or as of the snapshot that is being read. A
// Relation message says what the table was at its place in the log, by names alone; the two are brought together here.
type Shape struct {
	Table      uint32      // OID
	Attributes []Attribute // in the order of their numbers, dropped ones not among them
	Dropped    []int16     // numbers of those
	Width      int16       // the highest number given out
	Files      string      // names what holds the rows; another when they were written anew, see evaluator.Schema
	Writers    string      // transaction that last changed what the catalog says of the files
	Storage    string      // the very files, which TRUNCATE changes as well
}

// Attribute is one column of the table.
type Attribute struct {
	Number   int16
	Name     string
	Type     uint32  // OID
	Streamed bool    // published: neither left out by the publication's column list nor generated
	Missing  *string // see evaluator.Column
}

// Streamed returns the columns that a snapshot has to read, which are those a Relation message of now would name.
func (s *Shape) Streamed() []Column {
	var columns []Column
	for _, a := range s.Attributes {
		if a.Streamed {
			columns = append(columns, Column{Name: a.Name, Type: a.Type})
		}
	}
	return columns
}

func (s *Shape) attribute(name string) *Attribute {
	if i := slices.IndexFunc(s.Attributes, func(a Attribute) bool { return a.Name == name }); i >= 0 {
		return &s.Attributes[i]
	}
	return nil
}

// Follow says which schema the receiver's rows have, and as of which commit they are the table's: Relation messages are
// judged against it from there on. Without it, nothing is said of rows that changed without a word in the log.
func (d *Decoder) Follow(schema *evaluator.Schema, asOf event.LSN) {
	d.schema, d.asOf = schema, asOf
	if key := schema.Columns[schema.Key].OID; key != 0 {
		d.idType = key
	}
	if schema.Table != 0 {
		d.usersOID = schema.Table
	}
}

// Read returns the schema of the rows of a snapshot that is true at a commit; the stream is followed from there.
func (d *Decoder) Read(ctx context.Context, shape Shape, at event.LSN) (*evaluator.Schema, error) {
	if d.usersOID != 0 && shape.Table != 0 && d.usersOID != shape.Table {
		return nil, d.replaced(shape.Table)
	}
	schema, _, err := d.describe(ctx, shape.Streamed(), shape)
	if err != nil {
		return nil, err
	}
	if d.schema != nil {
		schema.Rewrites = d.schema.Rewrites
	}
	d.Follow(d.same(schema), at)
	return d.schema, nil
}

// same returns the schema in use instead of one that says the same, so that receivers can tell a new shape by the pointer.
func (d *Decoder) same(schema *evaluator.Schema) *evaluator.Schema {
	if d.schema != nil && d.schema.Identical(schema) {
		return d.schema
	}
	return schema
}

// met returns the schema of the columns that a Relation message names. emptied is the schema to take instead when the
// message only precedes a TRUNCATE, which gives a table that has no TOAST table new files as a rewrite does.
func (d *Decoder) met(ctx context.Context, oid uint32, columns []Column) (schema, emptied *evaluator.Schema, err error) {
	shape, err := d.types.catalog.Table(ctx, oid)
	if err != nil {
		return nil, nil, fmt.Errorf("look up the columns of the users table: %w", err)
	}
	schema, certain, err := d.describe(ctx, columns, shape)
	base := d.schema
	switch {
	case err != nil:
		return nil, nil, err
	case d.open.active && d.open.commit <= d.asOf:
		return schema, nil, nil // the receiver has these rows in a later shape
	case base == nil || len(shape.Attributes) == 0:
		d.schema = d.same(schema)
		return d.schema, nil, nil
	}
	schema.Rewrites = base.Rewrites
	if !certain && alike(base, schema) {
		// The shape is still the one in use, and the catalog knows a later one already.
		kept := *base
		kept.Files = shape.Files
		schema, certain = &kept, !slices.ContainsFunc(shape.Dropped, func(n int16) bool { return n > base.Width })
	}
	if certain && base.LeadsTo(schema, sameText) {
		d.schema = d.same(schema)
		return d.schema, nil, nil
	}
	if before := *base; certain && shape.Writers == fmt.Sprint(d.xid) {
		if before.Files = schema.Files; before.Identical(schema) {
			unread := *schema
			emptied = &unread
		}
	}
	schema.Rewrites++
	d.schema = schema
	return schema, emptied, nil
}

// alike reports whether two schemas have the same columns but for their numbers.
func alike(a, b *evaluator.Schema) bool {
	return slices.EqualFunc(a.Columns, b.Columns, func(x, y evaluator.Column) bool { return x.Name == y.Name && x.OID == y.OID })
}

// describe makes the schema of the columns named, with what the catalog knows of them. certain is false when names alone
// leave open which columns they are, because the catalog is later than the names.
func (d *Decoder) describe(ctx context.Context, columns []Column, shape Shape) (schema *evaluator.Schema, certain bool, err error) {
	types, err := d.types.resolve(ctx, columns)
	if err != nil {
		return nil, false, err
	}
	id := slices.IndexFunc(columns, func(c Column) bool { return c.Name == d.config.ID })
	if id < 0 {
		return nil, false, fmt.Errorf("%w: column %q of %s.%s", ErrNoID, d.config.ID, d.config.UsersSchema, d.config.UsersTable)
	}
	if was, is := d.idType, columns[id].Type; was != 0 && !sameText(was, is) {
		return nil, false, fmt.Errorf("%w: column %q has type OID %d, was %d", ErrIDRetyped, d.config.ID, is, was)
	}
	d.idType = columns[id].Type
	schema, certain = &evaluator.Schema{Properties: -1, Table: shape.Table, Width: shape.Width, Files: shape.Files}, true
	last := int16(0)
	for i, keep := range d.kept(columns) {
		column := evaluator.Column{Name: columns[i].Name, Type: types[i], OID: declared(columns[i].Type)}
		if a := shape.attribute(column.Name); a != nil {
			column.Number, column.Missing = a.Number, a.Missing
			certain = certain && a.Number > last // out of order: a name that went from one column to another
			last = max(last, a.Number)
		} else {
			certain = false
		}
		if !keep {
			schema.Hidden = append(schema.Hidden, column.Name)
			continue
		}
		switch {
		case column.Name == d.config.ID:
			schema.Key = len(schema.Columns)
		case column.Name == d.config.Properties && types[i].Kind == evaluator.ColumnJSON:
			schema.Properties = len(schema.Columns)
		}
		schema.Columns = append(schema.Columns, column)
	}
	return schema, d.unnamed(schema, columns, shape, last) && certain, nil
}

// declared is the type as schemas tell it: text and varchar have the same text, whichever a column is declared as.
func declared(oid uint32) uint32 {
	if oid == 1043 {
		return 25
	}
	return oid
}

// unnamed takes in the columns that the catalog has and the names do not: hidden ones, or ones that were added later. It
// reports false when it cannot be known what became of one.
func (d *Decoder) unnamed(schema *evaluator.Schema, columns []Column, shape Shape, last int16) (certain bool) {
	for _, a := range shape.Attributes {
		switch {
		case slices.ContainsFunc(columns, func(c Column) bool { return c.Name == a.Name }):
		case !a.Streamed:
			schema.Hidden = append(schema.Hidden, a.Name)
		case a.Number > last: // later than the names
			schema.Width = min(schema.Width, a.Number-1)
		}
	}
	slices.Sort(schema.Hidden)
	if base := d.schema; base != nil && base.Width > 0 {
		for _, n := range shape.Dropped {
			if n > base.Width {
				return false // it came and went, and another may have taken its name
			}
		}
		for i := range schema.Columns {
			c := &schema.Columns[i]
			if at := base.Column(c.Name); at >= 0 && c.Number != 0 && base.Columns[at].Number != c.Number &&
				slices.Contains(shape.Dropped, base.Columns[at].Number) {
				return false // dropped and added again under its name: which of the two it is depends on when
			}
		}
	}
	return true
}

// kept says which columns conditions may see: the id, the properties and those that the configuration lists, or all.
func (d *Decoder) kept(columns []Column) []bool {
	kept := make([]bool, len(columns))
	for i, c := range columns {
		kept[i] = len(d.config.Columns) == 0 || c.Name == d.config.ID || c.Name == d.config.Properties ||
			slices.Contains(d.config.Columns, c.Name)
	}
	return kept
}
