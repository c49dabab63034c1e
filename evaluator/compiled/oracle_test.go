package compiled

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"muster/evaluator"
	"muster/evaluator/compiled/internal/cases"
	"muster/evaluator/plain"
)

// judges are the two that must agree.
type judges struct {
	audiences []evaluator.Audience
	plain     *plain.Judge
	compiled  []*Judge // one for each routing
	changes   int
}

func newJudges(audiences []evaluator.Audience) (judges, error) {
	p, err := plain.Compile(audiences, cases.Schema)
	if err != nil {
		return judges{}, err
	}
	j := judges{audiences: audiences, plain: p.NewJudge()}
	for _, r := range []routing{byFrequency, everyPinHashed, everythingInLanes} {
		c, err := compileSet(audiences, cases.Schema, options{routing: r})
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

func TestAgreesWithPlain(t *testing.T) {
	t.Parallel()
	total, count := 0, 0
	for seed := range uint64(150) {
		m := cases.New(rand.New(rand.NewPCG(seed, 1)))
		audiences := m.Audiences(1 + m.IntN(40))
		j, err := newJudges(audiences)
		if err != nil {
			t.Fatal(err)
		}
		in := m.Input(audiences)
		for range 40 {
			next := m.Next(in, audiences)
			if err := j.disagreement(&in, &next); err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, describe(audiences, &in, &next))
			}
			in = next
		}
		total += j.changes
		count += len(audiences)
	}
	t.Log(total, count)
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
