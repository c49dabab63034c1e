package compiled

import (
	"runtime"
	"testing"

	"muster/evaluator"
	"muster/evaluator/compiled/workload"
)

// BenchmarkCompile is the making of a set, with the memory that it keeps and that its making took.
func BenchmarkCompile(b *testing.B) {
	for name, n := range map[string]int{"audiences=1000": 1_000, "audiences=10000": 10_000, "audiences=100000": 100_000} {
		b.Run(name, func(b *testing.B) {
			audiences := workload.Audiences(workload.Dense, n, false)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			b.ReportAllocs()
			var set *Set
			start := cpuTime()
			for b.Loop() {
				set = mustCompile(b, audiences)
			}
			b.ReportMetric(float64(cpuTime()-start)/float64(b.N)/1e6, "cpu-ms/op")
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "kept-MB")
			runtime.KeepAlive(set)
		})
	}
}

// BenchmarkScan is one audience over many users, as a backfill or a preview reads them: rows that nobody has parsed yet.
func BenchmarkScan(b *testing.B) {
	audiences := workload.Audiences(workload.Dense, 1, false)
	judge := mustCompile(b, audiences).NewJudge()
	changes := workload.Undecoded(workload.Changes(64, 3))
	var match evaluator.Match
	b.ReportAllocs()
	i, start := 0, cpuTime()
	for b.Loop() {
		in := &changes[i%len(changes)].After
		if err := in.Row.Reset(workload.Schema, in.Row.Tuple()); err != nil {
			b.Fatal(err)
		}
		judge.Match(in, &match)
		i++
	}
	b.ReportMetric(float64(cpuTime()-start)/float64(b.N), "cpu-ns/op")
}
