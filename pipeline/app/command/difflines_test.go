package command

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestEditScriptsLeadFromOneTextToTheOther applies scripts, and holds their length to a longest common subsequence.
func TestEditScriptsLeadFromOneTextToTheOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 12)
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		var from, to []string
		kept := 0
		for _, e := range editScript(a, b) {
			if e.sign != '+' {
				from = append(from, e.line)
			}
			if e.sign != '-' {
				to = append(to, e.line)
			}
			if e.sign == ' ' {
				kept++
			}
		}
		if !slices.Equal(from, a) || !slices.Equal(to, b) {
			t.Fatalf("%v to %v: got %v to %v", a, b, from, to)
		}
		if want := common(a, b); kept != want {
			t.Fatalf("%v to %v keeps %d lines, could keep %d", a, b, kept, want)
		}
		if changes := diffLines(a, b); (len(changes) == 0) != slices.Equal(a, b) {
			t.Fatalf("%v to %v: %v", a, b, changes)
		}
	})
}

// common is the length of a longest common subsequence, by the plain recurrence.
func common(a, b []string) int {
	table := make([][]int, len(a)+1)
	for i := range table {
		table[i] = make([]int, len(b)+1)
	}
	for i := range a {
		for j := range b {
			table[i+1][j+1] = max(table[i][j+1], table[i+1][j])
			if a[i] == b[j] {
				table[i+1][j+1] = max(table[i+1][j+1], table[i][j]+1)
			}
		}
	}
	return table[len(a)][len(b)]
}

func TestDiffShowsWhatIsAroundChanges(t *testing.T) {
	t.Parallel()
	var a []string
	for c := 'a'; c <= 'z'; c++ {
		a = append(a, string(c))
	}
	b := slices.Clone(a)
	b[12] = "changed"
	got := strings.Join(diffLines(a, b), "|")
	if want := "  ...|  j|  k|  l|- m|+ changed|  n|  o|  p|  ..."; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
