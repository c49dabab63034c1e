package clickhouse

import (
	"context"
	"errors"
	"fmt"
)

// checkSchema says whether the tables are there and fit. Absent or older ones are no fault: the worker makes them.
func (s *Sink) checkSchema(ctx context.Context) (CheckResult, error) {
	result := CheckResult{Name: "clickhouse schema", Status: OK}
	columns, err := s.tableColumns(ctx, migrationsTable)
	if err != nil {
		return result, err
	}
	if len(columns) == 0 {
		result.Detail = fmt.Sprintf("database %s has none yet; the worker makes it when it starts", s.names.Database)
		return result, nil
	}
	list, err := s.names.migrations()
	if err != nil {
		return result, err
	}
	applied, err := s.schemaVersion(ctx)
	if err != nil {
		return result, err
	}
	newest := list[len(list)-1].version
	result.Detail = fmt.Sprintf("version %d in database %s", applied, s.names.Database)
	switch {
	case applied < newest:
		result.Detail += fmt.Sprintf("; the worker upgrades it to %d when it starts", newest)
		return result, nil
	case applied > newest:
		err = s.newer(applied, newest)
	default:
		err = s.verifySchema(ctx)
	}
	var fault *Error
	if errors.As(err, &fault) {
		result.Status, result.Detail, result.Repair = Fails, fault.Err.Error(), fault.Repair
		return result, nil
	}
	return result, err
}

// checkTTL tells of a change that the next start will make, since it deletes.
func (s *Sink) checkTTL(ctx context.Context) (CheckResult, error) {
	result := CheckResult{Name: "clickhouse ttl"}
	current, err := s.currentTTL(ctx)
	if err != nil || current == s.options.TTL {
		return result, err
	}
	columns, err := s.tableColumns(ctx, eventsTable)
	if err != nil || len(columns) == 0 {
		return result, err
	}
	result.Status = Warns
	switch {
	case s.options.TTL == 0:
		result.Detail = fmt.Sprintf("the next start removes the TTL of %s: history will be kept for ever", current)
	case current == 0:
		result.Detail = fmt.Sprintf("the next start deletes history older than %s", s.options.TTL)
	default:
		result.Detail = fmt.Sprintf("the next start changes how long history is kept from %s to %s", current, s.options.TTL)
	}
	result.Repair = "nothing, if clickhouse.ttl is what you want"
	return result, nil
}
