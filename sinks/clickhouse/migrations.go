package clickhouse

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

const (
	eventsTable      = "membership_events"
	membershipsTable = "memberships"
	definitionsTable = "audience_versions"
	migrationsTable  = "schema_migrations"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one numbered step of the schema. A released one never changes: what it made is changed by a later one. Each
// of its statements may be repeated and may run beside itself (IF NOT EXISTS, OR REPLACE), since ClickHouse has no
// transactions over DDL and two workers may start at once.
type migration struct {
	version    uint32
	name       string
	statements []string
}

// migrations renders the embedded files, in ascending order.
func (n names) migrations() ([]migration, error) {
	paths, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	list := make([]migration, 0, len(paths))
	for _, path := range paths {
		m, err := n.migration(path)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", path, err)
		}
		list = append(list, m)
	}
	return list, nil
}

func (n names) migration(path string) (migration, error) {
	base := strings.TrimSuffix(path[strings.LastIndexByte(path, '/')+1:], ".sql")
	number, name, _ := strings.Cut(base, "_")
	version, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		return migration{}, err
	}
	parsed, err := template.ParseFS(migrationFiles, path)
	if err != nil {
		return migration{}, err
	}
	var sql strings.Builder
	if err := parsed.Execute(&sql, n); err != nil {
		return migration{}, err
	}
	return migration{uint32(version), name, statements(sql.String())}, nil
}

// statements splits a file at each semicolon that ends a line.
func statements(sql string) []string {
	var list []string
	for _, statement := range strings.Split(sql, ";\n") {
		if statement = strings.TrimSpace(statement); statement != "" {
			list = append(list, statement)
		}
	}
	return list
}
