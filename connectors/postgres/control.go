package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"muster/connectors/postgres/pgoutput"
	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Faults of writes to the control schema. They arrive wrapped with the particulars.
var (
	ErrUnknownAudience = errors.New("no such audience")
	ErrAudienceType    = errors.New("an audience's type never changes")
	ErrNotStatic       = errors.New("not a static audience")
	ErrConflict        = errors.New("somebody else committed a version meanwhile")
)

// Control reads and writes the control schema, for the API and the command line. Nothing it writes has an effect of its
// own: the worker acts when the row reaches it through the log. Every write answers with a token that travels with it, in
// the same transaction, so that a reader can wait until the worker has come that far; it is "" when nothing was written.
type Control struct {
	pool   *pgxpool.Pool
	schema string
}

// NewControl returns a Control of the given schema over a pool, which stays the caller's. The schema must have been made
// by Source.Prepare or Migrate.
func NewControl(pool *pgxpool.Pool, schema string) *Control {
	return &Control{pool: pool, schema: schema}
}

// Control returns a Control over the source's ordinary connections, usable until Close.
func (s *Source) Control() *Control { return NewControl(s.pool, s.options.Schema) }

// OpenControl returns a Control over connections of its own, to be closed.
func OpenControl(dsn, schema string, connections int32) (*Control, error) {
	config, err := poolConfig(dsn)
	if err != nil {
		return nil, err
	}
	config.MaxConns = connections
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("postgres.dsn: %w", hidePassword(err))
	}
	return NewControl(pool, schema), nil
}

// Close ends the connections that OpenControl made.
func (c *Control) Close() { c.pool.Close() }

// Reach returns a position in the log at or after every commit that was made by now.
func (c *Control) Reach(ctx context.Context) (event.LSN, error) {
	var at uint64
	err := c.pool.QueryRow(ctx, `SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint`).Scan(&at)
	if err != nil {
		return 0, fmt.Errorf("read the end of the log: %w", err)
	}
	return event.LSN(at), nil
}

// Migrate makes the control schema, or brings it up to date.
func (c *Control) Migrate(ctx context.Context) error {
	return pgx.BeginFunc(ctx, c.pool, func(tx pgx.Tx) error {
		_, err := migrate(ctx, tx, c.schema)
		return err
	})
}

func (c *Control) table(name string) string { return tableName{c.schema, name}.quoted() }

// lockPatience is how long a write waits for a lock that somebody else holds, each time. What asks for it over HTTP is told to
// ask again instead of hanging, and holds a connection no longer; so is whoever stands behind it.
const lockPatience = 5 * time.Second

var beginWrite = pgx.TxOptions{BeginQuery: fmt.Sprintf("BEGIN; SET LOCAL lock_timeout = %d", lockPatience.Milliseconds())}

// write runs work in a transaction that carries a token. When work reports that it changed nothing, nothing is committed.
// A lock that somebody else keeps is Postgres's error 55P03 (lock_not_available).
func (c *Control) write(ctx context.Context, work func(pgx.Tx) (changed bool, err error)) (token string, err error) {
	tx, err := c.pool.BeginTx(ctx, beginWrite)
	if err != nil {
		return "", err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // does nothing after a commit
	changed, err := work(tx)
	if err != nil || !changed {
		return "", err
	}
	token = rand.Text()
	if _, err := tx.Exec(ctx, `SELECT pg_logical_emit_message(true, $1, $2::text)`, pgoutput.TokenPrefix, token); err != nil {
		return "", fmt.Errorf("write the token: %w", err)
	}
	if err := tx.Commit(ctx); err != nil {
		return "", fmt.Errorf("commit: %w", err)
	}
	return token, nil
}

// lock makes commits of one environment follow one another, so that versions have no gaps and rules that span audiences
// hold.
func (c *Control) lock(ctx context.Context, tx pgx.Tx, environment string) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`, "muster.commits "+c.schema+" "+environment)
	return err
}

// Latest returns the latest version of each audience of the environment, archived ones included, by key.
func (c *Control) Latest(ctx context.Context, environment string) ([]event.Definition, error) {
	return latestDefinitions(ctx, c.pool, c.schema, environment)
}
