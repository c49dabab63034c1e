package app

import (
	"testing"

	"muster/evaluator"
)

// TestCompilerSamplesWhatItJudges: a value that was guessed to be rare, and is not, is found by the sample, and the set that
// is compiled after it still says the same.
func TestCompilerSamplesWhatItJudges(t *testing.T) {
	t.Parallel()
	c := newCompiler()
	defer c.Close()
	schema := &evaluator.Schema{Columns: []evaluator.Column{{Name: "id"}, {Name: "account"}}, Properties: -1}
	definition, err := evaluator.Decode([]byte(`{"type":"dynamic","segments":[{"conditions":[{"property":"recipient.account","operator":"equal_to","argument":"a1"}]}]}`), "first")
	if err != nil {
		t.Fatal(err)
	}
	audiences := []evaluator.Audience{{ID: 1, Definition: definition}}
	row := func(account string) *evaluator.Row {
		r, err := evaluator.NewRow(schema, evaluator.Tuple{}.AppendText([]byte("u")).AppendText([]byte(account)))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	in, out := &evaluator.Input{User: "u", Row: row("a1")}, &evaluator.Input{User: "u", Row: row("a2")}
	for range 3 { // each set is compiled with what was learnt under the one before
		judge, err := c.Compile(audiences, schema)
		if err != nil {
			t.Fatal(err)
		}
		j := judge()
		var diff evaluator.Diff
		for range 8_192 * sampleEvery / 2 {
			j.Diff(out, in, &diff)
			if len(diff.Changes) != 1 || !diff.Changes[0].Entered {
				t.Fatalf("entering: %+v", diff.Changes)
			}
			j.Diff(in, out, &diff)
			if len(diff.Changes) != 1 || diff.Changes[0].Entered {
				t.Fatalf("leaving: %+v", diff.Changes)
			}
		}
	}
}
