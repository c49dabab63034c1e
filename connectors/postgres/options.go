package postgres

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"
)

// Options of a Source. What is empty is set to the value that Options.withDefaults gives.
type Options struct {
	DSN         string // postgres:// URL or key=value; a role with REPLICATION
	Slot        string // default muster
	Publication string // default muster
	Users       Users
	Schema      string        // the control schema, default muster
	Create      bool          // make slot, publication and control schema when they are absent
	Environment string        // whose definitions and static members are read, default development
	Heartbeat   time.Duration // longest silence of the log before one is written; 0 is 10 s, negative is never
	Logger      *slog.Logger  // default discards
}

// Users says which table holds the users.
type Users struct {
	Table      string   // schema.table, default public.users
	ID         string   // column, default id
	Properties string   // json or jsonb column whose keys are properties; "" is none
	Columns    []string // that conditions may see, beside ID and Properties; empty: all
}

var slotName = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)

func (o Options) withDefaults() (Options, error) {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&o.Slot, "muster")
	set(&o.Publication, "muster")
	set(&o.Schema, "muster")
	set(&o.Environment, "development")
	set(&o.Users.Table, "public.users")
	set(&o.Users.ID, "id")
	if o.Heartbeat == 0 {
		o.Heartbeat = 10 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var faults []error
	if o.DSN == "" {
		faults = append(faults, errors.New("postgres.dsn is empty"))
	}
	if !slotName.MatchString(o.Slot) {
		faults = append(faults, fmt.Errorf("postgres.slot %q: a slot's name is 1 to 63 of a-z, 0-9 and _", o.Slot))
	}
	if t := o.Users.table(); t.schema == "" || t.name == "" {
		faults = append(faults, fmt.Errorf("postgres.users.table %q: want schema.table", o.Users.Table))
	}
	return o, errors.Join(faults...)
}

// table splits the configured name; without a schema it is public's.
func (u Users) table() tableName {
	schema, name, found := strings.Cut(u.Table, ".")
	if !found {
		return tableName{"public", u.Table}
	}
	return tableName{schema, name}
}

// tableName names a table.
type tableName struct{ schema, name string }

func (t tableName) String() string { return t.schema + "." + t.name }
func (t tableName) quoted() string { return quote(t.schema) + "." + quote(t.name) }

// quote makes an identifier of name.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// literal makes a string constant of text. Backslashes are plain with standard_conforming_strings, which is fixed.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
