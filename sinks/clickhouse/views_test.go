package clickhouse

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/evaluator"
	"muster/pipeline/event"
)

// Whatever happened, however it was cut into batches, and whatever was sent again: the views say what the model says, now and
// at any instant. Each round has an environment of its own in one database.
func TestViewsEqualTheModel(t *testing.T) {
	t.Parallel()
	s := recovered(t, optionsFor(t))
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		environment := fmt.Sprintf("round-%d", round)
		m := drawModel(t, environment)
		deliverSomehow(t, s, m.events)
		options := s.options
		options.Environment = environment
		h := &History{&session{options: options, names: s.names, conn: s.conn}}
		compareNow(t, h, m)
		for range 3 {
			compareAt(t, h, m, drawInstant(t, m))
		}
		compareDifference(t, h, m, drawInstant(t, m), drawInstant(t, m))
		compareDaily(t, h, m)
		compareTimeline(t, h, m)
	})
}

// deliverSomehow delivers the events in batches, some of them again under other boundaries, and perhaps some rows once more.
func deliverSomehow(t *rapid.T, s *Sink, events []event.Event) {
	for rest := events; len(rest) > 0; {
		n := rapid.IntRange((len(rest)+2)/3, len(rest)).Draw(t, "batch")
		must(t, s.Deliver(context.Background(), rest[:n]))
		rest = rest[n:]
	}
	for range rapid.IntRange(0, 2).Draw(t, "resends") {
		from := rapid.IntRange(0, len(events)-1).Draw(t, "from")
		to := rapid.IntRange(from+1, len(events)).Draw(t, "to")
		must(t, s.Deliver(context.Background(), events[from:to]))
	}
	if rapid.Bool().Draw(t, "double") {
		for _, table := range []string{eventsTable, membershipsTable} {
			name := s.names.table(table)
			must(t, s.conn.Exec(context.Background(),
				"INSERT INTO "+name+" SELECT * FROM "+name+" WHERE environment = '"+events[0].Environment+"'"))
		}
	}
}

// drawInstant is often that of an event, or a microsecond beside it.
func drawInstant(t *rapid.T, m model) evaluator.Instant {
	e := rapid.SampledFrom(m.events).Draw(t, "near")
	return e.OccurredAt + evaluator.Instant(rapid.SampledFrom([]int64{-1, 0, 0, 1, 5 * 24 * 3600 * 1e6}).Draw(t, "off by"))
}

func compareNow(t *rapid.T, h *History, m model) {
	want := m.membersAt(evaluator.Infinity)
	got := map[membership]standing{}
	for _, audience := range []string{"a", "b"} {
		addMembers(t, got, audience, h.Members(context.Background(), audience))
	}
	if !maps.Equal(got, want) {
		t.Fatalf("members are %v, want %v", got, want)
	}
	published := map[membership]standing{}
	for p, err := range h.Published(context.Background()) {
		must(t, err)
		if p.Member {
			published[membership{p.Audience, p.User, p.Tenant}] = standing{evaluator.InstantOf(p.EnteredAt), p.EntryCount}
		}
	}
	if !maps.Equal(published, want) {
		t.Fatalf("memberships on record are %v, want %v", published, want)
	}
	last, err := h.LastSequence(context.Background())
	must(t, err)
	if last != uint64(len(m.events)) {
		t.Fatalf("the last sequence is %d, want %d", last, len(m.events))
	}
}

func compareAt(t *rapid.T, h *History, m model, instant evaluator.Instant) {
	got := map[membership]standing{}
	for _, audience := range []string{"a", "b"} {
		addMembers(t, got, audience, h.MembersAt(context.Background(), audience, instant.Time()))
	}
	if want := m.membersAt(instant); !maps.Equal(got, want) {
		t.Fatalf("members at %s are %v, want %v", instant, got, want)
	}
}

func addMembers(t *rapid.T, into map[membership]standing, audience string, members func(func(Member, error) bool)) {
	for member, err := range members {
		must(t, err)
		of := membership{audience, member.User, member.Tenant}
		if _, twice := into[of]; twice {
			t.Fatalf("%v is a member twice", of)
		}
		into[of] = standing{evaluator.InstantOf(member.EnteredAt), member.EntryCount}
	}
}

func compareDifference(t *rapid.T, h *History, m model, from, to evaluator.Instant) {
	from, to = min(from, to), max(from, to)
	var got []Difference
	for d, err := range h.Diff(context.Background(), "a", from.Time(), to.Time()) {
		must(t, err)
		got = append(got, d)
	}
	if want := m.difference("a", from, to); !slices.Equal(got, want) {
		t.Fatalf("between %s and %s the difference is %v, want %v", from, to, got, want)
	}
}

func compareDaily(t *rapid.T, h *History, m model) {
	rows, err := h.conn.Query(context.Background(), "SELECT day, toInt64(entered), toInt64(exited), net, size FROM "+h.names.table("audience_daily")+
		" WHERE environment = {environment:String} AND audience = 'a'", parameters("environment", h.options.Environment)...)
	must(t, err)
	defer rows.Close()
	got, last := map[string]day{}, time.Time{}
	for rows.Next() {
		var (
			date time.Time
			d    day
		)
		must(t, rows.Scan(&date, &d.Entered, &d.Exited, &d.Net, &d.Size))
		got[date.Format(time.DateOnly)] = d
		last = latest(last, date)
	}
	must(t, rows.Err())
	if want := m.daily("a", last); !maps.Equal(got, want) {
		t.Fatalf("days are %v, want %v", got, want)
	}
	if len(got) > 0 && last.Before(time.Now().UTC().AddDate(0, 0, -1)) {
		t.Fatalf("the last day is %s", last)
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func compareTimeline(t *rapid.T, h *History, m model) {
	var got, want []string
	for transition, err := range h.User(context.Background(), "u1") {
		must(t, err)
		got = append(got, transition.ID)
	}
	for _, e := range m.events {
		if e.User == "u1" {
			want = append(want, e.ID())
		}
	}
	if !slices.Equal(got, want) {
		t.Fatalf("the timeline of u1 is %v, want %v", got, want)
	}
}

func must(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}
