package postgres

import (
	"context"
	"fmt"

	"muster/connectors/postgres/pgoutput"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// catalog answers the decoder's questions on an ordinary connection.
type catalog struct{ source *Source }

// Types implements pgoutput.Catalog. An array is what array_out prints: int2vector and the like have elements, too.
func (c catalog) Types(ctx context.Context, oids []uint32) ([]pgoutput.Type, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	rows, err := c.source.pool.Query(ctx, `
SELECT t.oid, CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE 0 END,
       CASE WHEN t.typoutput = 'array_out'::regproc THEN t.typelem ELSE 0 END,
       ascii(coalesce(e.typdelim, t.typdelim)::text)
  FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem
 WHERE t.oid = ANY($1)`, oids)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (pgoutput.Type, error) {
		var t pgoutput.Type
		var delimiter int32
		err := row.Scan(&t.OID, &t.Base, &t.Element, &delimiter)
		t.Delimiter = byte(delimiter)
		return t, err
	})
}

// poolQuerier runs a statement on any ordinary connection, connQuerier on a given one, both by the simple protocol.
type (
	poolQuerier struct{ pool *pgxpool.Pool }
	connQuerier struct{ conn *pgx.Conn }
)

func (q poolQuerier) rows(ctx context.Context, sql string) ([][][]byte, error) {
	conn, err := q.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	return connQuerier{conn.Conn()}.rows(ctx, sql)
}

func (q connQuerier) rows(ctx context.Context, sql string) ([][][]byte, error) {
	return simpleQuery(ctx, q.conn.PgConn(), sql)
}

// simpleQuery runs one statement and returns its rows as text.
func simpleQuery(ctx context.Context, conn *pgconn.PgConn, sql string) ([][][]byte, error) {
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(results) != 1 {
		return nil, fmt.Errorf("expected 1 result, got %d", len(results))
	}
	return results[0].Rows, results[0].Err
}
