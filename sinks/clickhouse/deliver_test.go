package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"muster/evaluator"
	"muster/pipeline/event"
)

func sprint(values ...any) string {
	text := "("
	for i, value := range values {
		if i > 0 {
			text += ","
		}
		text += fmt.Sprint(value)
	}
	return text + ")"
}

func TestDeliverWritesEveryField(t *testing.T) {
	t.Parallel()
	s := recovered(t, optionsFor(t))
	e := event.Event{
		Sequence: 1<<64 - 1, Type: event.Exited, Environment: "production", Audience: "a", Version: 1<<32 - 1,
		User: "u'\\\n\x00\u00e4", Tenant: "t", OccurredAt: at("2026-01-02T03:04:05.678901Z"), Cause: event.CauseTimer, Trigger: true,
		EntryCount: 1<<64 - 1, EnteredAt: at("1969-12-31T23:59:59.999999Z"), Position: event.Position{LSN: 1<<64 - 1, Index: 1<<32 - 1},
		CommittedAt: at("2026-01-02T03:04:06Z"), Properties: []byte(`{"name":"\u00e4\n"}`),
	}
	deliver(t, s, e)
	for column, want := range map[string]string{
		"id": e.ID(), "sequence": "18446744073709551615", "type": "audience.exited", "environment": "production", "audience": "a",
		"audience_version": "4294967295", "user_id": e.User, "tenant": "t", "occurred_at": "2026-01-02 03:04:05.678901",
		"cause": "timer", "trigger": "true", "entry_count": "18446744073709551615", "entered_at": "1969-12-31 23:59:59.999999",
		"lsn": "18446744073709551615", "lsn_index": "4294967295", "recorded_at": "2026-01-02 03:04:06.000000", "user": string(e.Properties),
	} {
		if got := query(t, s.session, "SELECT "+column+" AS x FROM "+s.names.table(eventsTable)); got != want {
			t.Errorf("%s is %q, want %q", column, got, want)
		}
	}
}

// The window of the server recognises a resend by its token, and the rows are there once even for a plain count.
func TestDeliverTwiceInTheWindow(t *testing.T) {
	t.Parallel()
	s := recovered(t, optionsFor(t))
	events := history("u", 40, at("2026-01-20T00:00:00Z"))
	for range 3 {
		deliver(t, s, events...)
	}
	for table, want := range map[string]int{eventsTable: len(events), membershipsTable: 1} {
		if got := query(t, s.session, "SELECT count() AS x FROM "+s.names.table(table)); got != fmt.Sprint(want) {
			t.Errorf("%s has %s rows, want %d", table, got, want)
		}
	}
}

// Two batches with the same rows and other boundaries: the second is not recognised by its token, and its rows are the same rows.
func TestDeliverTwiceOutsideTheWindow(t *testing.T) {
	t.Parallel()
	s := recovered(t, optionsFor(t))
	events := history("u", 40, at("2026-01-02T00:00:00Z"))
	deliver(t, s, events...)
	deliver(t, s, events[:7]...)
	deliver(t, s, events[7:]...)
	if got := query(t, s.session, "SELECT count() AS x FROM "+s.names.table(eventsTable)); got != fmt.Sprint(2*len(events)) {
		t.Fatalf("%s rows, want each twice, or this test shows nothing", got)
	}
	if got := query(t, s.session, "SELECT count() AS x FROM "+s.names.table("user_timeline")); got != fmt.Sprint(len(events)) {
		t.Errorf("the timeline has %s events, want %d", got, len(events))
	}
	exec(t, s.session, "OPTIMIZE TABLE "+s.names.table(eventsTable)+" FINAL")
	if got := query(t, s.session, "SELECT count() AS x FROM "+s.names.table(eventsTable)); got != fmt.Sprint(len(events)) {
		t.Errorf("after merges %s rows, want %d", got, len(events))
	}
}

// An older worker that was not quite dead sends an old batch after a newer one.
func TestDeliverOfAZombie(t *testing.T) {
	t.Parallel()
	s := recovered(t, optionsFor(t))
	in := entry(1, "a", "u", 1, at("2026-01-20T00:00:00Z"))
	out := exit(2, in, at("2026-01-20T00:00:00Z"))
	deliver(t, s, in)
	deliver(t, s, out)
	exec(t, s.session, "ALTER TABLE "+s.names.table(membershipsTable)+" MODIFY SETTING non_replicated_deduplication_window = 0")
	deliver(t, s, in)
	if got := query(t, s.session, "SELECT count() AS x FROM "+s.names.table("members")); got != "0" {
		t.Errorf("%s members, want none", got)
	}
}

func TestDeliverNothing(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	options.Observe = func(Observation) { t.Error("a request was made") }
	if err := newSink(t, options).Deliver(deadline(t), nil); err != nil {
		t.Fatal(err)
	}
}

func TestDeliverStopsAtASchemaFault(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	var kinds []Kind
	options.Observe = func(o Observation) { kinds = append(kinds, o.Kind) }
	s := recovered(t, options)
	kinds = nil
	exec(t, s.session, "DROP TABLE "+s.names.table(membershipsTable))
	err := s.Deliver(deadline(t), []event.Event{entry(1, "a", "u", 1, at("2026-05-01T00:00:00Z"))})
	wantTerminal(t, err, Schema, "insert into `"+options.Database+"`.memberships", "muster check")
	if len(kinds) != 2 || kinds[0] != "" || kinds[1] != Schema {
		t.Errorf("observed %q, want a success and a fault of the schema", kinds)
	}

	exec(t, s.session, "ALTER TABLE "+s.names.table(eventsTable)+" DROP COLUMN trigger")
	exec(t, s.session, "ALTER TABLE "+s.names.table(eventsTable)+" ADD COLUMN trigger Array(String)")
	err = s.Deliver(deadline(t), []event.Event{entry(2, "a", "v", 1, at("2026-05-01T00:00:00Z"))})
	wantTerminal(t, err, Schema, "column trigger")
}

func TestDeliverEndsWithItsContext(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	options.Addr = []string{"127.0.0.1:1"}
	ctx, cancel := context.WithCancel(context.Background())
	failures := 0
	options.Observe = func(Observation) {
		if failures++; failures == 3 {
			cancel()
		}
	}
	err := newSink(t, options).Deliver(ctx, []event.Event{entry(1, "a", "u", 1, at("2026-05-01T00:00:00Z"))})
	var terminal *Error
	if !errors.Is(err, context.Canceled) || errors.As(err, &terminal) {
		t.Fatalf("Deliver ends with %v, want context.Canceled", err)
	}
}

// history is a membership that changes n times, ten hours apart.
func history(user string, n int, from evaluator.Instant) []event.Event {
	var list []event.Event
	for i := range n {
		when := from + evaluator.Instant(i)*10*3600*1e6
		if i%2 == 0 {
			list = append(list, entry(uint64(i)+1, "a", user, uint64(i/2)+1, when))
		} else {
			list = append(list, exit(uint64(i)+1, list[i-1], when))
		}
	}
	return list
}
