package compiled

import (
	"testing"

	"muster/evaluator"
	"muster/evaluator/compiled/workload"
)

// TestWorkFollowsTheChange counts what is looked at, which unlike time is the same on every machine. Of sparse audiences each
// asks for one of 20,000 accounts, so forty times as many are no more work, until they share accounts.
func TestWorkFollowsTheChange(t *testing.T) {
	t.Parallel()
	few, many := visited(t, 500), visited(t, 20_000)
	if few == 0 || many > 4*few {
		t.Errorf("a change looks at %.1f predicates of 500 audiences and at %.1f of 20,000", few, many)
	}
}

// TestWhatDoesNotChangeIsNotLookedAt writes rows again as they were.
func TestWhatDoesNotChangeIsNotLookedAt(t *testing.T) {
	t.Parallel()
	judge := mustCompile(t, workload.Audiences(workload.Dense, 2_000, false)).NewJudge()
	var diff evaluator.Diff
	for _, c := range workload.Changes(16, 3) {
		judge.Diff(&c.Before, &c.After, &diff)
		judge.Diff(&c.Before, &c.Before, &diff)
		if diff.Visited != 0 {
			t.Errorf("%d predicates were looked at", diff.Visited)
		}
	}
}

// visited is how many predicates a change of three attributes looks at, on average.
func visited(t *testing.T, audiences int) float64 {
	t.Helper()
	judge := mustCompile(t, workload.Audiences(workload.Sparse, audiences, false)).NewJudge()
	changes := workload.Changes(64, 3)
	var diff evaluator.Diff
	total := 0
	for i := range changes {
		judge.Diff(&changes[i].Before, &changes[i].After, &diff)
		total += diff.Visited
	}
	return float64(total) / float64(len(changes))
}
