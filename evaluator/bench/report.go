package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// report prints what BENCHMARKS.md shows: where and with what was measured, the figures, and the ratios to the best rival.
func report(to io.Writer, rows []Row) error {
	w := bufio.NewWriter(to)
	fmt.Fprintf(w, "\n%s. %s\n%s\n", time.Now().UTC().Format("2006-01-02"), machine(), versions())
	fmt.Fprintf(w, "Three attributes changed, processor time of the one thread:\n\n| workload | audiences | subject | us/op | changes/op | allocs/op |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		if r.Changed == 3 {
			fmt.Fprintf(w, "| %s | %d | %s | %s | %.2f | %.1f |\n", r.Workload, r.Audiences, r.Subject, micros(r.CPUNsOp), r.ChangesOp, r.AllocsOp)
		}
	}
	fmt.Fprintf(w, "\nHow many times as long the best rival takes:\n\n| workload | audiences | changed | as shipped | helped |\n|---|---|---|---|---|\n")
	for _, r := range rows {
		if r.Subject != product {
			continue
		}
		shipped, helped := best(rows, r, false), best(rows, r, true)
		if shipped == nil || helped == nil {
			continue
		}
		fmt.Fprintf(w, "| %s | %d | %d | %.0f (%s) | %.0f (%s) |\n", r.Workload, r.Audiences, r.Changed,
			shipped.CPUNsOp/r.CPUNsOp, shipped.Subject, helped.CPUNsOp/r.CPUNsOp, helped.Subject)
	}
	return w.Flush()
}

const helpedName = ", helped"

// best is the fastest rival in the place of a row of the product, as shipped or helped; nil when none took part.
func best(rows []Row, of Row, helped bool) (found *Row) {
	for i := range rows {
		r := &rows[i]
		if r.Workload != of.Workload || r.Audiences != of.Audiences || r.Changed != of.Changed || r.Subject == oracle || strings.HasPrefix(r.Subject, product) ||
			strings.HasSuffix(r.Subject, helpedName) != helped {
			continue
		}
		if found == nil || r.CPUNsOp < found.CPUNsOp {
			found = r
		}
	}
	return found
}

func micros(ns float64) string {
	const thousand = 1_000
	if us := ns / thousand; us >= 100 {
		return fmt.Sprintf("%.0f", us)
	}
	return fmt.Sprintf("%.2f", ns/thousand)
}

// machine says where this runs and how busy that is, as far as it can be known.
func machine() string {
	text := fmt.Sprintf("%d cores, %s/%s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				text += ", " + strings.TrimSpace(value)
				break
			}
		}
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		text += ", load at the end " + strings.Join(strings.Fields(string(load))[:3], " ")
	}
	return text
}

// versions says what was measured.
func versions() string {
	text := runtime.Version()
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return text
	}
	rivals := []string{"github.com/expr-lang/expr", "cel.dev/cel-go", "github.com/launchdarkly/go-server-sdk-evaluation/v3"}
	for _, m := range info.Deps {
		if slices.Contains(rivals, m.Path) {
			text += ", " + m.Path + " " + m.Version
		}
	}
	return text
}
