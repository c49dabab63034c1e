package compiled

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"muster/evaluator"
	"muster/evaluator/compiled/internal/cases"
)

// rapidSource lets rapid choose, so that it can shrink what fails.
type rapidSource struct{ *rapid.T }

func (s rapidSource) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(s.T, "choice") }

// apply makes a list of members what a diff leaves of it.
func apply(t *rapid.T, members []evaluator.AudienceID, diff *evaluator.Diff) []evaluator.AudienceID {
	members = slices.Clone(members)
	for _, c := range diff.Changes {
		i, in := slices.BinarySearch(members, c.Audience)
		if in == c.Entered {
			t.Fatalf("audience %d: entered %v while membership is %v", c.Audience, c.Entered, in)
		}
		if c.Entered {
			members = slices.Insert(members, i, c.Audience)
		} else {
			members = slices.Delete(members, i, i+1)
		}
	}
	return members
}

// drawn is a few audiences and a judge of them.
func drawn(t *rapid.T) (*cases.Maker, []evaluator.Audience, *Judge) {
	m := cases.New(rapidSource{t})
	audiences := m.Audiences(1 + m.IntN(6))
	set, err := Compile(audiences, cases.Schema)
	if err != nil {
		t.Fatal(err)
	}
	return m, audiences, set.NewJudge()
}

// TestDiffIsTheDifferenceOfMatches follows a user through changes: the members before and a diff are the members after, and
// one jump is the sum of its steps.
func TestDiffIsTheDifferenceOfMatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m, audiences, judge := drawn(t)
		var match evaluator.Match
		var diff evaluator.Diff
		first := m.Input(audiences)
		judge.Match(&first, &match)
		start := slices.Clone(match.Members)
		members, in := start, first
		for range 3 {
			next := m.Next(in, audiences)
			judge.Diff(&in, &next, &diff)
			members, in = apply(t, members, &diff), next
			judge.Match(&in, &match)
			if !slices.Equal(members, match.Members) {
				t.Fatalf("the diffs lead to %v, and the match is %v", members, match.Members)
			}
		}
		judge.Diff(&first, &in, &diff)
		if jump := apply(t, start, &diff); !slices.Equal(jump, members) {
			t.Fatalf("one jump leads to %v, and the steps to %v", jump, members)
		}
	})
}

// TestNothingFlipsBeforeTheNextFlip lets time pass in one go to just before the next flip, where nothing may have changed,
// and on to it, where something must have.
func TestNothingFlipsBeforeTheNextFlip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m, audiences, judge := drawn(t)
		in := m.Input(audiences)
		var match evaluator.Match
		judge.Match(&in, &match)
		for range 5 {
			flip := match.NextFlip
			if flip == evaluator.NoInstant {
				return
			}
			members := slices.Clone(match.Members)
			in.Now = flip - 1
			if judge.Match(&in, &match); !slices.Equal(match.Members, members) || match.NextFlip != flip {
				t.Fatalf("before the flip at %v: %v, then %v, and the next at %v", flip, members, match.Members, match.NextFlip)
			}
			in.Now = flip
			if judge.Match(&in, &match); slices.Equal(match.Members, members) {
				t.Fatalf("nothing flips at %v", flip)
			}
		}
	})
}
