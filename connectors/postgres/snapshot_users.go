package postgres

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"muster/connectors/postgres/pgoutput"
	"muster/pipeline/event"

	"github.com/jackc/pgx/v5/pgconn"
)

// usersScan is the statement that reads the users table, and what it returns.
type usersScan struct {
	sql     string
	columns []pgoutput.Column
	order   event.KeyOrder
	total   int64
}

// plan makes the scan for users whose id comes after the given one, "" being before all, and tells every chunk of its
// shape, those without users too: whoever takes definitions must know what columns they may name.
func (r *snapshotReader) plan(ctx context.Context, after string) (usersScan, error) {
	shape, err := r.lockShape(ctx)
	if err != nil {
		return usersScan{}, fmt.Errorf("look at the users table: %w", err)
	}
	scan, err := r.source.planScan(ctx, r.conn.PgConn(), shape.Streamed(), after)
	if err != nil {
		return usersScan{}, err
	}
	schema, err := r.decoder.Read(ctx, shape, r.base.Consistent)
	if err != nil {
		return usersScan{}, err
	}
	r.base.Schema, r.base.Order, r.base.Total = schema, scan.order, scan.total
	r.progress(0, scan.total)
	return scan, nil
}

// users emits what the scan finds.
func (r *snapshotReader) users(ctx context.Context, scan usersScan) error {
	// One statement for all: text results come from the same output functions that the stream's do, and the server sends
	// them no faster than they are read.
	ctxRead, cancel := context.WithCancel(ctx)
	defer cancel()
	result := r.conn.PgConn().ExecParams(ctxRead, scan.sql, nil, nil, nil, nil)
	if err := r.emitRows(ctx, result, r.decoder.Rows(scan.columns)); err != nil {
		cancel() // so that closing does not read the rest of the table
		_, _ = result.Close()
		return err
	}
	if _, err := result.Close(); err != nil {
		return fmt.Errorf("read the users table: %w", err)
	}
	return nil
}

// emitRows makes chunks of the result's rows, the last of them marked, also when there is no row at all.
func (r *snapshotReader) emitRows(ctx context.Context, result *pgconn.ResultReader, rows *pgoutput.Rows) error {
	chunk, size := r.base, 0
	for result.NextRow() {
		if len(chunk.Users) == snapshotUsers || size >= snapshotBytes {
			if err := r.emitUsers(ctx, chunk); err != nil {
				return err
			}
			chunk, size = r.base, 0
		}
		user, err := rows.User(result.Values())
		if err != nil {
			return err
		}
		chunk.Users = append(chunk.Users, user)
		chunk.Through = user.ID
		size += len(user.Row)
	}
	// Close reports what ended the rows early; a chunk must not be called the last before that is known to be nothing.
	if _, err := result.Close(); err != nil {
		return fmt.Errorf("read the users table: %w", err)
	}
	chunk.Last = true
	if len(chunk.Users) == 0 {
		chunk.Through = chunk.After
	}
	return r.emitUsers(ctx, chunk)
}

func (r *snapshotReader) emitUsers(ctx context.Context, chunk event.SnapshotChunk) error {
	r.base.Rows += int64(len(chunk.Users))
	r.base.After = chunk.Through
	chunk.Rows = r.base.Rows
	if err := r.emit(ctx, chunk); err != nil {
		return err
	}
	r.progress(chunk.Rows, chunk.Total)
	return nil
}

// progress shows how far the source's own snapshot is; one that is only compared with is none of Status's business.
func (r *snapshotReader) progress(rows, total int64) {
	if r.decoder == r.source.decoder {
		r.source.gauges.snapshotRows.Store(rows)
		r.source.gauges.snapshotTotal.Store(total)
	}
}

// planScan finds out which rows of the users table the stream carries, for the snapshot to read just those.
func (s *Source) planScan(ctx context.Context, conn *pgconn.PgConn, columns []pgoutput.Column, after string) (usersScan, error) {
	fail := func(err error) (usersScan, error) {
		return usersScan{}, fmt.Errorf("look at the users table: %w", err)
	}
	table := s.options.Users.table()
	var filter, kind string
	filterColumn := "''"
	if version(conn) >= 15 {
		filterColumn = "(SELECT rowfilter FROM pg_publication_tables WHERE pubname = " + literal(s.options.Publication) +
			" AND schemaname = " + literal(table.schema) + " AND tablename = " + literal(table.name) + ")"
	}
	err := oneRow(ctx, conn, fmt.Sprintf("SELECT coalesce(%s, ''), relkind FROM pg_class WHERE oid = to_regclass(%s)",
		filterColumn, literal(table.quoted())), &filter, &kind)
	if err != nil {
		return fail(err)
	}
	scan := usersScan{columns: columns}
	scan.sql, scan.order = s.scanSQL(columns, kind, filter, after)
	var plan string
	if err := oneRow(ctx, conn, "EXPLAIN (FORMAT JSON) SELECT FROM "+from(table, kind)+where(filter), &plan); err != nil {
		return fail(err)
	}
	_, rest, _ := strings.Cut(plan, `"Plan Rows": `)
	digits, _, _ := strings.Cut(rest, ",")
	scan.total, _ = strconv.ParseInt(strings.TrimSpace(digits), 10, 64) // an estimate; 0 is "unknown"
	return scan, nil
}

// scanSQL reads the rows in an order that can be computed from the ids (event.KeyOrder), from an index where the id is an
// integer or a uuid.
func (s *Source) scanSQL(columns []pgoutput.Column, kind, filter, after string) (string, event.KeyOrder) {
	names := make([]string, len(columns))
	var idType uint32
	for i, c := range columns {
		names[i] = quote(c.Name)
		if c.Name == s.options.Users.ID {
			idType = c.Type
		}
	}
	id := quote(s.options.Users.ID)
	key, bound, order := `format('%s', `+id+`) COLLATE "C"`, literal(after), event.OrderBytes
	switch idType {
	case 20, 21, 23: // int8, int2, int4
		key, bound, order = id, literal(after)+"::bigint", event.OrderInteger
	case 25, 1043: // text, varchar
		key = id + ` COLLATE "C"`
	case 2950: // uuid: its order is that of its text
		key, bound = id, literal(after)+"::uuid"
	}
	sql := "SELECT " + strings.Join(names, ", ") + " FROM " + from(s.options.Users.table(), kind) + where(filter)
	if after != "" {
		if filter == "" {
			sql += " WHERE "
		} else {
			sql += " AND "
		}
		sql += key + " > " + bound
	}
	return sql + " ORDER BY " + key, order
}

// from names the table without the children of plain inheritance, which are published under their own names, but with
// the partitions of a partitioned one.
func from(table tableName, kind string) string {
	if kind == "p" {
		return table.quoted()
	}
	return "ONLY " + table.quoted()
}

func where(filter string) string {
	if filter == "" {
		return ""
	}
	return " WHERE (" + filter + ")"
}

// oneRow runs one statement that returns one row and scans its texts; NULL is "".
func oneRow(ctx context.Context, conn *pgconn.PgConn, sql string, into ...*string) error {
	rows, err := simpleQuery(ctx, conn, sql)
	if err != nil {
		return err
	}
	if len(rows) != 1 {
		return fmt.Errorf("%w: nothing of that name", ErrUsersMissing)
	}
	for i := range into {
		*into[i] = string(rows[0][i])
	}
	return nil
}

// version is the server's major version.
func version(conn *pgconn.PgConn) int {
	text := conn.ParameterStatus("server_version")
	end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		text = text[:end]
	}
	major, _ := strconv.Atoi(text)
	return major
}
