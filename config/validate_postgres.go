package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// slotForm is what Postgres itself takes as the name of a replication slot.
var slotForm = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)

func (v *validator) postgres(c Postgres) {
	if c.DSN.Empty() {
		v.wrong("postgres.dsn", "is required: set it here, in MUSTER_POSTGRES_DSN, or name a file that holds it in dsn_file")
	}
	if !slotForm.MatchString(c.Slot) {
		v.wrong("postgres.slot", "%q is no slot name: 1 to 63 lower-case letters, digits and _", c.Slot)
	}
	v.identifier("postgres.publication", c.Publication)
	v.identifier("postgres.schema", c.Schema)
	if strings.HasPrefix(c.Schema, "pg_") {
		v.wrong("postgres.schema", "%q is reserved by Postgres: names that begin with pg_ are", c.Schema)
	}
	within(v, "postgres.heartbeat", c.Heartbeat, time.Second, time.Hour, showDuration)
	v.users(c.Users)
}

func (v *validator) users(u Users) {
	if schema, table := u.Name(); !validIdentifier(schema) || !validIdentifier(table) || strings.Contains(table, ".") {
		v.wrong("postgres.users.table", "%q is no table name; write schema.table", u.Table)
	} else if strings.Contains(u.Table, `"`) {
		v.wrong("postgres.users.table", "%s has quotes; write the names as they are stored, without", u.Table)
	}
	v.identifier("postgres.users.id", u.ID)
	if u.Properties != "" {
		v.identifier("postgres.users.properties", u.Properties)
	}
	if u.Properties == u.ID {
		v.wrong("postgres.users.id", "%q is the properties column, too; name another", u.ID)
	}
	for i, column := range u.Columns {
		key := "postgres.users.columns[" + strconv.Itoa(i) + "]"
		v.identifier(key, column)
		if slices.Index(u.Columns, column) < i {
			v.wrong(key, "%q is listed twice", column)
		}
	}
}

// identifier checks the name of a column, a schema or a publication, as it is stored: unquoted, case and all.
func (v *validator) identifier(key, name string) {
	if !validIdentifier(name) {
		v.wrong(key, "%q is no identifier: 1 to 63 bytes of text", name)
	}
}

func validIdentifier(name string) bool {
	return name != "" && len(name) <= 63 && utf8.ValidString(name) && !strings.ContainsRune(name, 0)
}

// Name returns the schema and the table of Users.Table; the schema is public where none is given.
func (u Users) Name() (schema, table string) {
	schema, table, qualified := strings.Cut(u.Table, ".")
	if !qualified {
		return "public", u.Table
	}
	return schema, table
}
