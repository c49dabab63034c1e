package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"muster/connectors/postgres/pgoutput"

	"github.com/jackc/pgx/v5/pgxpool"
)

// errReshaped is returned when the users table was changed between the moment of a snapshot and the reading of it. Its
// rows then cannot be had as of that moment: what rewrites a table leaves nothing of it for older snapshots.
var errReshaped = errors.New("the users table was altered while its snapshot was made")

// shapeSQL reads the shape of the table with an OID, as of the snapshot of the statement and without a lock, so that it
// neither waits for an open ALTER TABLE nor sees half of one. A partitioned table's files are those of its partitions.
//
// The files tell that rows were written anew without a word in the log. Of a table that has a TOAST table they are named by
// that one's OID: ALTER TABLE makes another one when it writes the rows anew, while TRUNCATE, which the log tells of, and
// what leaves the rows as they are (VACUUM FULL, CLUSTER, SET TABLESPACE) only give it other files. Without one, and in
// partitions, whose truncation the log does not tell of, they are named by the files themselves.
func (s *Source) shapeSQL(oid string, version int) string {
	streamed := "a.attgenerated = ''"
	if version >= 15 { // a publication may list columns
		generated := "false"
		if version >= 18 {
			generated = "p.pubgencols = 's' AND a.attgenerated = 's' OR r.prattrs IS NOT NULL"
		}
		streamed = fmt.Sprintf(`coalesce((SELECT (r.prattrs IS NULL OR a.attnum = ANY (r.prattrs::int2[])) AND (a.attgenerated = '' OR %s)
          FROM pg_publication p LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = a.attrelid
         WHERE p.pubname = %s), a.attgenerated = '')`, generated, literal(s.options.Publication))
	}
	return fmt.Sprintf(`
WITH RECURSIVE users AS (SELECT oid, relkind, relnatts, reltoastrelid AS toast FROM pg_class WHERE oid = %s),
files AS (
    SELECT oid FROM users
    UNION ALL
    SELECT i.inhrelid FROM pg_inherits i JOIN files ON i.inhparent = files.oid WHERE (SELECT relkind FROM users) = 'p'
),
kept AS (
    SELECT string_agg(c.oid || ':' || c.relfilenode, ',' ORDER BY c.oid) AS names, string_agg(DISTINCT c.xmin::text, ',') AS writers
      FROM pg_class c JOIN files USING (oid) WHERE c.relkind <> 'p'
)
SELECT u.relnatts, CASE WHEN u.relkind = 'p' THEN md5(coalesce(k.names, '')) WHEN u.toast > 0 THEN u.oid || ':toast:' || u.toast ELSE k.names END, coalesce(k.writers, ''), k.names,
       a.attnum, a.attname, a.atttypid, a.attisdropped, %s,
       CASE WHEN a.atthasmissing AND t.typdelim = ',' THEN (a.attmissingval::text::text[])[1]
            WHEN a.atthasmissing THEN (regexp_match(a.attmissingval::text, '^{"?(.*?)"?}$'))[1] END, u.oid
  FROM users u CROSS JOIN kept k
  JOIN pg_attribute a ON a.attrelid = u.oid AND a.attnum > 0
  LEFT JOIN pg_type t ON t.oid = a.atttypid
 ORDER BY a.attnum`, oid, streamed)
}

// usersOID finds the OID of the users table as of the snapshot of the statement; to_regclass would look at the present.
func (s *Source) usersOID() string {
	table := s.options.Users.table()
	return fmt.Sprintf(`(SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = %s)`,
		literal(table.schema), literal(table.name))
}

// shape runs shapeSQL.
func (s *Source) shape(ctx context.Context, q querier, oid string, version int) (pgoutput.Shape, error) {
	rows, err := q.rows(ctx, s.shapeSQL(oid, version))
	if err != nil {
		return pgoutput.Shape{}, err
	}
	var shape pgoutput.Shape
	for _, row := range rows {
		number := func(i int) uint64 { n, _ := strconv.ParseUint(string(row[i]), 10, 32); return n } // what the server prints parses
		shape.Table, shape.Width, shape.Files, shape.Writers, shape.Storage = uint32(number(10)), int16(number(0)), string(row[1]), string(row[2]), string(row[3])
		if string(row[7]) == "t" {
			shape.Dropped = append(shape.Dropped, int16(number(4)))
			continue
		}
		a := pgoutput.Attribute{Number: int16(number(4)), Name: string(row[5]), Type: uint32(number(6)), Streamed: string(row[8]) == "t"}
		if row[9] != nil {
			missing := string(row[9])
			a.Missing = &missing
		}
		shape.Attributes = append(shape.Attributes, a)
	}
	return shape, nil
}

// Table implements pgoutput.Catalog.
func (c catalog) Table(ctx context.Context, oid uint32) (pgoutput.Shape, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return c.source.shapeNow(ctx, strconv.FormatUint(uint64(oid), 10))
}

// shapeNow reads a shape on an ordinary connection.
func (s *Source) shapeNow(ctx context.Context, oid string) (pgoutput.Shape, error) {
	var shape pgoutput.Shape
	err := s.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) (err error) {
		shape, err = s.shape(ctx, connQuerier{conn.Conn()}, oid, version(conn.Conn().PgConn()))
		return err
	})
	return shape, err
}

// lockShape returns the shape of the users table as a snapshot has it, and keeps it from changing until the snapshot's
// transaction ends: readers and writers of the table go on, ALTER TABLE waits. It returns errReshaped when the table has
// been changed since.
func (r *snapshotReader) lockShape(ctx context.Context) (pgoutput.Shape, error) {
	s := r.source
	conn := connQuerier{r.conn}
	shape, err := s.shape(ctx, conn, s.usersOID(), version(r.conn.PgConn()))
	if err != nil || len(shape.Attributes) == 0 { // of no table: whoever goes on says so
		return shape, err
	}
	_, err = conn.rows(ctx, "LOCK TABLE "+s.options.Users.table().quoted()+" IN ACCESS SHARE MODE")
	switch {
	case sqlState(err) == codeUndefinedTable: // renamed or dropped since; another snapshot will say so
		return pgoutput.Shape{}, errReshaped
	case err != nil:
		return pgoutput.Shape{}, fmt.Errorf("lock the users table against ALTER TABLE: %w", err)
	}
	now, err := s.shapeNow(ctx, s.usersOID())
	if err != nil {
		return pgoutput.Shape{}, err
	}
	if now.Storage != shape.Storage || now.Width != shape.Width || !sameAttributes(now, shape) {
		return pgoutput.Shape{}, errReshaped
	}
	return shape, nil
}

func sameAttributes(a, b pgoutput.Shape) bool {
	names := func(s pgoutput.Shape) string {
		var all strings.Builder
		for _, c := range s.Attributes {
			fmt.Fprintf(&all, "%d %q %d %t\n", c.Number, c.Name, c.Type, c.Streamed)
		}
		return all.String()
	}
	return names(a) == names(b)
}
