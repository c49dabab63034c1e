package compiled

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"muster/evaluator"
	"muster/evaluator/compiled/workload"
)

// BenchmarkDiff is one change of one user, on rows whose values are parsed already.
func BenchmarkDiff(b *testing.B) { benchmarkDiff(b, false) }

// BenchmarkDiffCommon is the same with the operators that rivals share.
func BenchmarkDiffCommon(b *testing.B) { benchmarkDiff(b, true) }

func benchmarkDiff(b *testing.B, common bool) {
	for _, kind := range []workload.Kind{workload.Dense, workload.Sparse, workload.Mixed} {
		for _, n := range []int{1_000, 10_000, 100_000} {
			var set *Set
			for _, attributes := range []int{1, 3, workload.Attributes} {
				b.Run(fmt.Sprintf("%s/audiences=%d/changed=%d", kind, n, attributes), func(b *testing.B) {
					if set == nil {
						set = mustCompile(b, workload.Audiences(kind, n, common))
					}
					changes := workload.Changes(64, attributes)
					judge, diff, count := set.NewJudge(), evaluator.Diff{}, 0
					for i := range changes { // all memory is there before the clock runs
						judge.Diff(&changes[i].Before, &changes[i].After, &diff)
						count += len(diff.Changes)
					}
					b.ReportAllocs()
					i, start := 0, cpuTime()
					for b.Loop() {
						c := &changes[i%len(changes)]
						judge.Diff(&c.Before, &c.After, &diff)
						i++
					}
					b.ReportMetric(float64(cpuTime()-start)/float64(b.N), "cpu-ns/op")
					b.ReportMetric(float64(count)/float64(len(changes)), "changes/op")
				})
			}
		}
	}
}

// cpuTime is what this process has used of its processors: it does not count the time that neighbours take away.
func cpuTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t); err != nil {
		panic(err)
	}
	return time.Duration(t.Nano())
}

func mustCompile(tb testing.TB, audiences []evaluator.Audience) *Set {
	tb.Helper()
	set, err := Compile(audiences, workload.Schema)
	if err != nil {
		tb.Fatal(err)
	}
	return set
}
