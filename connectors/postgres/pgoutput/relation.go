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
	emptied  *evaluator.Schema // to take instead if a TRUNCATE follows at once, else nil
	early    bool              // described within what the receiver has in a later shape: schema is not the one in use
	keep     []bool            // which columns schema has
	id       int               // place of the id column
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

func (d *Decoder) replaced(oid uint32) error {
	return fmt.Errorf("%w: another table now has the name %s.%s (OID %d, was %d)", ErrUsersMoved, d.config.UsersSchema, d.config.UsersTable, oid, d.usersOID)
}

// users checks that the users table can still be followed and gives rel its schema.
func (d *Decoder) users(ctx context.Context, oid uint32, namespace, name string, rel *relation) error {
	if rel.table != tableUsers {
		return fmt.Errorf("%w: %s.%s is now %s.%s", ErrUsersMoved, d.config.UsersSchema, d.config.UsersTable, namespace, name)
	}
	if d.usersOID != 0 && d.usersOID != oid {
		return d.replaced(oid)
	}
	schema, emptied, err := d.met(ctx, oid, rel.columns)
	if err != nil {
		return err
	}
	rel.id = rel.place(d.config.ID)
	if rel.identity != 'f' && !rel.key[rel.id] {
		return fmt.Errorf("%w: column %q of %s.%s", ErrIdentity, d.config.ID, namespace, name)
	}
	rel.schema, rel.emptied, rel.keep = schema, emptied, d.kept(rel.columns)
	rel.early = d.open.active && d.open.commit <= d.asOf
	d.usersOID = oid
	return nil
}

// followed returns the relation that a change is of. The server describes a table once: what it said among transactions that
// are read again holds for those behind them too, and is judged there like a description of then.
func (d *Decoder) followed(ctx context.Context, oid uint32) (*relation, error) {
	rel, err := d.lookup(oid)
	if err != nil || !rel.early || d.open.commit <= d.asOf {
		return rel, err
	}
	if rel.schema, rel.emptied, err = d.met(ctx, oid, rel.columns); err != nil {
		return nil, err
	}
	rel.early = false
	return rel, nil
}
