package compiled

import (
	"testing"

	"muster/evaluator"
	"muster/evaluator/compiled/internal/cases"
)

// TestCasesThatChanceMisses compares with plain where random changes hardly ever lead.
func TestCasesThatChanceMisses(t *testing.T) {
	t.Parallel()
	member := `{"property":"recipient.id","operator":"is_audience_member","argument":"h0"}`
	for name, c := range map[string]struct {
		definitions   []string
		before, after string
	}{
		"the value jumps over a range, while the change comes by reference": {
			[]string{
				dynamic(`{"property":"recipient.tier","operator":"equal_to","argument":"pro"}`),
				dynamic(`{"not":{"property":"recipient.rank","operator":"is_between","argument":[10,20]}},` + member),
			},
			`{"tier":"free","rank":5}`, `{"tier":"pro","rank":25}`,
		},
		"a clause that the value does not find has an earlier threshold": {
			[]string{`{"type":"dynamic","segments":[
				{"conditions":[{"property":"recipient.city","operator":"equal_to","argument":"a"},
					{"property":"recipient.joined","operator":"is_timestamp_before","argument":"5 days ago"}]},
				{"conditions":[{"property":"recipient.city","operator":"equal_to","argument":"b"},
					{"property":"recipient.joined","operator":"is_timestamp_before","argument":"3 days ago"}]},
				{"conditions":[{"property":"recipient.city","operator":"equal_to","argument":"c"}]}]}`},
			`{"city":"c","joined":"` + (cases.Epoch - 2*86_400_000_000).String() + `"}`,
			`{"city":"a","joined":"` + (cases.Epoch - 2*86_400_000_000).String() + `"}`,
		},
		"one clause begins where the other ends": {
			[]string{`{"type":"dynamic","segments":[
				{"conditions":[{"property":"recipient.joined","operator":"is_timestamp_on_or_after","argument":"5 days ago"},
					{"property":"recipient.city","operator":"exists"}]},
				{"conditions":[{"property":"recipient.joined","operator":"is_timestamp_before","argument":"5 days ago"},
					{"property":"recipient.city","operator":"exists"}]}]}`},
			`{"joined":"` + (cases.Epoch - 2*86_400_000_000).String() + `"}`,
			`{"city":"a","joined":"` + (cases.Epoch - 2*86_400_000_000).String() + `"}`,
		},
		"one clause with a hash beside four in lanes": {
			[]string{dynamic(`{"any":[{"property":"recipient.level","operator":"equal_to","argument":1},
				{"property":"recipient.level","operator":"less_than","argument":-5},{"property":"recipient.rank","operator":"less_than","argument":-5},
				{"property":"recipient.rank","operator":"greater_than","argument":50},{"property":"recipient.x","operator":"exists"}]}`)},
			`{"level":1,"rank":60}`, `{"level":2,"rank":40}`,
		},
	} {
		j, err := newJudges(hostile(t, c.definitions...), cases.Schema, byFrequency, everyPinHashed, everythingInLanes)
		if err != nil {
			t.Fatal(err)
		}
		before := evaluator.Input{User: "u", Now: cases.Epoch, Row: document(t, c.before)}
		after := evaluator.Input{User: "u", Now: cases.Epoch, Row: document(t, c.after)}
		for _, turn := range [][2]*evaluator.Input{{&before, &after}, {&after, &before}} {
			if err := j.disagreement(turn[0], turn[1]); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if j.changes == 0 {
			t.Errorf("%s: nothing changed", name)
		}
	}
}
