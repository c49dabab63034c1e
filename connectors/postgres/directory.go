package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var (
	// ErrIdentifyOff is returned when users are to be changed and the configuration does not let the API do it.
	ErrIdentifyOff = errors.New("users cannot be changed through the API here: postgres.identify is false")
	// ErrUsersReadOnly is returned when users are to be changed and the database does not let the worker's role do it.
	ErrUsersReadOnly = errors.New("users cannot be changed through the API here")
)

// Directory writes users and static members for the API: users into the users table, where that is allowed, and members
// into the control schema. Like everything that Control writes, it has its effect when the worker reads it from the log.
type Directory struct {
	*Control
	environment string
	users       Users
	identify    bool
	queued      chan struct{} // a bulk operation waits

	mu    sync.Mutex
	shape *shape
	read  time.Time
}

// NewDirectory returns a directory of one environment over a Control and the users table described.
func NewDirectory(c *Control, environment string, users Users, identify bool) *Directory {
	return &Directory{Control: c, environment: environment, users: users, identify: identify, queued: make(chan struct{}, 1)}
}

// shape is what the users table can hold.
type shape struct {
	columns    map[string]attribute
	properties bool   // there is a document of properties
	document   string // its type, json or jsonb
}

type attribute struct {
	kind     string // as Postgres names the type
	textual  bool   // any text is a value of it, and is kept as it is
	computed bool   // generated, or an identity that is always computed
}

// shapeAge bounds how long an added column goes unnoticed by writers.
const shapeAge = 5 * time.Second

func (d *Directory) table() tableName { return d.users.table() }

// look returns the shape of the users table.
func (d *Directory) look(ctx context.Context, q queryer) (*shape, error) {
	if s := d.known(); s != nil {
		return s, nil
	}
	rows, err := q.Query(ctx, `SELECT attname, format_type(atttypid, atttypmod), atttypid IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype), attgenerated <> '' OR attidentity = 'a'
  FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`, d.table().quoted())
	if err != nil {
		return nil, fmt.Errorf("read the columns of %s: %w", d.table(), err)
	}
	s := &shape{columns: make(map[string]attribute)}
	var name string
	var a attribute
	if _, err := pgx.ForEachRow(rows, []any{&name, &a.kind, &a.textual, &a.computed}, func() error { s.columns[name] = a; return nil }); err != nil {
		return nil, fmt.Errorf("read the columns of %s: %w", d.table(), err)
	}
	if len(s.columns) == 0 {
		return nil, fmt.Errorf("the users table %s does not exist", d.table())
	}
	if document, ok := s.columns[d.users.Properties]; ok && d.users.Properties != "" {
		s.properties, s.document = true, document.kind
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shape, d.read = s, time.Now()
	return s, nil
}

// known returns the shape that was read last, nil when that is too long ago. The lock is never held while the database is
// asked: whoever waits for a connection would hold up those who have one.
func (d *Directory) known() *shape {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.read) < shapeAge {
		return d.shape
	}
	return nil
}

// Fields names the columns of the users table that the API may write, its id first, and says whether a user may have
// properties beside them.
func (d *Directory) Fields(ctx context.Context) (fields []event.UserField, open bool, err error) {
	s, err := d.look(ctx, d.pool)
	if err != nil {
		return nil, false, err
	}
	fields = append(fields, event.UserField{Name: "id", Type: s.columns[d.users.ID].kind})
	for _, name := range slices.Sorted(maps.Keys(s.columns)) {
		if a := s.columns[name]; !a.computed && name != d.users.ID && (name != d.users.Properties || !s.properties) {
			fields = append(fields, event.UserField{Name: name, Type: a.kind})
		}
	}
	return fields, s.properties, nil
}

// place splits the properties of a user into those of columns and those of the document.
func (d *Directory) place(s *shape, u event.Identify) (columns, document []string, faults event.DataFaults) {
	for _, name := range slices.Sorted(maps.Keys(u.Properties)) {
		a, isColumn := s.columns[name]
		switch {
		case name == d.users.ID || strings.HasPrefix(name, "__"):
		case isColumn && name == d.users.Properties:
			faults = append(faults, event.DataFault{Field: name, Message: "it is the document of properties; give the properties themselves"})
		case isColumn && a.computed:
			faults = append(faults, event.DataFault{Field: name, Message: "the database computes this column"})
		case isColumn:
			columns = append(columns, name)
		case !s.properties:
			faults = append(faults, event.DataFault{Field: name, Message: fmt.Sprintf("%s has no such column, and no document of properties to put it in", d.table())})
		default:
			document = append(document, name)
		}
	}
	return columns, document, faults
}

// maxAttempts bounds how often a transaction is tried.
const maxAttempts = 5

// write is Control's, tried again when nothing was wrong but the moment: two batches that lock the same rows in different
// orders, or a column that was dropped since the table was looked at. work begins anew each time.
func (d *Directory) write(ctx context.Context, work func(pgx.Tx) (changed bool, err error)) (token string, err error) {
	for attempt := 1; ; attempt++ {
		token, err = d.Control.write(ctx, work)
		var refused *pgconn.PgError
		if !errors.As(err, &refused) || attempt == maxAttempts {
			return token, err
		}
		switch refused.Code {
		case "40P01", "40001": // deadlock_detected, serialization_failure
		case "42703": // undefined_column
			d.mu.Lock()
			d.shape = nil
			d.mu.Unlock()
		default:
			return token, err
		}
	}
}

// readOnly makes ErrUsersReadOnly of what an administrator has to mend: no right to the table, or an id that no unique
// index covers, so that nothing can be upserted by it.
func (d *Directory) readOnly(err error) error {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return err
	}
	switch refused.Code {
	case "42501": // insufficient_privilege
		return fmt.Errorf("%w: %s; GRANT INSERT, UPDATE, DELETE ON %s to the worker's role", ErrUsersReadOnly, refused.Message, d.table().quoted())
	case "42P10": // invalid_column_reference, of ON CONFLICT
		return fmt.Errorf("%w: %s has no unique index on %s alone", ErrUsersReadOnly, d.table(), quote(d.users.ID))
	case "25006": // read_only_sql_transaction
		return fmt.Errorf("%w: %s", ErrUsersReadOnly, refused.Message)
	}
	return err
}
