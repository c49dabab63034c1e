package clickhouse

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sourcegraph/conc"
)

func TestRecoverTwice(t *testing.T) {
	t.Parallel()
	s := recovered(t, optionsFor(t))
	if err := s.Recover(deadline(t)); err != nil {
		t.Fatal(err)
	}
	list, err := s.names.migrations()
	if err != nil {
		t.Fatal(err)
	}
	if got := query(t, s.session, "SELECT (count(), max(version)) AS x FROM "+s.names.table(migrationsTable)); got != sprint(len(list), len(list)) {
		t.Errorf("migrations applied (rows, highest) are %s, want each of %d once", got, len(list))
	}
}

// What the pipeline compares its state with, so that a state which was lost is not taken for a new one.
func TestRecoverFindsTheLastSequence(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	s := recovered(t, options)
	if last := s.LastSequence(); last != 0 {
		t.Errorf("before anything was delivered: %d", last)
	}
	deliver(t, s, entry(41, "a", "u", 1, at("2026-05-01T00:00:00Z")), entry(42, "a", "v", 1, at("2026-06-01T00:00:00Z")))
	if last := recovered(t, options).LastSequence(); last != 42 {
		t.Errorf("for the worker after: %d, want 42", last)
	}
	options.Environment = "development"
	if last := recovered(t, options).LastSequence(); last != 0 {
		t.Errorf("for another environment: %d, want 0", last)
	}
}

// Workers that start at the same moment, against a server that knows nothing of them yet.
func TestRecoverConcurrently(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	var (
		group  conc.WaitGroup
		mu     sync.Mutex
		faults []error
	)
	for range 6 {
		s := newSink(t, options)
		group.Go(func() {
			err := s.Recover(deadline(t))
			mu.Lock()
			defer mu.Unlock()
			faults = append(faults, err)
		})
	}
	group.Wait()
	if err := errors.Join(faults...); err != nil {
		t.Fatal(err)
	}
	s := recovered(t, options)
	deliver(t, s, entry(1, "a", "u", 1, at("2026-05-01T00:00:00Z")))
	if got := query(t, s.session, "SELECT count() AS x FROM "+s.names.table("members")); got != "1" {
		t.Errorf("%s members, want 1", got)
	}
}

// A worker that starts before its ClickHouse waits for it.
func TestRecoverWaitsForTheServer(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	options := optionsFor(t)
	options.Addr = []string{server.Addr()}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}

	failed := make(chan struct{}, 1000)
	options.Observe = func(o Observation) {
		if o.Kind == Connection {
			failed <- struct{}{}
		}
	}
	s := newSink(t, options)
	done := make(chan error, 1)
	var group conc.WaitGroup
	group.Go(func() { done <- s.Recover(deadline(t)) })
	<-failed
	<-failed // it tries again
	if err := server.Restart(deadline(t)); err != nil {
		t.Error(err)
	}
	group.Wait()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestRecoverEndsWithItsContext(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	options.Addr = []string{"127.0.0.1:1"}
	ctx, cancel := context.WithCancel(context.Background())
	options.Observe = func(Observation) { cancel() }
	err := newSink(t, options).Recover(ctx)
	var terminal *Error
	if !errors.Is(err, context.Canceled) || errors.As(err, &terminal) {
		t.Fatalf("Recover ends with %v, want context.Canceled", err)
	}
}

func TestRecoverRefusesANewerSchema(t *testing.T) {
	t.Parallel()
	s := recovered(t, optionsFor(t))
	exec(t, s.session, "INSERT INTO "+s.names.table(migrationsTable)+" (version, name) SELECT 1000, 'from the future'")
	wantTerminal(t, s.Recover(deadline(t)), Schema, "is version 1000", "run the version of muster")
}

func TestRecoverRefusesAnAlteredTable(t *testing.T) {
	t.Parallel()
	s := recovered(t, optionsFor(t))
	table := s.names.table(eventsTable)
	exec(t, s.session, "ALTER TABLE "+table+" DROP COLUMN cause")
	exec(t, s.session, "ALTER TABLE "+table+" DROP COLUMN lsn")
	exec(t, s.session, "ALTER TABLE "+table+" ADD COLUMN lsn String")
	wantTerminal(t, s.Recover(deadline(t)), Schema, "has no column cause LowCardinality(String)", ".lsn is String, not UInt64")

	exec(t, s.session, "ALTER TABLE "+table+" ADD COLUMN cause LowCardinality(String)")
	exec(t, s.session, "ALTER TABLE "+table+" DROP COLUMN lsn")
	exec(t, s.session, "ALTER TABLE "+table+" ADD COLUMN lsn UInt64")
	exec(t, s.session, "ALTER TABLE "+table+" ADD COLUMN note String DEFAULT 'ours'")
	if err := s.Recover(deadline(t)); err != nil {
		t.Errorf("a column of someone else's is refused: %v", err)
	}
	deliver(t, s, entry(1, "a", "u", 1, at("2026-05-01T00:00:00Z")))
}

func wantTerminal(t *testing.T, err error, kind Kind, texts ...string) {
	t.Helper()
	var terminal *Error
	if !errors.As(err, &terminal) || terminal.Kind != kind {
		t.Fatalf("error is %v, want a terminal one of kind %s", err, kind)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error is %v, which does not say %q", err, text)
		}
	}
}

func TestTTL(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	for _, ttl := range []time.Duration{0, 400 * 24 * time.Hour, 30 * 24 * time.Hour, 30 * 24 * time.Hour, 0} {
		options.TTL = ttl
		s := recovered(t, options)
		if got, err := s.currentTTL(deadline(t)); err != nil || got != ttl {
			t.Fatalf("the TTL is %s (%v), want %s", got, err, ttl)
		}
	}
}
