package pgoutput

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"muster/evaluator"
)

// What a change of the users table's shape can make impossible. They are wrapped with the particulars.
var (
	// ErrUsersMoved: the users table was renamed, or another table has taken its name.
	ErrUsersMoved = errors.New("the users table was renamed or replaced")
	// ErrNoID: the users table has no column of the configured name for the id.
	ErrNoID = errors.New("the users table has no id column")
	// ErrIDRetyped: the id column has a type whose text may differ from what it was.
	ErrIDRetyped = errors.New("the id column changed its type")
	// ErrIdentity: deletes do not carry the id because it is not part of the table's replica identity.
	ErrIdentity = errors.New("the id column is not part of the replica identity")
)

// table says what the rows of a relation mean to Muster.
type table uint8

const (
	tableOther table = iota
	tableUsers
	tableMembers
	tableCommits
	tableCount
)

// Column is a column of the users table as the stream carries it, and as a snapshot must read it.
type Column struct {
	Name string
	Type uint32 // OID
}

// relation is a table as the last Relation message described it.
type relation struct {
	table    table
	columns  []Column
	key      []bool // part of the replica identity
	identity byte   // 'd' default, 'n' nothing, 'f' full, 'i' index
	schema   *evaluator.Schema
	keep     []bool // which columns schema has
	id       int    // place of the id column
}

// place returns where the column of that name is, or -1.
func (r *relation) place(name string) int {
	return slices.IndexFunc(r.columns, func(c Column) bool { return c.Name == name })
}

// relation handles a Relation message: they come before the first change of a table on each connection, and again when
// its shape has changed, between any two rows.
func (d *Decoder) relation(ctx context.Context, c *cursor) error {
	oid := c.uint32()
	namespace, name := c.text(), c.text()
	rel := &relation{identity: c.uint8()}
	for range c.uint16() {
		flags := c.uint8()
		col := Column{Name: c.text(), Type: c.uint32()}
		c.take(4) // type modifier
		if c.bad {
			return ErrMalformed
		}
		rel.columns = append(rel.columns, col)
		rel.key = append(rel.key, flags&1 != 0)
	}
	if c.bad {
		return ErrMalformed
	}
	rel.table = d.tableOf(namespace, name)
	if rel.table == tableUsers || oid == d.usersOID && oid != 0 {
		if err := d.users(ctx, oid, namespace, name, rel); err != nil {
			return err
		}
	}
	d.relations[oid] = rel
	return nil
}

func (d *Decoder) tableOf(namespace, name string) table {
	switch {
	case namespace == d.config.UsersSchema && name == d.config.UsersTable:
		return tableUsers
	case namespace != d.config.ControlSchema:
		return tableOther
	case name == "members":
		return tableMembers
	case name == "commits":
		return tableCommits
	}
	return tableOther
}

// users checks that the users table can still be followed and gives rel its schema.
func (d *Decoder) users(ctx context.Context, oid uint32, namespace, name string, rel *relation) error {
	if rel.table != tableUsers {
		return fmt.Errorf("%w: %s.%s is now %s.%s", ErrUsersMoved, d.config.UsersSchema, d.config.UsersTable, namespace, name)
	}
	if d.usersOID != 0 && d.usersOID != oid {
		return fmt.Errorf("%w: another table now has the name %s.%s (OID %d, was %d)", ErrUsersMoved, namespace, name, oid, d.usersOID)
	}
	schema, err := d.Schema(ctx, rel.columns)
	if err != nil {
		return err
	}
	rel.id = rel.place(d.config.ID)
	if rel.identity != 'f' && !rel.key[rel.id] {
		return fmt.Errorf("%w: column %q of %s.%s", ErrIdentity, d.config.ID, namespace, name)
	}
	rel.schema, rel.keep = schema, d.kept(rel.columns)
	d.usersOID = oid
	return nil
}

// Schema returns the schema of a users table with these columns: the one in use if it says the same, so that receivers
// can tell a new shape by the pointer. It becomes the one in use.
func (d *Decoder) Schema(ctx context.Context, columns []Column) (*evaluator.Schema, error) {
	id := slices.IndexFunc(columns, func(c Column) bool { return c.Name == d.config.ID })
	if id < 0 {
		return nil, fmt.Errorf("%w: column %q of %s.%s", ErrNoID, d.config.ID, d.config.UsersSchema, d.config.UsersTable)
	}
	if was, is := d.idType, columns[id].Type; was != 0 && !sameText(was, is) {
		return nil, fmt.Errorf("%w: column %q has type OID %d, was %d", ErrIDRetyped, d.config.ID, is, was)
	}
	types, err := d.types.resolve(ctx, columns)
	if err != nil {
		return nil, err
	}
	schema := &evaluator.Schema{Properties: -1}
	for i, keep := range d.kept(columns) {
		if !keep {
			continue
		}
		switch {
		case columns[i].Name == d.config.ID:
			schema.Key = len(schema.Columns)
		case columns[i].Name == d.config.Properties && types[i].Kind == evaluator.ColumnJSON:
			schema.Properties = len(schema.Columns)
		}
		schema.Columns = append(schema.Columns, evaluator.Column{Name: columns[i].Name, Type: types[i]})
	}
	d.idType = columns[id].Type
	if !schema.Equal(d.schema) {
		d.schema = schema
	}
	return d.schema, nil
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
