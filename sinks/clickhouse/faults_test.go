package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"muster/pipeline/event"
)

// crowd is a batch of n entries, large enough to tell its data from the exchange that announces it.
func crowd(first, n int) []event.Event {
	list := make([]event.Event, n)
	for i := range list {
		sequence := first + i
		list[i] = entry(uint64(sequence), "a", fmt.Sprintf("user-%d-%x", sequence, sequence*2654435761), 1, at("2026-05-01T00:00:00Z"))
	}
	return list
}

// announced is more than the handshake and the announcement of an insert take, and less than a crowd of 2,000 does.
const announced = 8 << 10

func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for ctx := deadline(t); !holds(); {
		if err := wait(ctx, 5*time.Millisecond); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// The connection is cut when the server has the rows and before it can say so. The insert is sent again, and nothing is doubled even
// for a plain count.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	direct := recovered(t, options)
	p := newProxy(t, shared.Addr())
	options.Addr = []string{p.addr()}
	var kinds []Kind
	options.Observe = func(o Observation) { kinds = append(kinds, o.Kind) }
	s := newSink(t, options)

	asked, proceed := make(chan struct{}), make(chan struct{})
	var cuts atomic.Int32
	cut := func(sent int64) bool {
		if sent < announced || !cuts.CompareAndSwap(0, 1) {
			return true
		}
		close(asked)
		<-proceed
		return false
	}
	p.reply.Store(&cut)
	done := make(chan error, 1)
	go func() { done <- s.Deliver(deadline(t), crowd(1, 2000)) }()
	<-asked
	count := func() string {
		return query(t, direct.session, "SELECT count() AS x FROM "+direct.names.table(eventsTable))
	}
	waitFor(t, "the rows to arrive", func() bool { return count() == "2000" })
	close(proceed)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(kinds, []Kind{Connection, "", ""}) {
		t.Fatalf("requests ended with %q; want a failed one and two that succeed", kinds)
	}
	if got := count(); got != "2000" {
		t.Errorf("%s rows, want each of 2000 once", got)
	}
}

// The server takes the rows and never answers. The request ends by its own limit and is repeated.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	direct := recovered(t, options)
	p := newProxy(t, shared.Addr())
	options.Addr = []string{p.addr()}
	options.RequestTimeout = 2 * time.Second
	var kinds []Kind
	options.Observe = func(o Observation) { kinds = append(kinds, o.Kind) }
	s := newSink(t, options)

	var held atomic.Int32
	release := make(chan struct{})
	hold := func(sent int64) bool {
		if sent < announced || !held.CompareAndSwap(0, 1) {
			return true
		}
		<-release
		return false
	}
	p.reply.Store(&hold)
	deliver(t, s, crowd(1, 2000)...)
	close(release)
	if len(kinds) < 3 || kinds[0] != Timeout { // and perhaps more of them, on a busy machine
		t.Fatalf("requests ended with %q, want a timeout first", kinds)
	}
	if got := query(t, direct.session, "SELECT count() AS x FROM "+direct.names.table(eventsTable)); got != "2000" {
		t.Errorf("%s rows, want each of 2000 once", got)
	}
}

// A context that ends while the server is silent ends Deliver at once, not at the request's limit.
func TestNoAnswerEndsWithItsContext(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	recovered(t, options)
	p := newProxy(t, shared.Addr())
	options.Addr = []string{p.addr()}
	options.RequestTimeout = time.Hour
	s := newSink(t, options)
	ctx, cancel := context.WithCancel(context.Background())
	release := make(chan struct{})
	hold := func(sent int64) bool {
		if sent < announced {
			return true
		}
		cancel()
		<-release
		return false
	}
	p.reply.Store(&hold)
	err := s.Deliver(ctx, crowd(1, 2000))
	close(release)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Deliver ends with %v, want context.Canceled", err)
	}
}

// The server is killed at some byte of a batch, round after round, and comes back at the same address. Nothing is lost, and
// nothing is doubled even for a plain count, since the deduplication window is on its disk.
func TestKilledMidInsert(t *testing.T) {
	t.Parallel()
	server := ownServer(t)
	p := newProxy(t, server.Addr())
	options := optionsFor(t)
	options.Addr = []string{p.addr()}
	s := recovered(t, options)

	const rows = 5_000
	for round, after := range []int64{1 << 10, 32 << 10, 100 << 10, 200 << 10} {
		killed := make(chan struct{})
		var once atomic.Bool
		kill := func(sent int64) {
			if sent > after && once.CompareAndSwap(false, true) {
				server.Kill()
				close(killed)
			}
		}
		p.request.Store(&kill)
		done := make(chan error, 1)
		go func() { done <- s.Deliver(deadline(t), crowd(1+round*rows, rows)) }()
		select {
		case <-killed:
			if err := server.Restart(deadline(t)); err != nil {
				t.Fatal(err)
			}
		case err := <-done:
			t.Fatalf("round %d ended before the kill: %v", round, err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		p.request.Store(nil)
		for _, table := range []string{eventsTable, membershipsTable, "members", "user_timeline"} {
			if got := query(t, s.session, "SELECT count() AS x FROM "+s.names.table(table)); got != fmt.Sprint((round+1)*rows) {
				t.Errorf("round %d: %s has %s rows, want %d", round, table, got, (round+1)*rows)
			}
		}
	}
}
