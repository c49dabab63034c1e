package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one step of the control schema. Steps are never changed once released, and never take anything away that
// an older worker reads: workers of neighbouring versions share the schema during a roll-out.
type migration struct {
	version int
	name    string
	sql     string
}

// migrations returns the steps in order.
func migrations() ([]migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	steps := make([]migration, 0, len(names))
	for i, file := range names {
		number, name, _ := strings.Cut(strings.TrimSuffix(path.Base(file), ".sql"), "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("migration %s: want number %04d", file, i+1)
		}
		sql, err := migrationFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		steps = append(steps, migration{version, name, string(sql)})
	}
	return steps, nil
}

// migrate brings the control schema up to date, within tx, and returns the names of the steps it took. Workers that start
// at once wait for one another. Where nothing is to be done it needs no privilege but to read.
func migrate(ctx context.Context, tx pgx.Tx, schema string) ([]string, error) {
	steps, err := migrations()
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('muster.migrations ' || $1, 0))`, schema); err != nil {
		return nil, fmt.Errorf("wait for other migrations: %w", err)
	}
	at, err := schemaVersion(ctx, tx, schema)
	if err != nil || at >= len(steps) {
		return nil, err
	}
	if at < 0 {
		if err := createSchema(ctx, tx, schema); err != nil {
			return nil, err
		}
		at = 0
	}
	if _, err := tx.Exec(ctx, `SELECT set_config('search_path', $1, true)`, quote(schema)); err != nil {
		return nil, err
	}
	var taken []string
	for _, step := range steps[at:] {
		if _, err := tx.Exec(ctx, step.sql); err != nil {
			return nil, fmt.Errorf("migration %04d_%s of schema %q: %w", step.version, step.name, schema, err)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO schema_migrations (version, name) VALUES ($1, $2)`, step.version, step.name); err != nil {
			return nil, err
		}
		taken = append(taken, step.name)
	}
	_, err = tx.Exec(ctx, `SELECT set_config('search_path', 'pg_catalog', true)`)
	return taken, err
}

// schemaVersion returns the number of the last step taken, -1 when there is no control schema.
func schemaVersion(ctx context.Context, tx pgx.Tx, schema string) (int, error) {
	log := tableName{schema, "schema_migrations"}
	var exists bool
	if err := tx.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, log.quoted()).Scan(&exists); err != nil {
		return 0, fmt.Errorf("look for control schema %q: %w", schema, err)
	}
	if !exists {
		return -1, nil
	}
	var version int
	err := tx.QueryRow(ctx, `SELECT coalesce(max(version), 0) FROM `+log.quoted()).Scan(&version)
	if err != nil {
		return 0, fmt.Errorf("read the version of control schema %q: %w", schema, err)
	}
	return version, nil
}

func createSchema(ctx context.Context, tx pgx.Tx, schema string) error {
	var exists bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)`, schema).Scan(&exists); err != nil {
		return fmt.Errorf("look for schema %q: %w", schema, err)
	}
	if !exists {
		if _, err := tx.Exec(ctx, `CREATE SCHEMA `+quote(schema)); err != nil {
			return fmt.Errorf("create schema %q: %w", schema, err)
		}
	}
	_, err := tx.Exec(ctx, `CREATE TABLE `+quote(schema)+`.schema_migrations (
    version    integer     PRIMARY KEY,
    name       text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp())`)
	if err != nil {
		return fmt.Errorf("create the migrations table of schema %q: %w", schema, err)
	}
	return nil
}
