package clickhouse

import (
	"context"
	"errors"
	"fmt"
)

// verifySchema compares the tables with the columns that are written to. Columns that someone added are none of our
// concern as long as they have a default.
func (s *session) verifySchema(ctx context.Context) error {
	var faults []error
	for table, r := range map[string]rows{
		eventsTable:      new(eventRows),
		membershipsTable: new(membershipRows),
		definitionsTable: new(definitionRows),
	} {
		actual, err := s.tableColumns(ctx, table)
		if err != nil {
			return err
		}
		for _, column := range r.columns() {
			switch kind, ok := actual[column.name]; {
			case !ok:
				faults = append(faults, fmt.Errorf("%s has no column %s %s", s.names.table(table), column.name, column.kind))
			case kind != column.kind:
				faults = append(faults, fmt.Errorf("%s.%s is %s, not %s", s.names.table(table), column.name, kind, column.kind))
			}
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return &Error{
		Kind:  Schema,
		Doing: "verify the schema",
		Repair: "put the columns back as they were (ALTER TABLE ... ADD or MODIFY COLUMN), or give clickhouse.database a new name " +
			"and `muster rebuild`",
		Err: errors.Join(faults...),
	}
}

// tableColumns returns the type of each column by name; none when there is no such table.
func (s *session) tableColumns(ctx context.Context, table string) (map[string]string, error) {
	found, err := s.conn.Query(ctx, "SELECT name, type FROM system.columns WHERE database = {database:String} AND table = {table:String}",
		parameters("database", s.options.Database, "table", table)...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	columns := map[string]string{}
	for found.Next() {
		var name, kind string
		if err := found.Scan(&name, &kind); err != nil {
			return nil, err
		}
		columns[name] = kind
	}
	return columns, found.Err()
}
