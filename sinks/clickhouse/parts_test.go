package clickhouse

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"muster/evaluator"
	"muster/pipeline/event"
)

func at(text string) evaluator.Instant {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return evaluator.InstantOf(t)
}

func TestParts(t *testing.T) {
	t.Parallel()
	jan, feb := at("2026-01-31T23:59:59.999999Z"), at("2026-02-01T00:00:00Z")
	tests := []struct {
		name  string
		when  []evaluator.Instant
		limit int
		want  map[string][]uint64 // token to sequences
		order []string
	}{
		{"one month", []evaluator.Instant{jan, jan}, 10, map[string][]uint64{"e/1-2/202601": {1, 2}}, []string{"e/1-2/202601"}},
		{"midnight of the first", []evaluator.Instant{jan, feb}, 10,
			map[string][]uint64{"e/1-1/202601": {1}, "e/2-2/202602": {2}}, []string{"e/1-1/202601", "e/2-2/202602"}},
		{"a late timer among changes", []evaluator.Instant{feb, jan, feb}, 10,
			map[string][]uint64{"e/2-2/202601": {2}, "e/1-3/202602": {1, 3}}, []string{"e/2-2/202601", "e/1-3/202602"}},
		{"more than a block", []evaluator.Instant{jan, jan, jan}, 2,
			map[string][]uint64{"e/1-2/202601": {1, 2}, "e/3-3/202601": {3}}, []string{"e/1-2/202601", "e/3-3/202601"}},
		{"before all calendars", []evaluator.Instant{evaluator.NegativeInfinity, evaluator.Infinity}, 10,
			map[string][]uint64{"e/1-1/190001": {1}, "e/2-2/226112": {2}}, []string{"e/1-1/190001", "e/2-2/226112"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var events []event.Event
			for i, when := range test.when {
				events = append(events, event.Event{Environment: "e", Sequence: uint64(i) + 1, OccurredAt: when})
			}
			var order []string
			for p := range parts(events, test.limit) {
				order = append(order, p.token)
				if got := sequences(p.events); !slices.Equal(got, test.want[p.token]) {
					t.Errorf("part %s holds %v, want %v", p.token, got, test.want[p.token])
				}
			}
			if !slices.Equal(order, test.order) {
				t.Errorf("parts are %v, want %v", order, test.order)
			}
		})
	}
}

// Whatever the batch, its parts hold each event once, each part lies in one partition and no two share a token, and doing
// it again gives the same.
func TestPartsProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		instants := rapid.SliceOfN(rapid.Int64Range(0, 400*24*3600*1e6), 1, 50).Draw(t, "instants")
		limit := rapid.IntRange(1, 10).Draw(t, "limit")
		var events []event.Event
		for i, instant := range instants {
			events = append(events, event.Event{Environment: "e", Sequence: uint64(i) + 1, OccurredAt: evaluator.Instant(instant)})
		}
		again := slices.Collect(parts(events, limit))
		seen, tokens, n := map[uint64]bool{}, map[string]bool{}, 0
		for p := range parts(events, limit) {
			if tokens[p.token] {
				t.Fatalf("token %s is used twice", p.token)
			}
			tokens[p.token] = true
			if len(p.events) > limit || !slices.IsSorted(sequences(p.events)) {
				t.Fatalf("part %s holds %v", p.token, sequences(p.events))
			}
			for _, e := range p.events {
				if month(e.OccurredAt) != month(p.events[0].OccurredAt) || seen[e.Sequence] {
					t.Fatalf("event %d is out of place in part %s", e.Sequence, p.token)
				}
				seen[e.Sequence] = true
			}
			if again[n].token != p.token || !slices.Equal(sequences(again[n].events), sequences(p.events)) {
				t.Fatalf("part %d is not the same again", n)
			}
			n++
		}
		if len(seen) != len(events) {
			t.Fatalf("%d of %d events are in a part", len(seen), len(events))
		}
	})
}

func sequences(events []event.Event) []uint64 {
	var list []uint64
	for _, e := range events {
		list = append(list, e.Sequence)
	}
	return list
}
