package plain_test

import (
	"fmt"

	"muster/evaluator"
	"muster/evaluator/plain"
)

func Example() {
	schema := &evaluator.Schema{Properties: -1, Columns: []evaluator.Column{
		{Name: "id", Type: evaluator.ColumnType{Kind: evaluator.ColumnText}},
		{Name: "plan", Type: evaluator.ColumnType{Kind: evaluator.ColumnText}},
		{Name: "trial_ends_at", Type: evaluator.ColumnType{Kind: evaluator.ColumnTimestamp}},
	}}
	ending, err := evaluator.Decode([]byte(`{"type": "dynamic", "segments": [{"conditions": [
		{"property": "recipient.plan", "operator": "equal_to", "argument": "trial"},
		{"property": "recipient.trial_ends_at", "operator": "is_timestamp_between", "argument": ["0 days ago", "3 days from now"]}]}]}`), "trial-ending")
	if err != nil {
		panic(err)
	}
	set, err := plain.Compile([]evaluator.Audience{{ID: 1, Definition: ending}}, schema)
	if err != nil {
		panic(err)
	}

	tuple := evaluator.Tuple{}.AppendText([]byte("u_42")).AppendText([]byte("trial")).AppendText([]byte("2026-06-20 09:00:00+00"))
	row, err := evaluator.NewRow(schema, tuple)
	if err != nil {
		panic(err)
	}
	now, _ := evaluator.TimestampString("2026-06-15T12:00:00Z")
	judge := set.NewJudge()
	var match evaluator.Match
	judge.Match(&evaluator.Input{User: "u_42", Row: row, Now: now}, &match)
	fmt.Println("in:", match.Members, "and that changes at", match.NextFlip)

	var diff evaluator.Diff
	judge.Diff(&evaluator.Input{User: "u_42", Row: row, Now: now}, &evaluator.Input{User: "u_42", Row: row, Now: match.NextFlip}, &diff)
	fmt.Printf("then: %+v, until %v\n", diff.Changes, diff.NextFlip)
	// Output:
	// in: [] and that changes at 2026-06-17T09:00:00.000000Z
	// then: [{Audience:1 Entered:true Own:true}], until 2026-06-20T09:00:00.000001Z
}
