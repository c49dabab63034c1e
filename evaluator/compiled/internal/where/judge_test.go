package where_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"muster/evaluator"
	"muster/evaluator/compiled"
	"muster/evaluator/compiled/internal/cases"
	"muster/evaluator/compiled/internal/where"
	"muster/evaluator/plain"
)

var (
	rounds    = flag.Int("rounds", 8, "how many sets of audiences, each over a table of its own, TestPostgresAgrees judges")
	firstSeed = flag.Uint64("seed", 0, "the seed TestPostgresAgrees begins with")
)

const (
	perSet   = 30 // audiences, beside which each of their conditions is one by itself
	perTable = 60 // users
	clocks   = 3  // instants each user is judged at

	// last is an instant about as late as Postgres has them: in the year 200,000 or so.
	last = evaluator.Instant(198_000 * 365 * 86_400 * 1_000_000)
)

// TestPostgresAgrees judges random audiences over a real users table by all three judges: plain, compiled, and Postgres, to
// which each audience is a WHERE clause. The next flip is held against Postgres too: just before it nobody's membership is
// another, and at it somebody's is.
func TestPostgresAgrees(t *testing.T) {
	t.Parallel()
	w := newTable(t)
	var total tally
	for seed := *firstSeed; seed < *firstSeed+uint64(*rounds); seed++ {
		r := newRound(w, seed)
		r.judge(r.clauses())
		if len(r.faults) > 0 {
			t.Fatalf("seed %d: %d disagreements, the first of them:\n%s", seed, len(r.faults), strings.Join(r.faults[:min(len(r.faults), 3)], "\n"))
		}
		total.add(&r.tally)
	}
	t.Logf("%d verdicts, %d of them in, %d flips in %d rounds, no disagreement", total.verdicts, total.in, total.flips, *rounds)
	total.check(t)
}

// tally says what was judged.
type tally struct {
	verdicts, in, flips int
	operators           map[evaluator.Operator]int
}

func (a *tally) add(b *tally) {
	a.verdicts, a.in, a.flips = a.verdicts+b.verdicts, a.in+b.in, a.flips+b.flips
	if a.operators == nil {
		a.operators = make(map[evaluator.Operator]int)
	}
	for op, n := range b.operators {
		a.operators[op] += n
	}
}

// check sees to it that the cases were such as prove something.
func (a *tally) check(t *testing.T) {
	t.Helper()
	for op := evaluator.OpEqualTo; op <= evaluator.OpInSample; op++ {
		if positive, _ := op.Positive(); positive != evaluator.OpMatches && a.operators[op] == 0 {
			t.Errorf("no audience asked %s", op)
		}
	}
	if a.in < a.verdicts/10 || a.in > a.verdicts*9/10 {
		t.Errorf("%d of %d verdicts are in: the cases are one-sided", a.in, a.verdicts)
	}
	if a.flips < perTable {
		t.Errorf("only %d flips", a.flips)
	}
}

// round is one set of audiences over one table.
type round struct {
	*table
	tally
	audiences []evaluator.Audience
	singles   int // how many of them, the last ones, are of one condition
	inputs    []evaluator.Input
	faults    []string
}

func newRound(w *table, seed uint64) *round {
	m := cases.New(rand.New(rand.NewPCG(seed, 15)))
	m.Portable = true
	r := &round{table: w, audiences: m.Audiences(perSet)}
	r.operators = make(map[evaluator.Operator]int)
	r.conditions()
	for _, u := range w.fill(m, r.audiences, perTable) {
		for range clocks {
			u.Now = m.Now()
			r.inputs = append(r.inputs, u)
		}
	}
	return r
}

// conditions adds an audience of its own for every condition: what is wrong with one shows, whatever stands beside it.
func (r *round) conditions() {
	for _, a := range slices.Clone(r.audiences) {
		a.Definition.Leaves(func(c *evaluator.Condition) {
			r.operators[c.Operator]++
			r.singles++
			r.audiences = append(r.audiences, single(evaluator.AudienceID(len(r.audiences)+perSet), *c))
		})
	}
}

// single is an audience of one condition.
func single(id evaluator.AudienceID, c evaluator.Condition) evaluator.Audience {
	return evaluator.Audience{ID: id, Definition: &evaluator.Definition{
		Key: fmt.Sprintf("condition-%d", id), Type: evaluator.Dynamic, Segments: []evaluator.Segment{{Conditions: []evaluator.Condition{c}}},
	}}
}

// clauses says the dynamic audiences, by their order; the others' places hold "false".
func (r *round) clauses() []string {
	r.t.Helper()
	say := where.New(cases.Schema, r.audiences)
	clauses := make([]string, len(r.audiences))
	for i, a := range r.audiences {
		clauses[i] = "false"
		if a.Definition.Type == evaluator.Static {
			continue
		}
		var err error
		if clauses[i], err = say.Of(a.Definition); err != nil {
			r.t.Fatal(err)
		}
	}
	return clauses
}

// judge asks all three about every user at several instants, and then about the instants at which verdicts flip.
func (r *round) judge(clauses []string) {
	r.t.Helper()
	p, err := plain.Compile(r.audiences, cases.Schema)
	if err != nil {
		r.t.Fatal(err)
	}
	c, err := compiled.Compile(r.audiences, cases.Schema)
	if err != nil {
		r.t.Fatal(err)
	}
	judges := []judge{{"plain", p.NewJudge()}, {"compiled", c.NewJudge()}}
	before := r.ask(clauses, r.inputs)
	flips := r.compare(judges, r.inputs, before)
	r.flip(judges, clauses, before, flips)
}

type judge struct {
	name string
	matcher
}

type matcher interface {
	Match(*evaluator.Input, *evaluator.Match)
}

// compare holds the judges against what Postgres says of inputs, and returns when each flips next.
func (r *round) compare(judges []judge, inputs []evaluator.Input, said [][]bool) []evaluator.Instant {
	flips := make([]evaluator.Instant, len(inputs))
	var match evaluator.Match
	for i := range inputs {
		r.verdicts += len(r.audiences)
		for _, j := range judges {
			j.Match(&inputs[i], &match)
			for k, a := range r.audiences {
				if holds := slices.Contains(match.Members, a.ID); holds != said[i][k] {
					r.fault(&inputs[i], "%s: %s says %t, Postgres %t: %s", a.Definition.Key, j.name, holds, said[i][k], a.Definition.Canonical())
				}
			}
		}
		r.in += len(match.Members)
		flips[i] = match.NextFlip
	}
	return flips
}

// flip asks again just before each input's next flip, and at it. Where there is none, verdicts last as long as Postgres does.
func (r *round) flip(judges []judge, clauses []string, first [][]bool, flips []evaluator.Instant) {
	r.t.Helper()
	before, at := slices.Clone(r.inputs), slices.Clone(r.inputs)
	for i, f := range flips {
		flips[i] = min(f, last)
		before[i].Now, at[i].Now = flips[i]-1, flips[i]
	}
	stays := r.ask(clauses, before)
	differs := r.ask(clauses, at)
	for i := range r.inputs {
		if !slices.Equal(stays[i], first[i]) {
			r.fault(&r.inputs[i], "Postgres says %v, and %v at %v, before the next flip", first[i], stays[i], before[i].Now)
		}
		switch flipped := !slices.Equal(differs[i], first[i]); {
		case flips[i] == last && flipped:
			r.fault(&r.inputs[i], "no flip is told, and Postgres sees one: %v, and %v", first[i], differs[i])
		case flips[i] < last && !flipped:
			r.fault(&r.inputs[i], "a flip is told at %v, and Postgres sees none", flips[i])
		case flipped:
			r.flips++
		}
	}
	r.compare(judges, at, differs)
}

func (r *round) fault(in *evaluator.Input, format string, args ...any) {
	text := fmt.Sprintf(format, args...) + fmt.Sprintf("\n  user %q at %v, given %v\n ", in.User, in.Now, in.Given)
	for i := range cases.Schema.Columns {
		text += fmt.Sprintf(" %s=%q", cases.Schema.Columns[i].Name, in.Row.Text(i))
	}
	r.faults = append(r.faults, text)
}
