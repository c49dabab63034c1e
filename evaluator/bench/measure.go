package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"muster/evaluator"
	"muster/evaluator/compiled/workload"
)

// Row is one measurement.
type Row struct {
	Workload   string  `json:"workload"`
	Audiences  int     `json:"audiences"`
	Changed    int     `json:"attributes_changed"`
	Subject    string  `json:"subject"`
	NsOp       float64 `json:"ns/op"`
	CPUNsOp    float64 `json:"cpu-ns/op"` // of the one thread: what a busy machine does not distort
	ChangesOp  float64 `json:"changes/op"`
	AllocsOp   float64 `json:"allocs/op"`
	CompileMs  float64 `json:"compile_ms"`
	CompiledMB float64 `json:"compiled_MB"`
}

// subject finds the audiences that a change of a user changes. The changes it knows are given at its making, so that it can
// decode them in advance.
type subject interface {
	diff(change int) error
	found() []evaluator.AudienceID // by the last diff, ascending
}

// entrant makes a subject of audiences and changes.
type entrant struct {
	name   string
	common bool // it takes part on the operators that all can express; else on all of them
	slow   bool // it takes tenths of a second for a change of a hundred thousand audiences
	make   func(audiences []evaluator.Audience, changes []workload.Change) (subject, error)
}

// takesPart reports whether an entrant is measured. The slow ones take part with the most audiences only where the product's
// design matters most, and only with three attributes changed: all of it would take an hour.
func (e *entrant) takesPart(kind workload.Kind, n, changed int, common bool) bool {
	const most, usual = 10_000, 3
	return e.common == common && (!e.slow || n <= most || kind != workload.Dense && changed == usual)
}

// longest bounds one measurement, once every change has been found: a slow subject is measured on fewer.
const longest = 3 * time.Second

// usersAt is how many changes a set of so many audiences is measured with: rivals take tenths of a second for each at a
// hundred thousand.
func usersAt(audiences int) int { return max(16, min(64, 320_000/audiences)) }

func measureAll(kind workload.Kind, n int) ([]Row, error) {
	var rows []Row
	for _, common := range []bool{false, true} {
		audiences := workload.Audiences(kind, n, common)
		for _, changed := range []int{1, 3, workload.Attributes} {
			changes := workload.Changes(usersAt(n), changed)
			var want [][]evaluator.AudienceID
			for _, e := range entrants {
				if !e.takesPart(kind, n, changed, common) {
					continue
				}
				r, found, err := measure(e, audiences, changes)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", e.name, err)
				}
				if want == nil {
					want = found
				}
				for i := range found {
					if !slices.Equal(found[i], want[i]) {
						return nil, fmt.Errorf("%s: change %d: it finds %v, and %s %v", e.name, i, found[i], entrants[0].name, want[i])
					}
				}
				r.Workload, r.Audiences, r.Changed = string(kind), n, changed
				fmt.Fprintf(os.Stderr, "%-7s %6d audiences, %2d changed  %-22s %12.0f ns/op %12.0f cpu-ns/op %8.2f changes/op %8.1f allocs/op\n",
					kind, n, changed, e.name, r.NsOp, r.CPUNsOp, r.ChangesOp, r.AllocsOp)
				rows = append(rows, r)
			}
		}
	}
	return rows, nil
}

// measure makes a subject, lets it find every change once, and measures it going round them.
func measure(e entrant, audiences []evaluator.Audience, changes []workload.Change) (Row, [][]evaluator.AudienceID, error) {
	r := Row{Subject: e.name}
	debug.FreeOSMemory() // of the one before
	heap := heapBytes()
	start := time.Now()
	s, err := e.make(audiences, changes)
	if err != nil {
		return r, nil, err
	}
	r.CompileMs = float64(time.Since(start).Microseconds()) / 1000
	r.CompiledMB = float64(heapBytes()-heap) / (1 << 20)
	found := make([][]evaluator.AudienceID, len(changes))
	start = time.Now()
	for i := range changes {
		if err := s.diff(i); err != nil {
			return r, nil, err
		}
		found[i] = slices.Clone(s.found())
		r.ChangesOp += float64(len(found[i])) / float64(len(changes))
	}
	err = goRound(s, len(changes), time.Since(start), &r)
	return r, found, err
}

// windows is how many times a subject is measured; the fastest counts, for a neighbour on the machine only ever slows it down.
const windows = 10

// goRound measures how long the changes take on one thread, in windows of whole rounds of them. A subject that takes too long
// for two rounds, given how long one took, is measured once, on as many changes as there is time for.
func goRound(s subject, changes int, round time.Duration, r *Row) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if 2*round > longest {
		return r.window(s, max(1, min(changes, int(int64(longest)*int64(changes)/int64(round)))), 0)
	}
	begin := time.Now()
	for w := 0; w < windows && time.Since(begin) < longest; w++ {
		if err := r.window(s, changes, *least/windows); err != nil {
			return err
		}
	}
	return nil
}

// window judges the changes in rounds until enough time has passed, and keeps the figures if they are the best so far.
func (r *Row) window(s subject, changes int, enough time.Duration) error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, took := 0, time.Duration(0)
	start, cpu := time.Now(), threadTime()
	for n == 0 || took < enough {
		for change := range changes {
			if err := s.diff(change); err != nil {
				return err
			}
		}
		n += changes
		took = time.Since(start)
	}
	used := float64(threadTime()-cpu) / float64(n)
	if r.CPUNsOp == 0 || used < r.CPUNsOp {
		r.NsOp, r.CPUNsOp = float64(took)/float64(n), used
		runtime.ReadMemStats(&after)
		r.AllocsOp = float64(after.Mallocs-before.Mallocs) / float64(n)
	}
	runtime.KeepAlive(s)
	return nil
}

func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// threadTime is what this thread has used of a processor.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
