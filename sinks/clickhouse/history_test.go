package clickhouse

import (
	"context"
	"strings"
	"testing"
	"time"

	"muster/pipeline/event"
)

// Names come from users' databases and from the command line, and hold what they please.
func TestHistoryOfOddNames(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	options.Environment = `prod'; DROP TABLE x; --`
	options.Database += "`\\ odd"
	s := recovered(t, options)
	users := []string{"u'1", `u\`, `\N`, "NULL", "", " ", "tab\tnew\nline\r\x00", "{user:String}", "\u00e4\U0001F600", strings.Repeat("x", 10_000)}
	var events []event.Event
	for i, user := range users {
		e := entry(uint64(i)+1, "a", user, 1, at("2026-05-01T00:00:00Z"))
		e.Environment = options.Environment
		events = append(events, e)
	}
	deliver(t, s, events...)
	h := &History{s.session}
	for i, user := range users {
		var found []uint64
		for transition, err := range h.User(deadline(t), user) {
			if err != nil {
				t.Fatalf("history of %q: %v", user, err)
			}
			found = append(found, transition.Sequence)
		}
		if len(found) != 1 || found[0] != uint64(i)+1 {
			t.Errorf("history of %q is %v, want %d", user, found, i+1)
		}
	}
}

// A reader that has seen enough stops, and leaves no query and no goroutine behind.
func TestHistoryEndsEarly(t *testing.T) {
	t.Parallel()
	s := recovered(t, optionsFor(t))
	deliver(t, s, crowd(1, 20_000)...)
	h, err := OpenHistory(s.options)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	for range 10 { // more often than there are connections
		for member, err := range h.MembersAt(deadline(t), "a", time.Now()) {
			if err != nil || member.User == "" {
				t.Fatal(member, err)
			}
			break
		}
	}
}

func TestHistoryEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := recovered(t, optionsFor(t))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, err := range (&History{s.session}).Members(ctx, "a") {
		if err == nil {
			t.Error("a row came after the end")
		}
		return
	}
	t.Error("the end was not reported")
}

func TestLastSequenceOfNothing(t *testing.T) {
	t.Parallel()
	last, err := (&History{recovered(t, optionsFor(t)).session}).LastSequence(deadline(t))
	if err != nil || last != 0 {
		t.Errorf("the last sequence of nothing is %d (%v)", last, err)
	}
}
