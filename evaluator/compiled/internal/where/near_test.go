package where_test

import (
	"slices"
	"testing"

	"muster/evaluator"
	"muster/evaluator/compiled/internal/cases"
	"muster/evaluator/compiled/internal/where"
	"muster/evaluator/plain"
)

// misses are operators that are nearly another.
var misses = []struct{ asked, said evaluator.Operator }{
	{evaluator.OpEqualTo, evaluator.OpContains},
	{evaluator.OpNotEqualTo, evaluator.OpNotContains},
	{evaluator.OpGreaterThan, evaluator.OpGreaterThanOrEqualTo},
	{evaluator.OpGreaterThanOrEqualTo, evaluator.OpGreaterThan},
	{evaluator.OpLessThan, evaluator.OpLessThanOrEqualTo},
	{evaluator.OpLessThanOrEqualTo, evaluator.OpLessThan},
	{evaluator.OpContains, evaluator.OpStartsWith},
	{evaluator.OpContainsAll, evaluator.OpContains},
	{evaluator.OpEmpty, evaluator.OpNotExists},
	{evaluator.OpNotEmpty, evaluator.OpExists},
	{evaluator.OpExists, evaluator.OpNotEmpty},
	{evaluator.OpIsTimestamp, evaluator.OpExists},
	{evaluator.OpIsTimestampBefore, evaluator.OpIsTimestamp},
	{evaluator.OpIsTimestampBeforeNow, evaluator.OpIsTimestamp},
	{evaluator.OpIsTimestampOnOrAfterNow, evaluator.OpIsTimestamp},
	{evaluator.OpIsTimestampBetween, evaluator.OpIsBetween},
	{evaluator.OpEqualToAny, evaluator.OpContains},
	{evaluator.OpStartsWith, evaluator.OpContains},
	{evaluator.OpEndsWith, evaluator.OpContains},
	{evaluator.OpIsAudienceMember, evaluator.OpIsNotAudienceMember},
}

// TestNearMissesAreSeen says to Postgres another operator than to Muster. All judges would agree on that too if no case
// told the two apart: each must lead to a disagreement within some rounds.
func TestNearMissesAreSeen(t *testing.T) {
	t.Parallel()
	w := newTable(t)
	seen := make([]bool, len(misses))
	const most = 30 // rounds
	for seed := uint64(1_000); seed < 1_000+most && slices.Contains(seen, false); seed++ {
		newRound(w, seed).miss(seen)
	}
	for i, m := range misses {
		if !seen[i] {
			t.Errorf("no case of %d rounds tells %s from %s", most, m.asked, m.said)
		}
	}
}

// miss notes which near misses a round sees.
func (r *round) miss(seen []bool) {
	r.t.Helper()
	p, err := plain.Compile(r.audiences, cases.Schema)
	if err != nil {
		r.t.Fatal(err)
	}
	say := where.New(cases.Schema, r.audiences)
	var missed []int // of misses, by clause
	var asked []evaluator.AudienceID
	var clauses []string
	for _, a := range r.audiences[len(r.audiences)-r.singles:] {
		c := a.Definition.Segments[0].Conditions[0]
		for i, m := range misses {
			if c.Operator != m.asked || seen[i] {
				continue
			}
			c.Operator = m.said
			clause, err := say.Of(single(a.ID, c).Definition)
			if err != nil {
				r.t.Fatal(err)
			}
			missed, asked, clauses = append(missed, i), append(asked, a.ID), append(clauses, clause)
		}
	}
	said := r.ask(clauses, r.inputs)
	judge := p.NewJudge()
	var match evaluator.Match
	for i := range r.inputs {
		judge.Match(&r.inputs[i], &match)
		for k := range clauses {
			if slices.Contains(match.Members, asked[k]) != said[i][k] {
				seen[missed[k]] = true
			}
		}
	}
}
