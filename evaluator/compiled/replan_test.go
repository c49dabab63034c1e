package compiled

import (
	"fmt"
	"slices"
	"testing"

	"muster/evaluator"
	"muster/evaluator/compiled/internal/cases"
	"muster/evaluator/plain"
)

// planned are audiences that each pin a plan, more of them than a guess calls common.
func planned(t *testing.T) []evaluator.Audience {
	t.Helper()
	var audiences []evaluator.Audience
	for i := range 1_200 {
		d, err := evaluator.Decode(fmt.Appendf(nil, `{"type":"dynamic","segments":[{"conditions":[{"property":"recipient.plan","operator":"equal_to",`+
			`"argument":"p%d"},{"property":"recipient.seats","operator":"greater_than","argument":%d}]}]}`, i, i%3), fmt.Sprintf("a%d", i))
		if err != nil {
			t.Fatal(err)
		}
		audiences = append(audiences, evaluator.Audience{ID: evaluator.AudienceID(i + 1), Definition: d})
	}
	return audiences
}

func planRow(t *testing.T, plan string) *evaluator.Row {
	t.Helper()
	tuple := evaluator.Tuple{}
	for i := range cases.Schema.Columns {
		switch cases.Schema.Columns[i].Name {
		case "plan":
			tuple = tuple.AppendText([]byte(plan))
		case "seats":
			tuple = tuple.AppendText([]byte("2"))
		default:
			tuple = tuple.AppendNull()
		}
	}
	row, err := evaluator.NewRow(cases.Schema, tuple)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// TestReplanFollowsWhatIsSeen: a value that many users turn out to have goes to the lanes, and back when it is rare again. No
// answer changes by that.
func TestReplanFollowsWhatIsSeen(t *testing.T) {
	t.Parallel()
	audiences := planned(t)
	oracle, err := plain.Compile(audiences, cases.Schema)
	if err != nil {
		t.Fatal(err)
	}
	c := NewCompiler()
	defer c.Close()
	set, err := c.Compile(audiences, cases.Schema)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, inLanes ...int) {
		t.Helper()
		if got := routed(set); !slices.Equal(got, inLanes) {
			t.Errorf("%s: in the lanes are %v, want %v", what, got, inLanes)
		}
		if hashed, lanes := set.Routes(); lanes != len(inLanes) || hashed+lanes != len(audiences) {
			t.Errorf("%s: %d found by hash, %d in the lanes", what, hashed, lanes)
		}
		var want, got evaluator.Match
		for i := range 20 {
			in := evaluator.Input{User: "u", Row: planRow(t, fmt.Sprintf("p%d", i)), Now: cases.Epoch}
			oracle.NewJudge().Match(&in, &want)
			if set.NewJudge().Match(&in, &got); !slices.Equal(got.Members, want.Members) || len(want.Members) != 1 && i%3 < 2 {
				t.Errorf("%s: plan p%d: %v, want %v", what, i, got.Members, want.Members)
			}
		}
	}
	// sees shows a sample in which half of all users have one plan, and returns what comes of it.
	sees := func(common int) {
		t.Helper()
		for i := range sampleRows {
			plan := common
			if i%2 == 0 {
				plan = i % len(audiences)
			}
			c.Statistics().Observe(set, planRow(t, fmt.Sprintf("p%d", plan)))
		}
		if next := c.Replan(set); next != set {
			t.Error("a new plan is there before it was made")
		}
		c.merging.Wait()
		next := c.Replan(set)
		if next == set {
			t.Error("what was seen changed nothing")
		}
		set = next
	}
	check("by a guess")
	sees(7)
	check("when p7 is common", 7)
	sees(11)
	check("when p11 is, and p7 no longer", 11)
	for range 2 {
		if c.merging.Wait(); c.Replan(set) != set {
			t.Error("planned anew, though nothing was seen")
		}
	}
}

// routed lists the audiences, by their place, whose clauses are in the lanes.
func routed(s *Set) (inLanes []int) {
	g := s.base.segment
	for i := range g.audiences {
		if slices.Contains(g.clauseAt, int32(g.audiences[i].first)) {
			inLanes = append(inLanes, int(g.audiences[i].id)-1)
		}
	}
	slices.Sort(inLanes)
	return inLanes
}
