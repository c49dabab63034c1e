package clickhouse

import (
	"context"
	"fmt"
	"time"
)

// schemaTimeout bounds one attempt at all of the DDL: on a cluster each statement waits for every replica.
const schemaTimeout = 5 * time.Minute

// prepare makes the schema what this version needs. Each step may be repeated after any failure.
func (s *session) prepare(ctx context.Context) error {
	for _, step := range []func(context.Context) error{s.createDatabase, s.migrate, s.applyTTL, s.verifySchema} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// createDatabase looks first, so that a user who may not create databases can work in one that was made for it.
func (s *session) createDatabase(ctx context.Context) error {
	exists, err := s.databaseExists(ctx)
	if err != nil || exists {
		return err
	}
	if err := s.conn.Exec(ctx, "CREATE DATABASE IF NOT EXISTS "+s.names.Database+s.names.OnCluster); err != nil {
		return fmt.Errorf("create database %s: %w", s.names.Database, err)
	}
	return nil
}

func (s *session) databaseExists(ctx context.Context) (bool, error) {
	var count uint64
	err := s.conn.QueryRow(ctx, "SELECT count() FROM system.databases WHERE name = {database:String}",
		parameters("database", s.options.Database)...).Scan(&count)
	return count > 0, err
}

// migrate applies what is missing and records each step after it is done.
func (s *session) migrate(ctx context.Context) error {
	list, err := s.names.migrations()
	if err != nil {
		return err
	}
	table := s.names.table(migrationsTable)
	if err := s.conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+table+s.names.OnCluster+
		" (version UInt32, name String, applied_at DateTime64(6, 'UTC') DEFAULT now64(6)) ENGINE = "+
		s.names.Engine("ReplacingMergeTree")+" ORDER BY version"); err != nil {
		return fmt.Errorf("create %s: %w", table, err)
	}
	applied, err := s.schemaVersion(ctx)
	if err != nil {
		return err
	}
	if newest := list[len(list)-1].version; applied > newest {
		return s.newer(applied, newest)
	}
	for _, m := range list {
		if m.version > applied {
			if err := s.apply(ctx, m); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *session) apply(ctx context.Context, m migration) error {
	for _, statement := range m.statements {
		if err := s.conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("migration %d (%s): %w", m.version, m.name, err)
		}
	}
	err := s.conn.Exec(ctx, "INSERT INTO "+s.names.table(migrationsTable)+" (version, name) SELECT {version:UInt32}, {name:String}",
		parameters("version", fmt.Sprint(m.version), "name", m.name)...)
	if err != nil {
		return fmt.Errorf("record migration %d: %w", m.version, err)
	}
	s.options.Logger.Info("clickhouse schema migrated", "version", m.version, "name", m.name)
	return nil
}

// schemaVersion is the highest migration applied, 0 if none is.
func (s *session) schemaVersion(ctx context.Context) (uint32, error) {
	var version uint32
	if err := s.conn.QueryRow(ctx, "SELECT max(version) FROM "+s.names.table(migrationsTable)).Scan(&version); err != nil {
		return 0, fmt.Errorf("read %s: %w", s.names.table(migrationsTable), err)
	}
	return version, nil
}

// newer refuses to write to tables that a later version has changed.
func (s *session) newer(applied, known uint32) error {
	return &Error{
		Kind:   Schema,
		Doing:  "prepare the schema",
		Repair: "run the version of muster that made it, or a later one",
		Err:    fmt.Errorf("the schema of database %s is version %d, this muster knows those up to %d", s.names.Database, applied, known),
	}
}
