package pgoutput

import (
	"fmt"

	"muster/pipeline/event"
)

// Rows makes users of rows that a query returned as text, in the very form that the stream's have.
type Rows struct {
	decoder  *Decoder
	relation relation
	cols     []column
}

// Rows returns a maker of users for rows of these columns. It may be used beside Decode, by the same goroutine.
func (d *Decoder) Rows(columns []Column) *Rows {
	r := &Rows{decoder: d, cols: make([]column, len(columns))}
	r.relation = relation{table: tableUsers, columns: columns, keep: d.kept(columns)}
	r.relation.id = r.relation.place(d.config.ID)
	return r
}

// User makes a user of the texts of one row, nil being NULL. They are not kept.
func (r *Rows) User(texts [][]byte) (event.SnapshotUser, error) {
	if len(texts) != len(r.cols) || r.relation.id < 0 {
		return event.SnapshotUser{}, fmt.Errorf("%w: a row of %d columns, want %d", ErrMalformed, len(texts), len(r.cols))
	}
	for i, text := range texts {
		r.cols[i] = column{kind: columnText, text: text}
		if text == nil {
			r.cols[i].kind = columnNull
		}
	}
	id, err := r.decoder.id(&r.relation, r.cols)
	if err != nil {
		return event.SnapshotUser{}, err
	}
	return event.SnapshotUser{ID: r.decoder.ids.text(id), Row: r.decoder.encode(&r.relation, r.cols)}, nil
}
