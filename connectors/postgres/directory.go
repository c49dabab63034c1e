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
)

// ErrIdentifyOff is returned when users are to be changed and the configuration does not let the API do it.
var ErrIdentifyOff = errors.New("users cannot be changed through the API here: postgres.identify is false")

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
	computed bool   // generated, or an identity that is always computed
}

// shapeAge bounds how long an added column goes unnoticed by writers.
const shapeAge = 5 * time.Second

func (d *Directory) table() tableName { return d.users.table() }

// look returns the shape of the users table.
func (d *Directory) look(ctx context.Context, q queryer) (*shape, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shape != nil && time.Since(d.read) < shapeAge {
		return d.shape, nil
	}
	rows, err := q.Query(ctx, `SELECT attname, format_type(atttypid, atttypmod), attgenerated <> '' OR attidentity = 'a'
  FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`, d.table().quoted())
	if err != nil {
		return nil, fmt.Errorf("read the columns of %s: %w", d.table(), err)
	}
	s := &shape{columns: make(map[string]attribute)}
	var name string
	var a attribute
	if _, err := pgx.ForEachRow(rows, []any{&name, &a.kind, &a.computed}, func() error { s.columns[name] = a; return nil }); err != nil {
		return nil, fmt.Errorf("read the columns of %s: %w", d.table(), err)
	}
	if len(s.columns) == 0 {
		return nil, fmt.Errorf("the users table %s does not exist", d.table())
	}
	if document, ok := s.columns[d.users.Properties]; ok && d.users.Properties != "" {
		s.properties, s.document = true, document.kind
	}
	d.shape, d.read = s, time.Now()
	return s, nil
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
