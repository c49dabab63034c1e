package clickhouse

import (
	"github.com/ClickHouse/clickhouse-go/v2"

	"muster/evaluator"
)

// parameters are values for the {name:Type} placeholders of a query, given in pairs. They are sent apart from the SQL and
// parsed by the server as values of the type. Named escapes them as the server expects; the driver's WithParameters would not.
func parameters(pairs ...string) []any {
	values := make([]any, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		values = append(values, clickhouse.Named(pairs[i], pairs[i+1]))
	}
	return values
}

// parameter is the instant as the text of a parameter of type DateTime64(6, 'UTC').
func parameter(i evaluator.Instant) string {
	return dateTime(i).Format("2006-01-02 15:04:05.000000")
}
