package pgoutput

import (
	"bytes"
	"context"
	"fmt"

	"muster/pipeline/event"
)

// insert: relation, 'N', new row.
func (d *Decoder) insert(ctx context.Context, c *cursor) error {
	rel, err := d.followed(ctx, c.uint32())
	if err != nil || rel.table == tableOther || d.open.skip {
		return err
	}
	if c.uint8() != 'N' {
		return ErrMalformed
	}
	d.cols = c.tuple(rel, d.cols)
	if c.bad {
		return ErrMalformed
	}
	switch rel.table {
	case tableUsers:
		return d.upsert(rel, nil)
	case tableMembers:
		return d.addMember(rel, event.MemberAdd, d.cols)
	default:
		return d.define(rel)
	}
}

// update: relation, then 'K' and the old key where it changed, or 'O' and the old row under REPLICA IDENTITY FULL, then
// 'N' and the new row.
func (d *Decoder) update(ctx context.Context, c *cursor) error {
	rel, err := d.followed(ctx, c.uint32())
	if err != nil || rel.table == tableOther || d.open.skip {
		return err
	}
	var old []column
	kind := c.uint8()
	if kind == 'K' || kind == 'O' {
		d.old = c.tuple(rel, d.old)
		old = d.old
		kind = c.uint8()
	}
	d.cols = c.tuple(rel, d.cols)
	if c.bad || kind != 'N' {
		return ErrMalformed
	}
	switch rel.table {
	case tableUsers:
		return d.upsert(rel, old)
	case tableMembers:
		if old != nil {
			if err := d.addMember(rel, event.MemberRemove, old); err != nil {
				return err
			}
		}
		return d.addMember(rel, event.MemberAdd, d.cols)
	}
	return nil // commits are append-only: an update of one is not ours and means nothing
}

// delete: relation, 'K' and the key or 'O' and the old row.
func (d *Decoder) delete(ctx context.Context, c *cursor) error {
	rel, err := d.followed(ctx, c.uint32())
	if err != nil || rel.table == tableOther || d.open.skip {
		return err
	}
	kind := c.uint8()
	d.old = c.tuple(rel, d.old)
	if c.bad || kind != 'K' && kind != 'O' {
		return ErrMalformed
	}
	switch rel.table {
	case tableUsers:
		id, err := d.id(rel, d.old)
		if err != nil {
			return err
		}
		return d.add(tableUsers, event.Change{Op: event.Delete, User: d.ids.text(id)})
	case tableMembers:
		return d.addMember(rel, event.MemberRemove, d.old)
	}
	return nil
}

// truncate: how many relations, options, the relations.
func (d *Decoder) truncate(ctx context.Context, c *cursor) error {
	count := int(c.uint32())
	c.take(1)
	for range count {
		oid := c.uint32()
		if c.bad {
			return ErrMalformed
		}
		rel, err := d.followed(ctx, oid)
		if err != nil {
			return err
		}
		switch rel.table {
		case tableUsers:
			if rel.emptied != nil { // the new files are this TRUNCATE's, and all rows that will be in them come through the log
				rel.schema, d.schema = rel.emptied, rel.emptied
			}
			err = d.add(tableUsers, event.Change{Op: event.Truncate})
		case tableMembers:
			err = d.add(tableMembers, event.Change{Op: event.MembersTruncate})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// upsert adds the row in d.cols. Where the log left a TOASTed value out, the old row's is taken if it was sent; otherwise
// the marker stays and the receiver fills it from what it stored.
func (d *Decoder) upsert(rel *relation, old []column) error {
	if old != nil {
		fill(d.cols, old)
	}
	id, err := d.id(rel, d.cols)
	if err != nil {
		return err
	}
	rel.emptied = nil
	change := event.Change{Op: event.Upsert, User: d.ids.text(id), Schema: rel.schema, Row: d.encode(rel, d.cols)}
	if old != nil && old[rel.id].kind == columnText && !bytes.Equal(old[rel.id].text, id) {
		change.OldUser = d.ids.text(old[rel.id].text)
	}
	return d.add(tableUsers, change)
}

// id returns the id of a row or key.
func (d *Decoder) id(rel *relation, cols []column) ([]byte, error) {
	if cols[rel.id].kind != columnText {
		return nil, fmt.Errorf("%w: a row of %s.%s came without column %q", ErrIdentity, d.config.UsersSchema, d.config.UsersTable, d.config.ID)
	}
	return cols[rel.id].text, nil
}

func (d *Decoder) addMember(rel *relation, op event.Op, cols []column) error {
	member := d.member(rel, cols)
	if member == nil {
		return nil
	}
	return d.add(tableMembers, event.Change{Op: op, Member: member})
}

func (d *Decoder) define(rel *relation) error {
	definition, err := d.definition(rel, d.cols)
	if err != nil || definition == nil {
		return err
	}
	return d.add(tableCommits, event.Change{Op: event.Define, Definition: definition})
}
