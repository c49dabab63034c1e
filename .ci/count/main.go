// Command count reads what `go test -json` writes and says it in a form for people: a line a package as it ends, then
// the whole output of what failed and of nothing else, where it is found at once, and as its last line the plain count
//
//	N passed, N failed
//
// of tests and subtests; a package that does not build, or dies outside a test, counts as one failure. It exits with 1
// when anything failed or nothing ran.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	if !count(os.Stdin, os.Stdout) {
		os.Exit(1)
	}
}

// event is one line of test2json; see `go doc test2json`. Build errors come under their own import path.
type event struct {
	Action      string
	Package     string
	ImportPath  string
	FailedBuild string
	Test        string
	Elapsed     float64
	Output      string
}

// tally collects events until their package ends.
type tally struct {
	out                     io.Writer
	passed, failed, skipped int
	packages                map[string]*pkg
	builds                  map[string]*strings.Builder // output of builds, by import path
	failures                strings.Builder             // what failed and all that it wrote
}

// pkg is a package whose tests run.
type pkg struct {
	name    string
	tests   int
	failed  int
	skipped []string
	outputs map[string]*strings.Builder // by test; "" is the package's own
}

func count(in io.Reader, out io.Writer) bool {
	t := &tally{out: out, packages: make(map[string]*pkg), builds: make(map[string]*strings.Builder)}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		var e event
		switch {
		case line == "":
		case json.Unmarshal([]byte(line), &e) != nil || e.Action == "":
			fmt.Fprint(out, line) // not of test2json: something that went wrong before
		default:
			t.add(e)
		}
		if err != nil {
			break
		}
	}
	t.unfinished()
	fmt.Fprint(out, t.failures.String())
	if t.skipped > 0 {
		fmt.Fprintf(out, "%d skipped\n", t.skipped)
	}
	fmt.Fprintf(out, "%d passed, %d failed\n", t.passed, t.failed)
	return t.failed == 0 && t.passed > 0
}

func (t *tally) add(e event) {
	if e.Action == "build-output" {
		write(t.builds, e.ImportPath, e.Output)
	}
	if e.Package == "" {
		return
	}
	p := t.packages[e.Package]
	if p == nil {
		p = &pkg{name: e.Package, outputs: make(map[string]*strings.Builder)}
		t.packages[e.Package] = p
	}
	if e.Action == "output" {
		write(p.outputs, e.Test, e.Output)
	} else if e.Test != "" {
		t.test(p, e)
	} else if e.Action == "pass" || e.Action == "fail" || e.Action == "skip" {
		t.end(p, e)
	}
}

func write(to map[string]*strings.Builder, key, text string) {
	if to[key] == nil {
		to[key] = new(strings.Builder)
	}
	to[key].WriteString(text)
}

// test counts a test that has ended and prints it when it failed. Subtests end before their parents.
func (t *tally) test(p *pkg, e event) {
	switch e.Action {
	case "pass":
		t.passed++
		p.tests++
	case "skip":
		t.skipped++
		p.skipped = append(p.skipped, e.Test)
	case "fail":
		t.failed++
		p.failed++
		fmt.Fprintf(&t.failures, "--- %s %s\n%s", p.name, e.Test, text(p.outputs[e.Test]))
	default:
		return
	}
	delete(p.outputs, e.Test)
}

// end prints the package's line, and its own output when it failed without a test to blame.
func (t *tally) end(p *pkg, e event) {
	delete(t.packages, p.name)
	switch {
	case e.Action == "fail":
		if p.failed == 0 {
			t.failed++
			fmt.Fprintf(&t.failures, "--- %s\n%s%s", p.name, text(t.builds[e.FailedBuild]), p.all())
		}
		fmt.Fprintf(t.out, "FAIL  %s  %.1fs\n", p.name, e.Elapsed)
	case p.tests == 0 && len(p.skipped) == 0:
		// Nothing to test in it.
	default:
		fmt.Fprintf(t.out, "ok    %s  %d tests  %.1fs\n", p.name, p.tests, e.Elapsed)
	}
	for _, name := range p.skipped {
		fmt.Fprintf(t.out, "skip  %s  %s\n", p.name, name)
	}
}

// unfinished counts packages whose end never came: the test run itself was killed.
func (t *tally) unfinished() {
	for _, p := range t.packages {
		t.failed++
		fmt.Fprintf(t.out, "FAIL  %s  did not end\n", p.name)
		fmt.Fprintf(&t.failures, "--- %s\n%s", p.name, p.all())
	}
}

// all is everything that is still held of the package's output, its own last: that is where a panic is.
func (p *pkg) all() string {
	names := make([]string, 0, len(p.outputs))
	for name := range p.outputs {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(b, a) })
	var all strings.Builder
	for _, name := range names {
		all.WriteString(text(p.outputs[name]))
	}
	return all.String()
}

func text(b *strings.Builder) string {
	if b == nil {
		return ""
	}
	return b.String()
}
