package plain

import (
	"slices"
	"testing"

	"muster/evaluator"

	"pgregory.net/rapid"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	j := compiled(t,
		dynamic(t, "outer", `{"all":[`+member(`"inner"`)+`,`+onPath("recipient.q", "not_equal_to", "1", "")+`]}`),
		dynamic(t, "inner", on("equal_to", `1`)),
		dynamic(t, "other", `{"not":`+on("equal_to", `1`)+`}`),
		static(t, "static"),
		dynamic(t, "of-static", member(`"static"`)),
		dynamic(t, "without", `{"all":[{"not":`+on("exists", "")+`},{"operator":"is_not_audience_member","argument":"static"}]}`),
	)
	in := func(user columns, given ...evaluator.Given) *evaluator.Input {
		if user == nil {
			return &evaluator.Input{User: "u1"}
		}
		return &evaluator.Input{User: "u1", Row: rowOf(t, user), Given: given}
	}
	const outer, inner, other, ofStatic, without = 1, 2, 3, 5, 6
	isStatic := evaluator.Given{Audience: 4}
	for _, c := range []struct {
		name          string
		before, after *evaluator.Input
		want          []evaluator.Change
	}{
		{"nothing", in(p(`1`)), in(p(`1.0`)), nil},
		{"in order of reference", in(p(`2`)), in(p(`1`)),
			[]evaluator.Change{{Audience: inner, Entered: true, Own: true}, {Audience: outer, Entered: true}, {Audience: other, Own: true}}},
		{"own as well", in(pq(`2`, `1`)), in(pq(`1`, `2`)),
			[]evaluator.Change{{Audience: inner, Entered: true, Own: true}, {Audience: outer, Entered: true, Own: true}, {Audience: other, Own: true}}},
		{"own only", in(pq(`1`, `1`)), in(pq(`1`, `2`)), []evaluator.Change{{Audience: outer, Entered: true, Own: true}}},
		{"appears", in(nil), in(p(`2`)), []evaluator.Change{{Audience: other, Entered: true, Own: true}}},
		{"appears, by negations only", in(nil), in(missing), []evaluator.Change{{Audience: other, Entered: true, Own: true}, {Audience: without, Entered: true, Own: true}}},
		{"appears with a reference", in(nil), in(p(`1`)),
			[]evaluator.Change{{Audience: inner, Entered: true, Own: true}, {Audience: outer, Entered: true, Own: true}}},
		{"disappears", in(p(`1`), isStatic), in(nil),
			[]evaluator.Change{{Audience: inner, Own: true}, {Audience: outer, Own: true}, {Audience: ofStatic}}},
		{"absent throughout", in(nil), in(nil), nil},
		{"a static member is added", in(p(`2`)), in(p(`2`), isStatic), []evaluator.Change{{Audience: ofStatic, Entered: true}}},
		{"a static member is removed from a negation", in(missing, isStatic), in(missing), []evaluator.Change{{Audience: ofStatic}, {Audience: without, Entered: true}}},
	} {
		var diff evaluator.Diff
		j.Diff(c.before, c.after, &diff)
		if !slices.Equal(diff.Changes, c.want) {
			t.Errorf("%s: changes are %+v, want %+v", c.name, diff.Changes, c.want)
		}
	}
}

// An audience that is static for one judge and a user that time alone moves: each input has its own clock.
func TestDiffByTheClock(t *testing.T) {
	t.Parallel()
	j := compiled(t, dynamic(t, "k", onPath("recipient.at", "is_timestamp_before_now", "", "")), dynamic(t, "o", member(`"k"`)))
	row := rowOf(t, columns{"at": "2026-06-15 12:00:00+00"})
	at := instant(t, now)
	var diff evaluator.Diff
	j.Diff(&evaluator.Input{Row: row, Now: at}, &evaluator.Input{Row: row, Now: at + 1}, &diff)
	want := []evaluator.Change{{Audience: 1, Entered: true, Own: true}, {Audience: 2, Entered: true}}
	if !slices.Equal(diff.Changes, want) || diff.NextFlip != evaluator.NoInstant {
		t.Errorf("changes are %+v, next flip %v", diff.Changes, diff.NextFlip)
	}
	j.Diff(&evaluator.Input{Row: row, Now: at - 5}, &evaluator.Input{Row: row, Now: at}, &diff)
	if len(diff.Changes) != 0 || diff.NextFlip != at+1 {
		t.Errorf("changes are %+v, next flip %v, want %v", diff.Changes, diff.NextFlip, at+1)
	}
}

// diff(a, b) = match(b) - match(a); diff(a, b) + diff(b, c) = diff(a, c).
func TestDiffIsTheDifferenceOfMatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w := drawWorld(r, t)
		a, b, c := w.input(r, t, "a"), w.input(r, t, "b"), w.input(r, t, "c")
		ab, bc, ac := w.changes(a, b), w.changes(b, c), w.changes(a, c)
		var before, after evaluator.Match
		w.judge.Match(a, &before)
		w.judge.Match(b, &after)
		for id, entered := range ab {
			if slices.Contains(before.Members, id) == entered || slices.Contains(after.Members, id) != entered {
				r.Fatalf("audience %d entered: %v, but members were %v and are %v", id, entered, before.Members, after.Members)
			}
		}
		if want := symmetricDifference(before.Members, after.Members); want != len(ab) {
			r.Fatalf("%d changes between %v and %v", len(ab), before.Members, after.Members)
		}
		for id, entered := range bc {
			if back, ok := ab[id]; ok && back != entered {
				delete(ab, id)
			} else {
				ab[id] = entered
			}
		}
		if len(ab) != len(ac) {
			r.Fatalf("changes a to b to c are %v, a to c %v", ab, ac)
		}
	})
}

func symmetricDifference(a, b []evaluator.AudienceID) int {
	n := 0
	for _, id := range a {
		if !slices.Contains(b, id) {
			n++
		}
	}
	for _, id := range b {
		if !slices.Contains(a, id) {
			n++
		}
	}
	return n
}
