package plain

import (
	"testing"

	"muster/evaluator"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	j := compiled(t,
		dynamic(t, "k", on("equal_to", `"recipient.q"`)+`,{"any":[`+onPath("recipient.at", "is_timestamp_between", `["1 day ago","2026-12-31"]`, "")+`,`+member(`"static"`)+`]},{"operator":"in_sample","argument":{"percent":100,"seed":""}}`),
		static(t, "static"))
	in := &evaluator.Input{User: "u1", Row: rowOf(t, columns{"properties": `{"p":1,"q":1.0}`, "at": "2026-06-15"}), Now: instant(t, now), Given: []evaluator.Given{{Audience: 2}}}
	e, ok := j.Explain(in, 1)
	if !ok || e.Audience != "k" || !e.Holds || e.NextFlip != evaluator.NoInstant || len(e.Segments) != 1 || len(e.Segments[0]) != 3 {
		t.Fatalf("the explanation is %+v", e)
	}
	equal, any, sample := e.Segments[0][0], e.Segments[0][1], e.Segments[0][2]
	if !equal.Holds || equal.Value.String() != "1" || len(equal.Argument) != 1 || equal.Argument[0].String() != "1" || equal.Condition.At != "segments[0].conditions[0]" {
		t.Errorf("equal_to is explained by %+v", equal)
	}
	between, member := any.Conditions[0], any.Conditions[1]
	if !any.Holds || !between.Holds || between.NextFlip != instant(t, "2026-06-16T00:00:00.000001Z") || between.Argument[0].String() != `"2026-06-14T12:00:00.000000Z"` {
		t.Errorf("is_timestamp_between is explained by %+v", between)
	}
	if !member.Holds || !member.Value.Bool() || member.NextFlip != evaluator.NoInstant || !sample.Holds {
		t.Errorf("is_audience_member is explained by %+v, in_sample by %+v", member, sample)
	}
	in.Given = nil
	if e, _ := j.Explain(in, 1); !e.Holds || e.NextFlip != instant(t, "2026-06-16T00:00:00.000001Z") || e.Segments[0][1].Conditions[1].Holds {
		t.Errorf("without the static membership it is %+v", e)
	}
	if e, _ := j.Explain(in, 2); e.Holds || e.Segments != nil {
		t.Errorf("the static audience is explained by %+v", e)
	}
	if e, _ := j.Explain(&evaluator.Input{User: "gone"}, 1); e.Holds || e.Segments[0][1].Holds || e.NextFlip != evaluator.NoInstant {
		t.Errorf("an absent user is explained by %+v", e)
	}
	if _, ok := j.Explain(in, 3); ok {
		t.Error("an audience that is not in the set is explained")
	}
}

// A leaf's next flip is that of its verdict: instants at which a between might flip and does not are none.
func TestExplainFlipsOfLeaves(t *testing.T) {
	t.Parallel()
	in := &evaluator.Input{Row: rowOf(t, columns{"at": "2026-06-20"}), Now: instant(t, now)}
	for argument, want := range map[string]evaluator.Instant{
		`["1 day from now","1 day ago"]`:        evaluator.NoInstant,
		`["1 day ago","1 day from now"]`:        instant(t, "2026-06-19"),
		`["3 days from now","4 days from now"]`: instant(t, "2026-06-16"),
		`["2026-06-21","1 day from now"]`:       evaluator.NoInstant,
	} {
		e, _ := compiled(t, dynamic(t, "k", onPath("recipient.at", "is_timestamp_between", argument, ""))).Explain(in, 1)
		if got := e.Segments[0][0].NextFlip; got != want || e.NextFlip != want {
			t.Errorf("%s flips at %v, and the audience at %v; want %v", argument, got, e.NextFlip, want)
		}
	}
}
