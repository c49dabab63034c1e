package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// CheckStatus is the outcome of one check.
type CheckStatus string

const (
	CheckOK   CheckStatus = "ok"
	CheckWarn CheckStatus = "warn"
	CheckFail CheckStatus = "fail"
)

// CheckResult is what one prerequisite looks like, and the command that mends it.
type CheckResult struct {
	Name   string
	Status CheckStatus
	Detail string
	Repair string // SQL or a step; "" when there is nothing to mend
}

// Check looks at everything a source needs, changing nothing, and reports all of it: one fault does not hide the next.
func Check(ctx context.Context, options Options) []CheckResult {
	c := &checker{}
	options, err := options.withDefaults()
	if err != nil {
		return c.fail("configuration", err.Error(), "correct the section postgres of the configuration")
	}
	config, err := pgx.ParseConfig(options.DSN)
	if err != nil {
		return c.fail("configuration", hidePassword(err).Error(), "correct postgres.dsn")
	}
	fix(config.RuntimeParams)
	config.ConnectTimeout = connectTimeout
	c.options, c.users = options, options.Users.table()
	if c.conn, err = pgx.ConnectConfig(ctx, config); err != nil {
		return c.unreachable(config, err)
	}
	defer func() { _ = c.conn.Close(context.WithoutCancel(ctx)) }()
	c.ok("connection", fmt.Sprintf("%s:%d, database %q, role %q", config.Host, config.Port, config.Database, config.User))

	for _, step := range []func(context.Context) error{c.load, c.server, c.replication, c.capacity, c.table, c.identity, c.columns, c.controlSchema, c.publication, c.slot} {
		if err := step(ctx); err != nil {
			return c.fail("catalog", "cannot be read: "+err.Error(), "")
		}
	}
	return c.results
}

// checker gathers results over one connection.
type checker struct {
	options Options
	users   tableName
	conn    *pgx.Conn
	results []CheckResult
	facts   facts
}

// facts are what several checks ask about.
type facts struct {
	Version      int
	Standby      bool
	Role         string
	Database     string
	Super        bool
	Replication  bool
	CreateInDB   bool
	TableOID     uint32 // 0: absent
	TableKind    string
	Owner        string
	OwnsTable    bool
	SlotExists   bool
	Publication  bool // exists
	ControlState int  // -1 absent, else its version
}

// load asks for the facts.
func (c *checker) load(ctx context.Context) error {
	f := &c.facts
	err := c.conn.QueryRow(ctx, `
SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), current_user::text, current_database()::text,
       r.rolsuper, r.rolreplication, has_database_privilege(current_database(), 'CREATE'),
       coalesce(t.oid, 0), coalesce(t.relkind::text, ''), coalesce(pg_get_userbyid(t.relowner)::text, ''),
       coalesce(pg_has_role(t.relowner, 'USAGE'), false),
       EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $2),
       EXISTS (SELECT FROM pg_publication WHERE pubname = $3)
  FROM pg_roles r LEFT JOIN pg_class t ON t.oid = to_regclass($1)
 WHERE r.rolname = current_user`, c.users.quoted(), c.options.Slot, c.options.Publication).Scan(
		&f.Version, &f.Standby, &f.Role, &f.Database, &f.Super, &f.Replication, &f.CreateInDB,
		&f.TableOID, &f.TableKind, &f.Owner, &f.OwnsTable, &f.SlotExists, &f.Publication)
	if err != nil {
		return err
	}
	denied := false
	err = pgx.BeginTxFunc(ctx, c.conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var err error
		f.ControlState, err = schemaVersion(ctx, tx, c.options.Schema)
		if sqlState(err) == codeInsufficientPrivilege {
			f.ControlState, denied = 0, true // reported by the check of the control schema
		}
		return err
	})
	if denied {
		return nil
	}
	return err
}

func (c *checker) add(status CheckStatus, name, detail, repair string) []CheckResult {
	c.results = append(c.results, CheckResult{name, status, detail, repair})
	return c.results
}

func (c *checker) ok(name, detail string)           { c.add(CheckOK, name, detail, "") }
func (c *checker) warn(name, detail, repair string) { c.add(CheckWarn, name, detail, repair) }
func (c *checker) fail(name, detail, repair string) []CheckResult {
	return c.add(CheckFail, name, detail, repair)
}

// unreachable reports why there is no connection. The error of the driver names host and user, never the password.
func (c *checker) unreachable(config *pgx.ConnConfig, err error) []CheckResult {
	repair := fmt.Sprintf("start the server, or correct host and port in postgres.dsn (%s:%d)", config.Host, config.Port)
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case codeNoSuchDatabase:
			repair = "CREATE DATABASE " + quote(config.Database) + ", or correct the database in postgres.dsn"
		case codeInvalidPassword:
			repair = "correct the password in postgres.dsn, or ALTER ROLE " + quote(config.User) + " PASSWORD '...'"
		case codeInvalidAuthorization:
			repair = "CREATE ROLE " + quote(config.User) + " LOGIN REPLICATION PASSWORD '...', and let it in by pg_hba.conf"
		default:
			repair = "see the server's log"
		}
	}
	return c.fail("connection", strings.ReplaceAll(err.Error(), "\n", " "), repair)
}
