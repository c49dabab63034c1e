package postgres

import (
	"bytes"
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
		deleted, err = d.remove(ctx, tx, ids)
		return len(deleted) > 0, err
	})
	return deleted, token, err
}

// remove deletes users within a transaction and returns the ids of those that were there. The ids are compared as what the
// column holds, so that its index finds them; when some are no such thing, as text.
func (d *Directory) remove(ctx context.Context, tx pgx.Tx, ids []string) (deleted []string, err error) {
	s, err := d.look(ctx, tx)
	if err != nil {
		return nil, err
	}
	id := quote(d.users.ID)
	kind := s.columns[d.users.ID]
	try := func(condition string) error {
		return savepoint(ctx, tx, func(tx pgx.Tx) error {
			rows, err := tx.Query(ctx, `DELETE FROM `+d.table().quoted()+` WHERE `+condition+` RETURNING `+id+`::text`, ids)
			if err == nil {
				deleted, err = pgx.CollectRows(rows, pgx.RowTo[string])
			}
			return d.readOnly(err)
		})
	}
	asText := id + `::text = ANY ($1::text[])`
	if kind.textual {
		err = try(asText)
	} else if err = try(id + ` = ANY ($1::text[]::` + kind.kind + `[])`); isNoValue(err) {
		err = try(asText)
	}
	if err != nil {
		return nil, fmt.Errorf("delete users: %w", err)
	}
	return deleted, nil
}

// isNoValue reports whether text was no value of a type: SQLSTATE class 22.
func isNoValue(err error) bool {
	var refused *pgconn.PgError
	return errors.As(err, &refused) && strings.HasPrefix(refused.Code, "22")
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
	err = savepoint(ctx, tx, func(tx pgx.Tx) error { return d.upsertMerged(ctx, tx, s, users) })
	if !isContent(err) {
		return err
	}
	return d.blame(ctx, tx, s, users)
}

// upsertMerged writes users of whom some may come several times; a later record's properties win. Values that are not written
// for it must be such as their columns take all the same: whoever sent them is told, and not only when no other follows.
func (d *Directory) upsertMerged(ctx context.Context, tx pgx.Tx, s *shape, users []event.Identify) error {
	merged, overridden := mergeUsers(users)
	if len(overridden) > 0 {
		data, err := json.Marshal(overridden)
		if err != nil {
			return fmt.Errorf("encode users: %w", err)
		}
		// Properties that are no columns are not read, and cannot be wrong.
		_, err = tx.Exec(ctx, `SELECT count(r) FROM jsonb_array_elements($1::jsonb) AS x(row), LATERAL jsonb_populate_record(NULL::`+d.table().quoted()+`, x.row) AS r`, string(data))
		if err != nil {
			return fmt.Errorf("read users: %w", err)
		}
	}
	return d.upsertAll(ctx, tx, s, merged)
}

// mergeUsers makes one of several records of the same user; a later one's properties win, and the values that differ from
// them are returned beside. They come in the order of their ids, so that batches which lock the same rows seldom lock each
// other.
func mergeUsers(users []event.Identify) (merged []event.Identify, overridden []map[string]json.RawMessage) {
	at := make(map[string]int, len(users))
	merged = make([]event.Identify, 0, len(users))
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
		lost := make(map[string]json.RawMessage)
		for name, value := range u.Properties {
			if before, there := merged[i].Properties[name]; there && !bytes.Equal(before, value) {
				lost[name] = before
			}
			merged[i].Properties[name] = value
		}
		if len(lost) > 0 {
			overridden = append(overridden, lost)
		}
	}
	slices.SortFunc(merged, func(a, b event.Identify) int { return strings.Compare(a.ID, b.ID) })
	return merged, overridden
}

// upsertAll writes users that name the same columns in one statement each.
func (d *Directory) upsertAll(ctx context.Context, tx pgx.Tx, s *shape, users []event.Identify) error {
	if err := d.checkIDs(ctx, tx, s, users); err != nil {
		return err
	}
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
			return fmt.Errorf("write users: %w", d.readOnly(err))
		}
	}
	return nil
}

// checkIDs refuses ids that their column would keep in another form, such as 007 in a column of numbers: whoever asked for
// the user by that id would not find it.
func (d *Directory) checkIDs(ctx context.Context, tx pgx.Tx, s *shape, users []event.Identify) error {
	kind := s.columns[d.users.ID]
	if kind.textual {
		return nil
	}
	ids := make([]string, len(users))
	for i := range users {
		ids[i] = users[i].ID
	}
	var given, kept string
	err := tx.QueryRow(ctx, `SELECT id, id::`+kind.kind+`::text FROM unnest($1::text[]) AS given(id) WHERE id <> id::`+kind.kind+`::text LIMIT 1`, ids).Scan(&given, &kept)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("read ids as %s: %w", kind.kind, err)
	}
	return &pgconn.PgError{Code: badID, ColumnName: "id", Message: fmt.Sprintf("%q is written %q here", given, kept)}
}

// badID is the SQLSTATE of invalid_text_representation, which checkIDs refuses with as a cast would.
const badID = "22P02"

// upsertSQL is the statement for users that name the given columns. jsonb_populate_record turns JSON into whatever type
// a column has, as its input function would. Users that are there are updated first, since an INSERT, also one that would
// end as an update, must have every column that may not be NULL.
func (d *Directory) upsertSQL(s *shape, columns []string, document bool) string {
	id, table := quote(d.users.ID), d.table().quoted()
	names, values, sets := []string{id}, []string{"given." + id}, []string(nil)
	for _, c := range columns {
		names, values = append(names, quote(c)), append(values, "given."+quote(c))
		sets = append(sets, quote(c)+" = %[1]s."+quote(c))
	}
	if document {
		p := quote(d.users.Properties)
		names, values = append(names, p), append(values, "given.muster_doc::"+s.document)
		sets = append(sets, p+" = (CASE WHEN jsonb_typeof(u."+p+"::jsonb) = 'object' THEN u."+p+"::jsonb ELSE '{}' END || %[2]s::jsonb)::"+s.document)
	}
	given := `WITH given AS MATERIALIZED (SELECT x.doc AS muster_doc, r.* FROM jsonb_to_recordset($1::jsonb) AS x(row jsonb, doc jsonb), LATERAL jsonb_populate_record(NULL::` + table + `, x.row) AS r)`
	insert := `INSERT INTO ` + table + ` AS u (` + strings.Join(names, ", ") + `) SELECT ` + strings.Join(values, ", ") + ` FROM given`
	if len(sets) == 0 {
		return given + ` ` + insert + ` ON CONFLICT (` + id + `) DO NOTHING`
	}
	set := strings.Join(sets, ", ")
	from := func(row, doc string) string { return strings.NewReplacer("%[1]s", row, "%[2]s", doc).Replace(set) }
	return given + `, known AS (UPDATE ` + table + ` AS u SET ` + from("given", "given.muster_doc") + ` FROM given WHERE u.` + id + ` = given.` + id + ` RETURNING u.` + id + `)
` + insert + ` WHERE given.` + id + ` NOT IN (SELECT ` + id + ` FROM known)
    ON CONFLICT (` + id + `) DO UPDATE SET ` + from("EXCLUDED", "EXCLUDED."+quote(d.users.Properties))
}

// mostBlamed bounds how many records are tried one by one to find out which are wrong.
const mostBlamed = 20

// blame finds out which users a statement failed for, and by which property.
func (d *Directory) blame(ctx context.Context, tx pgx.Tx, s *shape, users []event.Identify) error {
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
	if len(faults) == 0 { // one after the other they pass, and so they are written now
		return nil
	}
	return faults
}

// errProbed undoes what was written only to see whether it can be.
var errProbed = errors.New("probed")

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
		try := savepoint(ctx, tx, func(tx pgx.Tx) error {
			return errors.Join(d.upsertAll(ctx, tx, s, []event.Identify{alone}), errProbed) // written to see, not to stay
		})
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

// isContent reports whether a statement failed for what it was to write: SQLSTATE class 22, data, 23, constraints, 44, a
// view's check, 54, too large for an index, or what a trigger raises.
func isContent(err error) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code[:2] {
	case "22", "23", "44", "54", "P0":
		return true
	case "XX": // the server's own faults
		return false
	}
	return refused.Code[0] >= 'I' // classes that the standard leaves to applications: what triggers raise
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
