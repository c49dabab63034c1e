package compiled

import (
	"math/rand/v2"
	"slices"
	"testing"

	"muster/evaluator"
	"muster/evaluator/compiled/internal/cases"
	"muster/evaluator/compiled/workload"
	"muster/evaluator/plain"
)

// TestUpdateAgreesWithPlain changes definitions again and again, by Update and through a Compiler, and compares with plain
// after each step: references lead into the base, out of it and to what is gone.
func TestUpdateAgreesWithPlain(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		m := cases.New(rand.New(rand.NewPCG(seed, 2)))
		current := m.Audiences(1 + m.IntN(30))
		compiler := NewCompiler()
		set := mustSet(t, compiler, current)
		for range 6 {
			changed, removed := edits(m, current)
			next, err := set.Update(changed, removed)
			if err != nil {
				continue // the edit made a circle: the set before stays
			}
			set, current = next, next.audiences
			p, err := plain.Compile(current, cases.Schema)
			if err != nil {
				t.Fatal(err)
			}
			j := judges{audiences: current, plain: p.NewJudge(), compiled: []*Judge{set.NewJudge(), mustSet(t, compiler, current).NewJudge()}}
			in := m.Input(current)
			for range 10 {
				next := m.Next(in, current)
				if err := j.disagreement(&in, &next); err != nil {
					t.Fatalf("seed %d: %v\n%s", seed, err, describe(current, &in, &next))
				}
				in = next
			}
		}
		compiler.Close()
	}
}

func mustSet(t *testing.T, c *Compiler, audiences []evaluator.Audience) *Set {
	t.Helper()
	set, err := c.Compile(audiences, cases.Schema)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// edits gives some audiences the definitions of others and removes some.
func edits(m *cases.Maker, current []evaluator.Audience) (changed []evaluator.Audience, removed []evaluator.AudienceID) {
	fresh := m.Audiences(30)
	for _, a := range fresh {
		i := slices.IndexFunc(current, func(c evaluator.Audience) bool { return c.ID == a.ID })
		switch {
		case i < 0 && m.IntN(4) == 0:
			changed = append(changed, a)
		case i >= 0 && m.IntN(6) == 0 && current[i].Definition.Type == a.Definition.Type:
			changed = append(changed, a)
		case i >= 0 && m.IntN(10) == 0:
			removed = append(removed, a.ID)
		}
	}
	return changed, removed
}

// TestCompilerMerges adds so many audiences one by one that the compiler merges in the background.
func TestCompilerMerges(t *testing.T) {
	t.Parallel()
	all := workload.Audiences(workload.Mixed, 400, false)
	c := NewCompiler()
	defer c.Close()
	for n := 100; n <= len(all); n += 25 {
		set, err := c.Compile(all[:n], workload.Schema)
		if err != nil {
			t.Fatal(err)
		}
		whole := mustCompile(t, all[:n])
		var got, want evaluator.Match
		for _, change := range workload.Changes(4, 3) {
			set.NewJudge().Match(&change.After, &got)
			whole.NewJudge().Match(&change.After, &want)
			if !slices.Equal(got.Members, want.Members) || got.NextFlip != want.NextFlip {
				t.Fatalf("%d audiences: got %v, want %v", n, got, want)
			}
		}
		c.merging.Wait() // so that the next round sees the merge
	}
	if n := len(c.base.segment.audiences); n <= 100 {
		t.Errorf("the base still holds %d audiences", n)
	}
}

// BenchmarkUpdate is one audience more among ten thousand: until a set is ready, and until a judge is.
func BenchmarkUpdate(b *testing.B) {
	all := workload.Audiences(workload.Dense, 10_001, false)
	set := mustCompile(b, all[:10_000])
	start := cpuTime()
	for b.Loop() {
		next, err := set.Update(all[10_000:], nil)
		if err != nil {
			b.Fatal(err)
		}
		next.NewJudge()
	}
	b.ReportMetric(float64(cpuTime()-start)/float64(b.N)/1e6, "cpu-ms/op")
}
