package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Identify inserts users, or sets the properties given of those that are there, all in one transaction or none. What is
// wrong with single users comes back as event.DataFaults.
func (d *Directory) Identify(ctx context.Context, users []event.Identify) (token string, err error) {
	return d.write(ctx, func(tx pgx.Tx) (bool, error) { return true, d.upsert(ctx, tx, users) })
}

// DeleteUsers removes users and returns the ids of those that were there.
func (d *Directory) DeleteUsers(ctx context.Context, ids []string) (deleted []string, token string, err error) {
	if !d.identify {
		return nil, "", ErrIdentifyOff
	}
	token, err = d.write(ctx, func(tx pgx.Tx) (bool, error) {
		id := quote(d.users.ID)
		rows, err := tx.Query(ctx, `DELETE FROM `+d.table().quoted()+` WHERE `+id+`::text = ANY ($1::text[]) RETURNING `+id+`::text`, ids)
		if err != nil {
			return false, fmt.Errorf("delete users: %w", err)
		}
		deleted, err = pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return false, fmt.Errorf("delete users: %w", err)
		}
		return len(deleted) > 0, nil
	})
	return deleted, token, err
}

// upsert writes users within a transaction.
func (d *Directory) upsert(ctx context.Context, tx pgx.Tx, users []event.Identify) error {
	if !d.identify {
		return ErrIdentifyOff
	}
	s, err := d.look(ctx, tx)
	if err != nil {
		return err
	}
	var faults event.DataFaults
	for i := range users {
		_, _, wrong := d.place(s, users[i])
		for _, f := range wrong {
			f.Index = i
			faults = append(faults, f)
		}
	}
	if len(faults) > 0 {
		return faults
	}
	merged := mergeUsers(users)
	err = savepoint(ctx, tx, func(tx pgx.Tx) error { return d.upsertAll(ctx, tx, s, merged) })
	if !isContent(err) {
		return err
	}
	return d.blame(ctx, tx, s, users, err)
}

// mergeUsers makes one of several records of the same user; a later one's properties win.
func mergeUsers(users []event.Identify) []event.Identify {
	at := make(map[string]int, len(users))
	merged := make([]event.Identify, 0, len(users))
	for _, u := range users {
		i, known := at[u.ID]
		if !known {
			at[u.ID] = len(merged)
			merged = append(merged, event.Identify{ID: u.ID, Properties: maps.Clone(u.Properties)})
			continue
		}
		if merged[i].Properties == nil {
			merged[i].Properties = make(map[string]json.RawMessage)
		}
		maps.Copy(merged[i].Properties, u.Properties)
	}
	return merged
}

// upsertAll writes users that name the same columns in one statement each.
func (d *Directory) upsertAll(ctx context.Context, tx pgx.Tx, s *shape, users []event.Identify) error {
	type group struct {
		columns  []string
		document bool
		rows     []map[string]any
	}
	groups := make(map[string]*group)
	var order []string
	for _, u := range users {
		columns, document, _ := d.place(s, u)
		name := fmt.Sprint(len(document) > 0, "\x00", strings.Join(columns, "\x00"))
		g := groups[name]
		if g == nil {
			g = &group{columns: columns, document: len(document) > 0}
			groups[name] = g
			order = append(order, name)
		}
		row, doc := map[string]any{d.users.ID: u.ID}, make(map[string]json.RawMessage, len(document))
		for _, c := range columns {
			row[c] = u.Properties[c]
		}
		for _, p := range document {
			doc[p] = u.Properties[p]
		}
		g.rows = append(g.rows, map[string]any{"row": row, "doc": doc})
	}
	for _, name := range order {
		g := groups[name]
		data, err := json.Marshal(g.rows)
		if err != nil {
			return fmt.Errorf("encode users: %w", err)
		}
		if _, err := tx.Exec(ctx, d.upsertSQL(s, g.columns, g.document), string(data)); err != nil {
			return fmt.Errorf("write users: %w", err)
		}
	}
	return nil
}

// upsertSQL is the statement for users that name the given columns. jsonb_populate_record turns JSON into whatever type
// a column has, as its input function would.
func (d *Directory) upsertSQL(s *shape, columns []string, document bool) string {
	id := quote(d.users.ID)
	names, values, sets := []string{id}, []string{"r." + id}, []string(nil)
	for _, c := range columns {
		names, values = append(names, quote(c)), append(values, "r."+quote(c))
		sets = append(sets, quote(c)+" = EXCLUDED."+quote(c))
	}
	if document {
		p := quote(d.users.Properties)
		names, values = append(names, p), append(values, "x.doc::"+s.document)
		sets = append(sets, fmt.Sprintf("%[1]s = (CASE WHEN jsonb_typeof(u.%[1]s::jsonb) = 'object' THEN u.%[1]s::jsonb ELSE '{}' END || EXCLUDED.%[1]s::jsonb)::%[2]s", p, s.document))
	}
	conflict := "DO NOTHING"
	if len(sets) > 0 {
		conflict = "DO UPDATE SET " + strings.Join(sets, ", ")
	}
	table := d.table().quoted()
	return `INSERT INTO ` + table + ` AS u (` + strings.Join(names, ", ") + `)
SELECT ` + strings.Join(values, ", ") + ` FROM jsonb_to_recordset($1::jsonb) AS x(row jsonb, doc jsonb), LATERAL jsonb_populate_record(NULL::` + table + `, x.row) AS r
    ON CONFLICT (` + id + `) ` + conflict
}

// mostBlamed bounds how many records are tried one by one to find out which are wrong.
const mostBlamed = 20

// blame finds out which users a statement failed for, and by which property.
func (d *Directory) blame(ctx context.Context, tx pgx.Tx, s *shape, users []event.Identify, first error) error {
	var faults event.DataFaults
	for i, u := range users {
		err := savepoint(ctx, tx, func(tx pgx.Tx) error { return d.upsertAll(ctx, tx, s, []event.Identify{u}) })
		if !isContent(err) {
			if err != nil {
				return err
			}
			continue
		}
		faults = append(faults, event.DataFault{Index: i, Field: d.blameField(ctx, tx, s, u, err), Message: reason(err)})
		if len(faults) == mostBlamed {
			break
		}
	}
	if len(faults) == 0 {
		return first
	}
	return faults
}

func (d *Directory) blameField(ctx context.Context, tx pgx.Tx, s *shape, u event.Identify, err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.ColumnName != "" {
		return refused.ColumnName
	}
	columns, document, _ := d.place(s, u)
	for _, name := range slices.Concat([]string{""}, columns, document) {
		alone := event.Identify{ID: u.ID}
		if name != "" {
			alone.Properties = map[string]json.RawMessage{name: u.Properties[name]}
		}
		try := savepoint(ctx, tx, func(tx pgx.Tx) error { return d.upsertAll(ctx, tx, s, []event.Identify{alone}) })
		var same *pgconn.PgError
		if errors.As(try, &same) && refused != nil && same.Code == refused.Code {
			if name == "" {
				return "id"
			}
			return name
		}
	}
	return ""
}

// isContent reports whether a statement failed for what it was to write: SQLSTATE class 22, data, or 23, constraints.
func isContent(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && (strings.HasPrefix(refused.Code, "22") || strings.HasPrefix(refused.Code, "23"))
}

func reason(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Message
	}
	return err.Error()
}

// savepoint runs work so that its failure leaves the transaction usable.
func savepoint(ctx context.Context, tx pgx.Tx, work func(pgx.Tx) error) error {
	inner, err := tx.Begin(ctx)
	if err != nil {
		return err
	}
	if err := work(inner); err != nil {
		return errors.Join(err, inner.Rollback(context.WithoutCancel(ctx)))
	}
	return inner.Commit(ctx)
}
