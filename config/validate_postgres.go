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
	if _, _, ok := splitTable(u.Table); !ok {
		v.wrong("postgres.users.table", `%q is no table name; write schema.table, and quote parts as in SQL: "My App".users`,
			u.Table)
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

// Name returns schema and table of Users.Table as they are stored: quoted parts unquoted, others in lower case, as SQL
// reads them, and public where no schema is given.
func (u Users) Name() (schema, table string) {
	schema, table, _ = splitTable(u.Table)
	return schema, table
}

// tablePart is one part of a qualified name: quoted, with quotes doubled inside, or bare as SQL takes it.
var tablePart = regexp.MustCompile(`^(?:"((?:[^"]|"")+)"|([\pL_][\pL\pN_$]*))(?:\.|$)`)

func splitTable(text string) (schema, table string, ok bool) {
	var parts []string
	for rest := text; ; {
		m := tablePart.FindStringSubmatch(rest)
		if m == nil || len(parts) == 2 {
			return "", "", false
		}
		part := strings.ReplaceAll(m[1], `""`, `"`)
		if m[1] == "" {
			part = lowerASCII(m[2])
		}
		if !validIdentifier(part) {
			return "", "", false
		}
		parts = append(parts, part)
		if rest = rest[len(m[0]):]; rest == "" {
			if strings.HasSuffix(m[0], ".") {
				return "", "", false
			}
			break
		}
	}
	if len(parts) == 1 {
		return "public", parts[0], true
	}
	return parts[0], parts[1], true
}

// lowerASCII folds as Postgres folds unquoted names in UTF-8: A to Z only.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
