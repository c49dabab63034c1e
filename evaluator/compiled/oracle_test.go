package compiled

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"muster/evaluator"
	"muster/evaluator/compiled/internal/cases"
	"muster/evaluator/compiled/workload"
	"muster/evaluator/plain"
)

// judges are the two that must agree.
type judges struct {
	audiences []evaluator.Audience
	plain     *plain.Judge
	compiled  []*Judge // one for each routing
	changes   int
}

func newJudges(audiences []evaluator.Audience, schema *evaluator.Schema, routings ...routing) (judges, error) {
	p, err := plain.Compile(audiences, schema)
	if err != nil {
		return judges{}, err
	}
	j := judges{audiences: audiences, plain: p.NewJudge()}
	for _, r := range routings {
		c, err := compileSet(audiences, schema, options{routing: r})
		if err != nil {
			return judges{}, err
		}
		j.compiled = append(j.compiled, c.NewJudge())
	}
	return j, nil
}

// disagreement judges a change and both its sides and says what differs.
func (j *judges) disagreement(before, after *evaluator.Input) error {
	var want, got evaluator.Diff
	j.plain.Diff(before, after, &want)
	j.changes += len(want.Changes)
	var wantMatch, gotMatch evaluator.Match
	j.plain.Match(after, &wantMatch)
	for r, c := range j.compiled {
		if c.Diff(before, after, &got); !slices.Equal(want.Changes, got.Changes) || want.NextFlip != got.NextFlip {
			return fmt.Errorf("diff: plain %v, compiled by routing %d %v", want, r, got)
		}
		if c.Match(after, &gotMatch); !slices.Equal(wantMatch.Members, gotMatch.Members) || wantMatch.NextFlip != gotMatch.NextFlip {
			return fmt.Errorf("match: plain %v, compiled by routing %d %v", wantMatch, r, gotMatch)
		}
	}
	return nil
}

var (
	caseCount = flag.Int("cases", 20_000, "how many changes TestAgreesWithPlain judges")
	firstSeed = flag.Uint64("seed", 0, "the seed TestAgreesWithPlain begins with")
)

// TestAgreesWithPlain judges random changes by random audiences and compares everything that is told of them. A case is one
// change of one user: its Diff, and the Match of what it left. With -cases it goes on for as long as one likes.
func TestAgreesWithPlain(t *testing.T) {
	t.Parallel()
	var next, judged, changes atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for int(judged.Load()) < *caseCount && !t.Failed() {
				n, found, err := agree(*firstSeed + uint64(next.Add(1)))
				if err != nil {
					t.Error(err)
				}
				judged.Add(int64(n))
				changes.Add(int64(found))
			}
		})
	}
	workers.Wait()
	t.Logf("%d cases, %d changes of membership, %d sets of audiences, no disagreement", judged.Load(), changes.Load(), next.Load())
}

// agree judges the changes of one seed. Few audiences make many sets; one set in sixteen is of as many as fill several groups.
func agree(seed uint64) (judged, changes int, err error) {
	m := cases.New(rand.New(rand.NewPCG(seed, 1)))
	n, steps := 1+m.IntN(40), 100
	if seed%16 == 7 {
		n, steps = 100+m.IntN(400), 25
	}
	audiences := m.Audiences(n)
	j, err := newJudges(audiences, cases.Schema, routing(seed%3))
	if err != nil {
		return 0, 0, err
	}
	in := m.Input(audiences)
	for range steps {
		next := m.Next(in, audiences)
		if err := j.disagreement(&in, &next); err != nil {
			return judged, j.changes, fmt.Errorf("seed %d: %w\n%s", seed, err, describe(audiences, &in, &next))
		}
		in = next
		judged++
	}
	return judged, j.changes, nil
}

// TestLargeSetsAgreeWithPlain judges changes by audiences as people write them, by so many that every way through the words of
// groups is taken.
func TestLargeSetsAgreeWithPlain(t *testing.T) {
	t.Parallel()
	for _, kind := range []workload.Kind{workload.Dense, workload.Sparse, workload.Mixed} {
		for _, n := range []int{130, 1_000, 9_000} {
			t.Run(fmt.Sprint(kind, n), func(t *testing.T) {
				t.Parallel()
				j, err := newJudges(workload.Audiences(kind, n, false), workload.Schema, byFrequency, everyPinHashed, everythingInLanes)
				if err != nil {
					t.Fatal(err)
				}
				for _, attributes := range []int{1, 3, workload.Attributes} {
					for i, c := range workload.Changes(8, attributes) {
						c.After.Now += evaluator.Instant(i) * 3_600_000_000
						if err := j.disagreement(&c.Before, &c.After); err != nil {
							t.Fatal(err)
						}
					}
				}
				if j.changes == 0 && kind != workload.Sparse { // few users have an account that few of those ask for
					t.Error("nothing changed")
				}
			})
		}
	}
}

// FuzzAgreesWithPlain lets the fuzzer choose the case, byte by byte.
func FuzzAgreesWithPlain(f *testing.F) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 9))
		choices := make([]byte, 2_000)
		for i := range choices {
			choices[i] = byte(r.Uint32())
		}
		f.Add(choices)
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		b := byteSource(choices)
		m := cases.New(&b)
		audiences := m.Audiences(1 + m.IntN(8))
		j, err := newJudges(audiences, cases.Schema, byFrequency, everyPinHashed, everythingInLanes)
		if err != nil {
			t.Fatal(err)
		}
		in := m.Input(audiences)
		for range 4 {
			next := m.Next(in, audiences)
			if err := j.disagreement(&in, &next); err != nil {
				t.Fatalf("%v\n%s", err, describe(audiences, &in, &next))
			}
			in = next
		}
	})
}

// byteSource takes choices from bytes, and the first possibility when there are none left.
type byteSource []byte

func (b *byteSource) IntN(n int) int {
	if len(*b) == 0 {
		return 0
	}
	c := (*b)[0]
	*b = (*b)[1:]
	return int(c) % n
}

func describe(audiences []evaluator.Audience, before, after *evaluator.Input) string {
	var text []byte
	for _, a := range audiences {
		text = fmt.Appendf(text, "%d %s\n", a.ID, a.Definition.Canonical())
	}
	for _, in := range []*evaluator.Input{before, after} {
		text = fmt.Appendf(text, "user %q now %v given %v\n", in.User, in.Now, in.Given)
		for i := range cases.Schema.Columns {
			if in.Row != nil {
				text = fmt.Appendf(text, "  %s %q\n", cases.Schema.Columns[i].Name, in.Row.Text(i))
			}
		}
	}
	return string(text)
}
