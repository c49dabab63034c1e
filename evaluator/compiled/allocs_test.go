package compiled

import (
	"testing"

	"muster/evaluator"
	"muster/evaluator/compiled/workload"
)

// TestNothingChangedAllocatesNothing judges a row that was written again as it was, a microsecond later.
func TestNothingChangedAllocatesNothing(t *testing.T) {
	for _, kind := range []workload.Kind{workload.Dense, workload.Sparse, workload.Mixed} {
		judge := mustCompile(t, workload.Audiences(kind, 2_000, false)).NewJudge()
		changes := workload.Changes(16, 3)
		var diff evaluator.Diff
		for i := range changes {
			judge.Diff(&changes[i].Before, &changes[i].After, &diff)
		}
		for i := range changes {
			same := workload.Undecoded(changes[i : i+1])[0].Before
			same.Now = changes[i].Before.Now + 1
			n := testing.AllocsPerRun(10, func() {
				judge.Diff(&changes[i].Before, &same, &diff)
			})
			if n != 0 {
				t.Errorf("%s: change %d: %v allocations, want none", kind, i, n)
			}
		}
	}
}
