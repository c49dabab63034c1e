package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/evaluator"
)

const (
	lookInterval = 3 * time.Second
	lookTimeout  = 15 * time.Second
)

// watch is what goes on beside the stream, on the ordinary connections: heartbeats while the log is silent, and a look at
// the slot and the tables. It returns a Refusal when the stream can bring nothing more, nil when ctx has ended.
func (s *Source) watch(ctx context.Context) error {
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	beat := make(<-chan time.Time)
	if s.options.Heartbeat > 0 {
		ticker := time.NewTicker(s.options.Heartbeat)
		defer ticker.Stop()
		beat = ticker.C
	}
	failing := false // what lasts is logged once
	var seen uint64
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			err = s.look(ctx)
		case <-beat:
			if now := s.gauges.transactions(); now > seen {
				seen = now
			} else {
				err = bounded(ctx, s.beat)
				seen = now + 1 // the beat itself is going to be seen
			}
		}
		var refusal *Refusal
		if errors.As(err, &refusal) {
			return refusal
		}
		if err != nil && ctx.Err() == nil && !failing {
			s.log.Warn("cannot look after the slot on an ordinary connection; trying on", "error", err)
		}
		failing = err != nil
	}
}

func bounded(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return work(ctx)
}

// look takes the slot's figures and makes sure that there is still something to stream.
func (s *Source) look(ctx context.Context) error {
	return bounded(ctx, func(ctx context.Context) error {
		found, err := s.inspect(ctx, poolQuerier{s.pool})
		if err != nil {
			return err
		}
		s.gauges.saw(found.slot)
		if err := s.streamable(found); err != nil {
			return err
		}
		if found.slot.WALStatus == "unreserved" {
			s.log.Warn("the slot is about to be invalidated: it retains more than max_slot_wal_keep_size", "retained_bytes", found.slot.RetainedBytes)
		}
		return s.measureClock(ctx)
	})
}

// measureClock compares the server's clock with ours, at the middle of a round trip.
func (s *Source) measureClock(ctx context.Context) error {
	asked := time.Now()
	var server time.Time
	if err := s.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&server); err != nil {
		return fmt.Errorf("read the server's clock: %w", err)
	}
	here := asked.Add(time.Since(asked) / 2)
	s.gauges.clockOffset.Store(int64(evaluator.InstantOf(server) - evaluator.InstantOf(here)))
	return nil
}
