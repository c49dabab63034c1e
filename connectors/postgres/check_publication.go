package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// controlSchema checks the control schema or that it can be made.
func (c *checker) controlSchema(ctx context.Context) error {
	const name = "control schema"
	steps, err := migrations()
	if err != nil {
		return err
	}
	f, schema := &c.facts, c.options.Schema
	switch {
	case f.ControlState >= len(steps):
		return c.controlPrivileges(ctx, name)
	case !c.options.Create:
		c.fail(name, fmt.Sprintf("schema %q is at version %d, this worker needs %d", schema, max(f.ControlState, 0), len(steps)), "set postgres.create to true")
		return nil
	}
	var exists, may bool
	err = c.conn.QueryRow(ctx, `
SELECT count(*) > 0, coalesce(bool_or(has_schema_privilege(oid, 'CREATE')), false) FROM pg_namespace WHERE nspname = $1`, schema).Scan(&exists, &may)
	switch {
	case err != nil:
		return err
	case !exists && !f.CreateInDB:
		c.fail(name, fmt.Sprintf("role %q may not create schema %q", f.Role, schema), "GRANT CREATE ON DATABASE "+quote(f.Database)+" TO "+quote(f.Role))
	case exists && !may:
		c.fail(name, fmt.Sprintf("role %q may not create tables in schema %q", f.Role, schema), "GRANT ALL ON SCHEMA "+quote(schema)+" TO "+quote(f.Role))
	default:
		c.ok(name, fmt.Sprintf("will be made: %q", schema))
	}
	return nil
}

func (c *checker) controlPrivileges(ctx context.Context, name string) error {
	var may bool
	err := c.conn.QueryRow(ctx, `
SELECT has_schema_privilege($1, 'USAGE') AND coalesce(bool_and(has_table_privilege(oid, 'SELECT') AND has_table_privilege(oid, 'INSERT')), false)
  FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1) AND relname IN ('commits', 'members', 'audiences', 'drafts')`, c.options.Schema).Scan(&may)
	if err != nil {
		return err
	}
	if !may {
		role, schema := quote(c.facts.Role), quote(c.options.Schema)
		c.fail(name, fmt.Sprintf("role %q may not use schema %q", c.facts.Role, c.options.Schema),
			fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO %s; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %[1]s TO %[2]s", schema, role))
		return nil
	}
	c.ok(name, fmt.Sprintf("%q at version %d", c.options.Schema, c.facts.ControlState))
	return nil
}

// publication checks that the publication carries what the worker follows, or that it can be made.
func (c *checker) publication(ctx context.Context) error {
	const name = "publication"
	f := &c.facts
	tables := []string{c.users.quoted(), tableName{c.options.Schema, "commits"}.quoted(), tableName{c.options.Schema, "members"}.quoted()}
	create := fmt.Sprintf("CREATE PUBLICATION %s FOR TABLE %s WITH (publish_via_partition_root = true)", quote(c.options.Publication), strings.Join(tables, ", "))
	switch {
	case f.TableOID == 0:
		return nil
	case !f.Publication && !c.options.Create:
		c.fail(name, fmt.Sprintf("%q does not exist", c.options.Publication), create+"; or set postgres.create to true")
		return nil
	case !f.Publication && !f.Super && !f.OwnsTable:
		c.fail(name, fmt.Sprintf("%q does not exist, and to make it role %q would have to own %s", c.options.Publication, f.Role, c.users),
			"as role "+quote(f.Owner)+" or a superuser: "+create+"; or GRANT "+quote(f.Owner)+" TO "+quote(f.Role))
		return nil
	case !f.Publication && !f.CreateInDB:
		c.fail(name, fmt.Sprintf("role %q may not create a publication", f.Role), "GRANT CREATE ON DATABASE "+quote(f.Database)+" TO "+quote(f.Role))
		return nil
	case !f.Publication:
		c.ok(name, fmt.Sprintf("will be made: %q", c.options.Publication))
		return nil
	}
	return c.existingPublication(ctx, name)
}

func (c *checker) existingPublication(ctx context.Context, name string) error {
	found, err := (&Source{options: c.options}).inspect(ctx, connQuerier{c.conn})
	if err != nil {
		return err
	}
	var inserts, updates, deletes, truncates bool
	err = c.conn.QueryRow(ctx, `SELECT pubinsert, pubupdate, pubdelete, pubtruncate FROM pg_publication WHERE pubname = $1`,
		c.options.Publication).Scan(&inserts, &updates, &deletes, &truncates)
	if err != nil {
		return err
	}
	publication := quote(c.options.Publication)
	switch {
	case len(found.unpublished) > 0 && c.facts.ControlState >= 0 && !c.options.Create:
		c.fail(name, fmt.Sprintf("%q lacks %s", c.options.Publication, strings.Join(found.unpublished, ", ")), found.publish(c.options.Publication))
	case slices.Contains(found.unpublished, c.users.quoted()) && c.facts.TableKind == "p" && !found.viaRoot:
		c.fail(name, fmt.Sprintf("%q publishes the partitions of %s one by one", c.options.Publication, c.users), found.publish(c.options.Publication))
	case !inserts || !updates || !deletes || !truncates:
		c.fail(name, fmt.Sprintf("%q leaves some kinds of change out", c.options.Publication), "ALTER PUBLICATION "+publication+" SET (publish = 'insert, update, delete, truncate')")
	case len(found.unpublished) > 0:
		c.ok(name, fmt.Sprintf("%q will get %s", c.options.Publication, strings.Join(found.unpublished, ", ")))
	default:
		c.ok(name, fmt.Sprintf("%q", c.options.Publication))
	}
	return c.publicationLimits(ctx)
}

// publicationLimits reports a column list and a row filter: both are followed, and an operator should know.
func (c *checker) publicationLimits(ctx context.Context) error {
	if c.facts.Version < 150000 {
		return nil
	}
	var columns []string
	var filter string
	err := c.conn.QueryRow(ctx, `SELECT coalesce(attnames::text[], '{}'), coalesce(rowfilter, '') FROM pg_publication_tables
 WHERE pubname = $1 AND schemaname = $2 AND tablename = $3`, c.options.Publication, c.users.schema, c.users.name).Scan(&columns, &filter)
	if err == pgx.ErrNoRows {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range append([]string{c.options.Users.ID}, c.options.Users.Columns...) {
		if !slices.Contains(columns, name) {
			c.fail("published columns", fmt.Sprintf("the publication's column list leaves %q out", name),
				fmt.Sprintf("ALTER PUBLICATION %s DROP TABLE %s; ALTER PUBLICATION %[1]s ADD TABLE %[2]s", quote(c.options.Publication), c.users.quoted()))
		}
	}
	if filter != "" {
		c.warn("row filter", "users outside of it do not exist for Muster: "+filter, "nothing, if that is meant")
	}
	return nil
}

// slot checks the slot if it exists.
func (c *checker) slot(ctx context.Context) error {
	const name = "slot"
	found, err := (&Source{options: c.options}).inspect(ctx, connQuerier{c.conn})
	if err != nil {
		return err
	}
	slot, title := found.slot, fmt.Sprintf("%q", c.options.Slot)
	drop := "SELECT pg_drop_replication_slot(" + literal(c.options.Slot) + ")"
	switch {
	case !slot.Exists && c.options.Create:
		c.ok(name, "will be made: "+title)
	case !slot.Exists:
		c.fail(name, title+" does not exist", fmt.Sprintf("SELECT pg_create_logical_replication_slot(%s, 'pgoutput'); or set postgres.create to true", literal(c.options.Slot)))
	case slot.Plugin != "pgoutput" || slot.Database != c.facts.Database || slot.Temporary:
		c.fail(name, fmt.Sprintf("%s has plugin %q and belongs to database %q", title, slot.Plugin, slot.Database), "set postgres.slot to a name of its own, or "+drop)
	case slot.WALStatus == "lost":
		c.fail(name, title+" is lost: the server has removed log that it needed", drop+"; then muster rebuild -c FILE")
	case slot.ActivePID != 0:
		c.warn(name, fmt.Sprintf("%s is in use by process %d; a second worker waits until it is free", title, slot.ActivePID),
			fmt.Sprintf("if that is not your running worker: SELECT pg_terminate_backend(%d)", slot.ActivePID))
	case slot.WALStatus == "unreserved":
		c.warn(name, fmt.Sprintf("%s holds %d bytes of log, more than max_slot_wal_keep_size; it is lost soon", title, slot.RetainedBytes), "start the worker, or ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT pg_reload_conf()")
	default:
		c.ok(name, fmt.Sprintf("%s at %s, holding %d bytes of log", title, slot.ConfirmedFlush, slot.RetainedBytes))
	}
	return nil
}
