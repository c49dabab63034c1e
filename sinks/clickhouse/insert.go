package clickhouse

import (
	"context"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// insert sends the rows as one block under the token until the server has them.
func (s *session) insert(ctx context.Context, table string, r rows, token string) error {
	columns := r.columns()
	statement := insertStatement(table, columns)
	return s.retry(ctx, request{
		doing: "insert into " + table,
		rows:  r.len(),
		limit: s.options.RequestTimeout,
		do: func(ctx context.Context) error {
			return s.send(clickhouse.Context(ctx, clickhouse.WithSettings(insertSettings(token))), statement, columns)
		},
	})
}

// insertSettings hold against whatever the user's profile says.
func insertSettings(token string) clickhouse.Settings {
	return clickhouse.Settings{
		"async_insert":               0, // answered when the part is on disk, not when it is in a buffer
		"insert_deduplicate":         1,
		"insert_deduplication_token": token,
	}
}

func (s *session) send(ctx context.Context, statement string, columns []column) error {
	batch, err := s.conn.PrepareBatch(ctx, statement)
	if err != nil {
		return err
	}
	defer batch.Close()
	for i, column := range columns {
		if err := batch.Column(i).Append(column.values); err != nil {
			return &columnError{column: column.name, err: err}
		}
	}
	return batch.Send()
}

func insertStatement(table string, columns []column) string {
	names := make([]string, len(columns))
	for i, column := range columns {
		names[i] = quote(column.name)
	}
	return "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ")"
}
