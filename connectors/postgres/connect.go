package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
)

const connectTimeout = 15 * time.Second

// settings are the session settings of every connection. The first group decides how values print, so it has to be the
// same for the snapshot and the stream; the others make names and strings mean one thing, and keep a role's timeouts or
// row security from cutting a snapshot short, or thinning it without a word.
var settings = map[string]string{
	"DateStyle": "ISO, MDY", "IntervalStyle": "iso_8601", "bytea_output": "hex", "TimeZone": "UTC",
	"extra_float_digits": "3", "lc_monetary": "C", "client_encoding": "UTF8",

	"search_path": "pg_catalog", "standard_conforming_strings": "on", "row_security": "off",
	"statement_timeout": "0", "lock_timeout": "0", "idle_in_transaction_session_timeout": "0",
}

func fix(params map[string]string) {
	for name, value := range settings {
		params[name] = value
	}
	if params["application_name"] == "" {
		params["application_name"] = "muster"
	}
}

// poolConfig is that of the ordinary connections: ticks, heartbeats, look-ups.
func poolConfig(dsn string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("postgres.dsn: %w", hidePassword(err))
	}
	fix(config.ConnConfig.RuntimeParams)
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.MaxConns = 3
	return config, nil
}

// replicationConn is a connection in replication mode with the reader that is between it and its socket.
type replicationConn struct {
	*pgconn.PgConn
	frames *frames
}

// connectReplication opens a connection on which slots can be made and streamed from. SQL works on it, too.
func (s *Source) connectReplication(ctx context.Context, extra map[string]string) (*replicationConn, error) {
	config, err := pgconn.ParseConfig(s.options.DSN)
	if err != nil {
		return nil, fmt.Errorf("postgres.dsn: %w", hidePassword(err))
	}
	fix(config.RuntimeParams)
	config.RuntimeParams["replication"] = "database"
	for name, value := range extra {
		config.RuntimeParams[name] = value
	}
	config.ConnectTimeout, config.DialFunc = connectTimeout, dialSocket
	conn := &replicationConn{}
	config.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		conn.frames = newFrames(r)
		return pgproto3.NewFrontend(conn.frames, w)
	}
	if conn.PgConn, err = pgconn.ConnectConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("connect for replication: %w", err)
	}
	return conn, nil
}

// close ends the connection; what hangs is not waited for.
func (c *replicationConn) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.Close(ctx) // nothing depends on it: the server notices either way
}

// rows runs one SQL statement by the simple protocol, the only one a replication connection has.
func (c *replicationConn) rows(ctx context.Context, sql string) ([][][]byte, error) {
	return simpleQuery(ctx, c.PgConn, sql)
}

// hidePassword cuts a parse error down to its reason: pgx redacts URLs, but what it cannot parse it cannot redact.
func hidePassword(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		if cause := parse.Unwrap(); cause != nil {
			return errors.New("cannot be parsed; want postgres://user:password@host:5432/database or key=value pairs")
		}
		return errors.New("cannot be parsed")
	}
	return err
}

func (s *Source) user() string { return s.pool.Config().ConnConfig.User }
