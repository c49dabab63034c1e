package postgres

import (
	"context"
	"fmt"
	"time"

	"muster/connectors/postgres/pgoutput"
	"muster/evaluator"
)

// Tick writes a transaction without changes into the log if the server's clock has reached due, and returns that clock.
// Whoever waits for due then meets a commit at or after it in the stream.
func (s *Source) Tick(ctx context.Context, due evaluator.Instant) (now evaluator.Instant, err error) {
	if !due.Finite() {
		return 0, fmt.Errorf("tick at %s: no clock reaches it", due)
	}
	var at time.Time
	err = s.pool.QueryRow(ctx, `
SELECT c.now, CASE WHEN c.now >= $1 THEN pg_logical_emit_message(true, $2, '') END
  FROM (SELECT clock_timestamp() AS now OFFSET 0) AS c`, due.Time(), pgoutput.TickPrefix).Scan(&at, nil)
	if err != nil {
		return 0, fmt.Errorf("tick: %w", err)
	}
	return evaluator.InstantOf(at), nil
}

// beat writes a heartbeat into the log.
func (s *Source) beat(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `SELECT pg_logical_emit_message(true, $1, '')`, pgoutput.HeartbeatPrefix)
	return err
}
