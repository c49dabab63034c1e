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
			if n := fewestAllocs(func() { judge.Diff(&changes[i].Before, &same, &diff) }); n != 0 {
				t.Errorf("%s: change %d: %v allocations, want none", kind, i, n)
			}
		}
	}
}

// fewestAllocs counts what f itself allocates. A collection may empty the pools of regexp at any time, and the race detector
// does so at random; what is needed to fill them again comes and goes.
func fewestAllocs(f func()) float64 {
	n := testing.AllocsPerRun(10, f)
	for try := 0; n != 0 && try < 20; try++ {
		n = min(n, testing.AllocsPerRun(10, f))
	}
	return n
}
