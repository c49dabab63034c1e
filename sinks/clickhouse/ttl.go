package clickhouse

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Our TTL as the server prints it in engine_full.
var ourTTL = regexp.MustCompile(`\bTTL toDateTime\(occurred_at\) \+ toIntervalSecond\((\d+)\)`)

// applyTTL makes the TTL of the history that of the options. A TTL that someone wrote by hand in another form stays as
// long as the options have none.
func (s *session) applyTTL(ctx context.Context) error {
	current, err := s.currentTTL(ctx)
	if err != nil || current == s.options.TTL {
		return err
	}
	change := fmt.Sprintf("MODIFY TTL toDateTime(occurred_at) + toIntervalSecond(%d)", s.options.TTL/time.Second)
	if s.options.TTL == 0 {
		change = "REMOVE TTL"
	}
	table := s.names.table(eventsTable)
	if err := s.conn.Exec(ctx, "ALTER TABLE "+table+s.names.OnCluster+" "+change); err != nil {
		return fmt.Errorf("change the TTL of %s: %w", table, err)
	}
	s.options.Logger.Info("clickhouse TTL changed", "table", table, "from", current, "to", s.options.TTL)
	return nil
}

func (s *session) currentTTL(ctx context.Context) (time.Duration, error) {
	var engine string
	err := s.conn.QueryRow(ctx, "SELECT any(engine_full) FROM system.tables WHERE database = {database:String} AND name = {table:String}",
		parameters("database", s.options.Database, "table", eventsTable)...).Scan(&engine)
	if err != nil {
		return 0, fmt.Errorf("read the TTL: %w", err)
	}
	match := ourTTL.FindStringSubmatch(engine)
	if match == nil {
		return 0, nil
	}
	seconds, err := strconv.ParseInt(match[1], 10, 64)
	return time.Duration(seconds) * time.Second, err
}
