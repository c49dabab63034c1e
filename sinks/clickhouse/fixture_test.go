package clickhouse

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"muster/deploy/local/engine"
	"muster/evaluator"
	"muster/pipeline/event"
)

var databases atomic.Int64

// deadline ends a test that hangs.
func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// optionsFor names a new database on the shared engine.
func optionsFor(t *testing.T) Options {
	t.Helper()
	return Options{
		Environment: "production",
		Addr:        []string{shared.Addr()},
		Database:    fmt.Sprintf("test_%d", databases.Add(1)),
	}
}

// ownServer is an engine that the test may stop, kill and restart at the same address.
func ownServer(t *testing.T) *engine.Server {
	t.Helper()
	server, err := engine.Start(deadline(t), engine.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return server
}

func newSink(t *testing.T, options Options) *Sink {
	t.Helper()
	s, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// recovered is a sink whose schema is there.
func recovered(t *testing.T, options Options) *Sink {
	t.Helper()
	s := newSink(t, options)
	if err := s.Recover(deadline(t)); err != nil {
		t.Fatal(err)
	}
	return s
}

func deliver(t *testing.T, s *Sink, events ...event.Event) {
	t.Helper()
	if err := s.Deliver(deadline(t), events); err != nil {
		t.Fatal(err)
	}
}

// query returns the first column of the only row, as text.
func query(t testing.TB, s *session, sql string) string {
	t.Helper()
	var text string
	if err := s.conn.QueryRow(context.Background(), "SELECT toString(x) FROM ("+sql+")").Scan(&text); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return text
}

func exec(t testing.TB, s *session, sql string) {
	t.Helper()
	if err := s.conn.Exec(context.Background(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// entry and exit are events of one membership.
func entry(sequence uint64, audience, user string, count uint64, when evaluator.Instant) event.Event {
	return event.Event{
		Sequence: sequence, Type: event.Entered, Environment: "production", Audience: audience, Version: 1, User: user,
		OccurredAt: when, Cause: event.CauseChange, Trigger: true, EntryCount: count, EnteredAt: when,
		Position: event.Position{LSN: event.LSN(sequence * 100)}, CommittedAt: when,
	}
}

func exit(sequence uint64, of event.Event, when evaluator.Instant) event.Event {
	of.Sequence, of.Type, of.OccurredAt, of.CommittedAt, of.Trigger = sequence, event.Exited, when, when, false
	of.Position.LSN = event.LSN(sequence * 100)
	return of
}
