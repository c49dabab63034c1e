package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"muster/connectors/postgres/pgoutput"

	"github.com/jackc/pgx/v5/pgconn"
)

// Reasons for which the source refuses to go on, since no amount of waiting mends them. They arrive wrapped in a Refusal.
var (
	ErrSlotMissing      = errors.New("replication slot does not exist")
	ErrSlotLost         = errors.New("replication slot has lost its place in the log")
	ErrSlotForeign      = errors.New("replication slot is not one of Muster's")
	ErrSlotAdvanced     = errors.New("replication slot was moved ahead by somebody else")
	ErrNoFreeSlot       = errors.New("no free replication slot")
	ErrUsersMissing     = errors.New("users table does not exist")
	ErrUsersChanged     = errors.New("users table changed beyond what can be followed")
	ErrNotPublished     = errors.New("table is not in the publication")
	ErrOtherDatabase    = errors.New("this is another database")
	ErrTimeline         = errors.New("the server was promoted from a standby that lacked part of the log")
	ErrBehind           = errors.New("the server's log ends before what was read from it")
	ErrPermission       = errors.New("permission denied")
	ErrPrerequisite     = errors.New("the server is not set up for logical replication")
	ErrControlSchema    = errors.New("control schema is missing or too old")
	ErrUnreadableStream = errors.New("the server sent what is not in the protocol")
)

// Refusal is an error that ends the source: what happened and the command that mends it. errors.Is finds the reason.
type Refusal struct {
	Reason error  // one of the Err values of this package
	Detail string // what was found
	Repair string // the command or step that mends it
	Cause  error  // what the server said, or nil
}

// Error says what, where and what to do.
func (r *Refusal) Error() string {
	var b strings.Builder
	b.WriteString(r.Reason.Error())
	if r.Detail != "" {
		b.WriteString(": " + r.Detail)
	}
	if r.Cause != nil {
		b.WriteString(" (" + r.Cause.Error() + ")")
	}
	if r.Repair != "" {
		b.WriteString("; to mend it: " + r.Repair)
	}
	return b.String()
}

// Unwrap returns the reason and the cause.
func (r *Refusal) Unwrap() []error {
	if r.Cause == nil {
		return []error{r.Reason}
	}
	return []error{r.Reason, r.Cause}
}

// SQLSTATE codes that decide what happens next.
const (
	codeInsufficientPrivilege = "42501"
	codeInvalidPassword       = "28P01"
	codeInvalidAuthorization  = "28000"
	codeNoSuchDatabase        = "3D000"
	codeUndefinedObject       = "42704"
	codeUndefinedFile         = "58P01"
	codeUndefinedTable        = "42P01"
	codeNotInPrerequisite     = "55000"
	codeObjectInUse           = "55006"
	codeLockNotAvailable      = "55P03"
	codeConfigurationLimit    = "53400"
	codeDuplicateObject       = "42710"
)

func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// refuse turns an error into a Refusal when waiting would not help, and returns nil when trying again may.
func (s *Source) refuse(err error) *Refusal {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	if r := s.refuseShape(err); r != nil {
		return r
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return nil
	}
	slot, rebuild := s.options.Slot, s.recreate()
	switch {
	case pg.Code == codeInsufficientPrivilege:
		return &Refusal{ErrPermission, "", "ALTER ROLE " + quote(s.user()) + " REPLICATION; muster check names what else is missing", err}
	case pg.Code == codeInvalidPassword || pg.Code == codeInvalidAuthorization || pg.Code == codeNoSuchDatabase:
		return &Refusal{ErrPermission, "", "correct postgres.dsn (user, password, database) or pg_hba.conf", err}
	case pg.Code == codeUndefinedObject && strings.Contains(pg.Message, "publication"):
		return &Refusal{ErrNotPublished, fmt.Sprintf("publication %q did not exist when a change was made", s.options.Publication), rebuild, err}
	case pg.Code == codeUndefinedObject && strings.Contains(pg.Message, "replication slot"):
		return &Refusal{ErrSlotMissing, slot, "muster rebuild -c FILE, which makes a new one and publishes only what differs", err}
	case pg.Code == codeUndefinedFile:
		return &Refusal{ErrSlotLost, slot, rebuild, err}
	case pg.Code == codeNotInPrerequisite && strings.Contains(pg.Message, "wal_level"):
		return &Refusal{ErrPrerequisite, "", "ALTER SYSTEM SET wal_level = logical, then restart the server", err}
	case pg.Code == codeNotInPrerequisite:
		return &Refusal{ErrSlotLost, slot, rebuild, err}
	case pg.Code == codeConfigurationLimit:
		return &Refusal{ErrNoFreeSlot, "", "drop a slot that nobody uses (SELECT slot_name FROM pg_replication_slots WHERE NOT active), or ALTER SYSTEM SET max_replication_slots = 20 and restart the server", err}
	}
	return nil
}

// passes reports whether err is of a connection, or of a server that is away, starting, stopping or at its limits: the same
// again may succeed.
func passes(err error) bool {
	var refusal *Refusal
	if errors.As(err, &refusal) {
		return false
	}
	if code := sqlState(err); code != "" {
		switch code[:2] {
		case "08", "53", "57": // connection, resources, intervention
			return true
		}
		return code == codeObjectInUse || code == codeLockNotAvailable
	}
	var network net.Error
	var connecting *pgconn.ConnectError
	return errors.As(err, &network) || errors.As(err, &connecting) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, errRecovering) || pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed")
}

// refuseShape turns what the decoder found impossible into a Refusal.
func (s *Source) refuseShape(err error) *Refusal {
	users := s.options.Users
	switch {
	case errors.Is(err, pgoutput.ErrIdentity):
		return &Refusal{ErrUsersChanged, "", fmt.Sprintf("ALTER TABLE %s REPLICA IDENTITY FULL (or make %s the primary key), then muster rebuild -c FILE",
			users.table().quoted(), quote(users.ID)), err}
	case errors.Is(err, pgoutput.ErrUsersMoved), errors.Is(err, pgoutput.ErrNoID), errors.Is(err, pgoutput.ErrIDRetyped):
		return &Refusal{ErrUsersChanged, "", "give table and column their names and type back, or correct postgres.users and run muster rebuild -c FILE", err}
	case errors.Is(err, pgoutput.ErrMalformed):
		return &Refusal{ErrUnreadableStream, "", "check that the server is Postgres 14 or later, and report this", err}
	}
	return nil
}

// recreate is the repair of a slot that cannot be streamed from any more.
func (s *Source) recreate() string {
	return fmt.Sprintf("SELECT pg_drop_replication_slot(%s), then muster rebuild -c FILE, which publishes only what differs", literal(s.options.Slot))
}

// interrupted reports whether err only says that ctx has ended.
func interrupted(ctx context.Context, err error) bool { return err != nil && ctx.Err() != nil }
