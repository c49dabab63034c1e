package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// table checks that the users table is there and may be read in full.
func (c *checker) table(ctx context.Context) error {
	const name = "users table"
	f := &c.facts
	switch {
	case f.TableOID == 0:
		similar, err := c.similarTables(ctx)
		if err != nil {
			return err
		}
		c.fail(name, c.users.String()+" does not exist in database "+quote(f.Database)+similar,
			"set postgres.users.table, or CREATE TABLE "+c.users.quoted()+" ("+quote(c.options.Users.ID)+" text PRIMARY KEY, "+quote("properties")+" jsonb)")
		return nil
	case f.TableKind != "r" && f.TableKind != "p":
		c.fail(name, c.users.String()+" is not a table; views and foreign tables have no log", "set postgres.users.table to the table behind it")
		return nil
	}
	var usage, readable, security bool
	err := c.conn.QueryRow(ctx, `
SELECT has_schema_privilege($2, 'USAGE'), has_table_privilege($1::oid, 'SELECT'),
       row_security_active($1::oid) FROM pg_class WHERE oid = $1`, f.TableOID, c.users.schema).Scan(&usage, &readable, &security)
	if err != nil {
		return err
	}
	switch {
	case !usage || !readable:
		c.fail(name, fmt.Sprintf("role %q may not read %s", f.Role, c.users),
			fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s; GRANT SELECT ON %s TO %[2]s", quote(c.users.schema), quote(f.Role), c.users.quoted()))
	case security:
		c.fail(name, fmt.Sprintf("row level security hides rows of %s from role %q, and not from the stream", c.users, f.Role),
			"ALTER ROLE "+quote(f.Role)+" BYPASSRLS")
	default:
		c.ok(name, c.users.String())
	}
	return nil
}

// similarTables names tables that may be meant.
func (c *checker) similarTables(ctx context.Context) (string, error) {
	var names []string
	err := c.conn.QueryRow(ctx, `SELECT coalesce(array_agg(quote_ident(n.nspname) || '.' || quote_ident(t.relname) ORDER BY 1), '{}')
  FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
 WHERE t.relkind IN ('r', 'p') AND (t.relname = $1 OR t.relname ILIKE '%user%') AND n.nspname NOT IN ('pg_catalog', 'information_schema')`,
		c.users.name).Scan(&names)
	if err != nil || len(names) == 0 {
		return "", err
	}
	return "; there is " + strings.Join(names[:min(len(names), 5)], ", "), nil
}

// identity checks that updates and deletes say whose row they are about: the id has to be part of the replica identity,
// of each partition where there are some, since the log is written there.
func (c *checker) identity(ctx context.Context) error {
	const name = "replica identity"
	if c.facts.TableOID == 0 {
		return nil
	}
	rows, err := c.conn.Query(ctx, `
SELECT quote_ident(n.nspname) || '.' || quote_ident(t.relname), t.relreplident::text,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary),
       t.relreplident = 'f' OR EXISTS (
         SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (i.indkey)
          WHERE i.indrelid = t.oid AND a.attname = $2 AND (t.relreplident = 'd' AND i.indisprimary OR t.relreplident = 'i' AND i.indisreplident))
  FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
 WHERE t.relkind = 'r' AND (t.oid = $1 OR t.oid IN (SELECT relid FROM pg_partition_tree($1) WHERE isleaf))
 ORDER BY 1`, c.facts.TableOID, c.options.Users.ID)
	if err != nil {
		return err
	}
	var table, setting string
	var primary, usable bool
	faulty := 0
	_, err = pgx.ForEachRow(rows, []any{&table, &setting, &primary, &usable}, func() error {
		if usable {
			return nil
		}
		if faulty++; faulty > 3 { // the next ones go by the same recipe
			return nil
		}
		full := "ALTER TABLE " + table + " REPLICA IDENTITY FULL"
		switch {
		case setting == "d" && !primary:
			c.fail(name, table+" has no primary key: Postgres refuses to update and delete its rows once they are published",
				"ALTER TABLE "+table+" ADD PRIMARY KEY ("+quote(c.options.Users.ID)+"); or "+full)
		default:
			c.fail(name, fmt.Sprintf("column %q is not part of the replica identity of %s: deletes would not say whose row it was", c.options.Users.ID, table), full)
		}
		return nil
	})
	if err == nil && faulty == 0 {
		c.ok(name, "updates and deletes carry "+c.options.Users.ID)
	}
	return err
}

// columns checks the columns that the configuration names.
func (c *checker) columns(ctx context.Context) error {
	if c.facts.TableOID == 0 {
		return nil
	}
	rows, err := c.conn.Query(ctx, `
SELECT a.attname::text, coalesce(nullif(t.typbasetype, 0), t.oid)::regtype::text, a.attgenerated <> '',
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum
               AND i.indpred IS NULL)
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
 WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, c.facts.TableOID)
	if err != nil {
		return err
	}
	type attribute struct {
		Name, Type        string
		Generated, Unique bool
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[attribute])
	if err != nil {
		return err
	}
	var names []string
	for _, a := range found {
		names = append(names, a.Name)
	}
	of := func(name string) *attribute {
		if i := slices.Index(names, name); i >= 0 {
			return &found[i]
		}
		return nil
	}
	users := c.options.Users
	has := "columns are " + strings.Join(names, ", ")
	switch id := of(users.ID); {
	case id == nil:
		c.fail("id column", fmt.Sprintf("%s has no column %q; its %s", c.users, users.ID, has), "set postgres.users.id")
	case id.Generated:
		c.fail("id column", fmt.Sprintf("column %q is generated, and the stream does not carry those", users.ID), "set postgres.users.id to another column")
	case !id.Unique && c.facts.TableKind == "r":
		c.warn("id column", fmt.Sprintf("nothing keeps two rows of %s from having the same %q; the later would replace the earlier", c.users, users.ID),
			fmt.Sprintf("ALTER TABLE %s ADD UNIQUE (%s)", c.users.quoted(), quote(users.ID)))
	default:
		c.ok("id column", users.ID+" "+id.Type)
	}
	if users.Properties != "" {
		switch p := of(users.Properties); {
		case p == nil:
			c.warn("properties column", fmt.Sprintf("%s has no column %q: only columns can be named in conditions", c.users, users.Properties),
				fmt.Sprintf("set postgres.users.properties, or ALTER TABLE %s ADD COLUMN %s jsonb", c.users.quoted(), quote(users.Properties)))
		case p.Type != "json" && p.Type != "jsonb":
			c.fail("properties column", fmt.Sprintf("column %q is %s; its keys cannot be read", users.Properties, p.Type), "set postgres.users.properties to a json or jsonb column, or to ''")
		default:
			c.ok("properties column", users.Properties+" "+p.Type)
		}
	}
	for _, name := range users.Columns {
		if of(name) == nil {
			c.fail("columns", fmt.Sprintf("%s has no column %q; its %s", c.users, name, has), "correct postgres.users.columns")
		}
	}
	return nil
}
