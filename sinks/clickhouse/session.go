package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// session is a pool of connections and what all parts of the package need beside it.
type session struct {
	options Options
	names   names
	conn    driver.Conn
}

// connect validates the options and makes the pool. Nothing is dialled yet.
func connect(options Options) (*session, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	conn, err := clickhouse.Open(&clickhouse.Options{
		Protocol: clickhouse.Native,
		Addr:     options.Addr,
		// The session's own database is left to the server: every name is qualified, since the database may have to be made first.
		Auth:             clickhouse.Auth{Username: options.Username, Password: options.Password},
		TLS:              options.TLS,
		Compression:      &clickhouse.Compression{Method: clickhouse.CompressionLZ4},
		DialTimeout:      dialTimeout,
		ReadTimeout:      options.RequestTimeout,
		MaxOpenConns:     4,
		MaxIdleConns:     2,
		ConnOpenStrategy: clickhouse.ConnOpenInOrder,
		ClientInfo:       clickhouse.ClientInfo{Products: []struct{ Name, Version string }{{Name: "muster"}}},
	})
	if err != nil {
		return nil, fmt.Errorf("clickhouse: open: %w", err)
	}
	return &session{options: options, names: newNames(options), conn: conn}, nil
}

// Close closes the connections.
func (s *session) Close() error { return s.conn.Close() }

// request is something that may be asked again after any failure.
type request struct {
	doing string        // for errors and logs
	rows  int           // sent by it
	limit time.Duration // of one attempt
	do    func(context.Context) error
}

// retry repeats the request until it succeeds, its failure is terminal, or ctx ends.
func (s *session) retry(ctx context.Context, r request) error {
	for failures := 0; ; {
		err := s.attempt(ctx, r)
		if err == nil {
			if failures > 0 {
				s.options.Logger.Info("clickhouse answers again", "doing", r.doing, "failures", failures)
			}
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("clickhouse: %s: %w", r.doing, errors.Join(context.Cause(ctx), err))
		}
		if terminal := s.terminal(r.doing, err); terminal != nil {
			return terminal
		}
		failures++
		again := pause(failures)
		s.options.Logger.LogAttrs(ctx, level(failures), "clickhouse request failed, will be repeated",
			slog.String("doing", r.doing), slog.Int("failures", failures), slog.Duration("pause", again), slog.Any("error", err))
		if err := wait(ctx, again); err != nil {
			return fmt.Errorf("clickhouse: %s: %w", r.doing, err)
		}
	}
}

// level keeps a single hiccup out of the warnings.
func level(failures int) slog.Level {
	if failures == 1 {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

func (s *session) attempt(ctx context.Context, r request) error {
	limited, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	start := time.Now()
	err := r.do(limited)
	if s.options.Observe != nil {
		o := Observation{Rows: r.rows, Elapsed: time.Since(start)}
		if err != nil {
			o.Kind = kindOf(err)
		}
		s.options.Observe(o)
	}
	return err
}
