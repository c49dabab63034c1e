package pipeline

import (
	"fmt"
	"slices"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// A user whose key changes takes its row along, and the log leaves out of that row what is TOASTed and did not change. Such
// a row is completed here, from what is known under the old key, before its change is handed to the new one: subjects are
// worked side by side and cannot look at each other.

// moves reports whether a change brings the row of another key, incomplete.
func moves(c *event.Change) bool {
	if c.Op != event.Upsert || c.OldUser == "" || c.OldUser == c.User {
		return false
	}
	_, err := c.Row.FillUnchanged(nil) // fails if there is anything to fill
	return err != nil
}

func anyMoves(t *event.Transaction) bool {
	return slices.ContainsFunc(t.Changes, func(c event.Change) bool { return moves(&c) })
}

// known row is one as far as the log was followed; a nil tuple is no row.
type knownRow struct {
	tuple  evaluator.Tuple
	schema *evaluator.Schema
}

// then is the row after a change of it.
func (r knownRow) then(tuple evaluator.Tuple, schema *evaluator.Schema) (knownRow, error) {
	if r.tuple == nil {
		return knownRow{tuple, schema}, nil
	}
	stored, err := r.tuple, error(nil)
	if r.schema != schema {
		if stored, err = stored.Reshape(r.schema, schema); err != nil {
			return knownRow{}, err
		}
	}
	tuple, err = tuple.FillUnchanged(stored)
	return knownRow{tuple, schema}, err
}

// storedRow is the row of a user in the state.
func (p *Pipeline) storedRow(user string) (knownRow, error) {
	var record state.Record
	_, _, err := p.store.Record(user, &record, nil)
	if err != nil || !record.Present {
		return knownRow{}, err
	}
	return knownRow{record.Tuple, p.catalogue.schemas[record.Schema]}, nil
}

// carried returns the changes of a transaction with every moved row complete. All that was committed before must be in the
// state.
func (p *Pipeline) carried(b *batch, t *event.Transaction) ([]event.Change, error) {
	changes := slices.Clone(t.Changes)
	rows := make(map[string]knownRow) // of the keys this transaction has touched so far
	look := func(user string) (knownRow, error) {
		if r, touched := rows[user]; touched {
			return r, nil
		}
		return p.storedRow(user)
	}
	for i := range changes {
		c := &changes[i]
		switch c.Op {
		case event.Delete:
			rows[c.User] = knownRow{}
		case event.Upsert:
			from := c.User
			if c.OldUser != "" {
				from = c.OldUser
			}
			before, err := look(from)
			if err != nil {
				return nil, err
			}
			rows[from] = knownRow{}
			if moves(c) && !known(&b.head, c.User, t.Commit) {
				if before.tuple == nil || known(&b.head, c.OldUser, t.Commit) {
					return nil, lostRow(c)
				}
				after, err := before.then(c.Row, c.Schema)
				if err != nil {
					return nil, fmt.Errorf("user %q, whose key was %q: %w", c.User, c.OldUser, err)
				}
				c.Row = after.tuple
			}
			if rows[c.User], err = before.then(c.Row, c.Schema); err != nil {
				return nil, fmt.Errorf("user %q: %w", c.User, err)
			}
		}
	}
	return changes, nil
}

// lostRow is the error for a change of key that happened while a snapshot was interrupted, and whose row was read under
// neither key.
func lostRow(c *event.Change) error {
	return fmt.Errorf("the key of user %q became %q, and the log left values out that the state does not have; set REPLICA IDENTITY FULL on the users table so that it does not happen again, and run `muster rebuild -c FILE`",
		c.OldUser, c.User)
}

// carry completes a moved row that is about to be staged.
func (s *staging) carry(c *event.Change) (evaluator.Tuple, error) {
	if err := s.flush(); err != nil { // so that what was staged before is seen
		return nil, err
	}
	before, err := s.pipeline.storedRow(c.OldUser)
	if err != nil {
		return nil, err
	}
	err = s.pipeline.store.StagedOf(c.OldUser, func(staged state.StagedChange) (err error) {
		switch staged.Op {
		case event.Delete:
			before = knownRow{}
		case event.Upsert:
			before, err = before.then(staged.Tuple, s.pipeline.catalogue.schemas[staged.Schema])
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("user %q: %w", c.OldUser, err)
	}
	if before.tuple == nil {
		return nil, lostRow(c)
	}
	after, err := before.then(c.Row, c.Schema)
	return after.tuple, err
}
