package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Kind names what went wrong, in errors and as a label of metrics.
type Kind string

const (
	// Terminal: repeating the request cannot help.
	Authentication Kind = "authentication" // the server does not know the user, or not from here
	Privilege      Kind = "privilege"      // the user may not do this
	Schema         Kind = "schema"         // the tables are not those this version writes to

	// Transient: the request is repeated until it succeeds.
	Connection Kind = "connection" // nothing was answered: refused, cut, or the name is unknown
	Timeout    Kind = "timeout"    // nothing was answered in time
	Busy       Kind = "busy"       // the server asks for less: too many parts, too many queries, memory, disk space
	Server     Kind = "server"     // any other answer
)

func (k Kind) terminal() bool { return k == Authentication || k == Privilege || k == Schema }

// Error is a terminal failure: the sink has given up, and someone must do what Repair says. Any other error that this
// package returns is that of a context that ended.
type Error struct {
	Kind   Kind
	Doing  string // what was being done
	Repair string // what to do about it
	Err    error
}

// Error says what, where and what to do.
func (e *Error) Error() string {
	return fmt.Sprintf("clickhouse: %s: %v; to repair: %s", e.Doing, e.Err, e.Repair)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// columnError is a value that the column of the table does not take. It is found before anything is sent.
type columnError struct {
	column string
	err    error
}

func (e *columnError) Error() string { return fmt.Sprintf("column %s: %v", e.column, e.err) }
func (e *columnError) Unwrap() error { return e.err }

// kindOf sorts an error of the driver. What is not known is transient: a wrong retry shows in the metrics and in the log,
// while a wrong stop is an outage.
func kindOf(err error) Kind {
	var (
		column    *columnError
		exception *clickhouse.Exception
		network   net.Error
	)
	switch {
	case errors.As(err, &column):
		return Schema
	case errors.As(err, &exception):
		return kindOfCode(exception.Code)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded),
		errors.As(err, &network) && network.Timeout():
		return Timeout
	}
	return Connection
}

// kindOfCode sorts the server's error codes (src/Common/ErrorCodes.cpp of ClickHouse).
func kindOfCode(code int32) Kind {
	switch code {
	case 192, 193, 194, 195, 516: // UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, IP_ADDRESS_NOT_ALLOWED, AUTHENTICATION_FAILED
		return Authentication
	case 164, 452, 497: // READONLY, SETTING_CONSTRAINT_VIOLATION, ACCESS_DENIED
		return Privilege
	case 8, 10, 16, 20, 47, 53, 60, 62, 80, 81, 115, 122, 170, 344, 701:
		// THERE_IS_NO_COLUMN, NOT_FOUND_COLUMN_IN_BLOCK, NO_SUCH_COLUMN_IN_TABLE, NUMBER_OF_COLUMNS_DOESNT_MATCH,
		// UNKNOWN_IDENTIFIER, TYPE_MISMATCH, UNKNOWN_TABLE, SYNTAX_ERROR, INCORRECT_QUERY, UNKNOWN_DATABASE, UNKNOWN_SETTING,
		// INCOMPATIBLE_COLUMNS, BAD_GET, SUPPORT_IS_DISABLED, CLUSTER_DOESNT_EXIST
		return Schema
	case 159, 209: // TIMEOUT_EXCEEDED, SOCKET_TIMEOUT
		return Timeout
	case 201, 202, 241, 243, 252, 439: // QUOTA_EXCEEDED, TOO_MANY_SIMULTANEOUS_QUERIES, MEMORY_LIMIT_EXCEEDED, NOT_ENOUGH_SPACE, TOO_MANY_PARTS, CANNOT_SCHEDULE_TASK
		return Busy
	}
	return Server
}

// terminal returns err as an *Error if repeating cannot help, else nil.
func (s *session) terminal(doing string, err error) error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	kind := kindOf(err)
	if !kind.terminal() {
		return nil
	}
	return &Error{Kind: kind, Doing: doing, Repair: s.repair(kind), Err: err}
}

func (s *session) repair(kind Kind) string {
	switch kind {
	case Authentication:
		return fmt.Sprintf("check clickhouse.username (%s) and clickhouse.password, and the networks its user may come from", s.options.Username)
	case Privilege:
		return s.grant()
	}
	return "run `muster check`; the tables are made and upgraded when the worker starts, so restart it unless someone changed them by hand"
}

// grant is the statement that gives the user all the worker needs.
func (s *session) grant() string {
	return fmt.Sprintf("GRANT%s CREATE DATABASE, CREATE TABLE, CREATE VIEW, ALTER TABLE, INSERT, SELECT ON %s.* TO %s",
		s.names.OnCluster, s.names.Database, quote(s.options.Username))
}
