package evaluator

import (
	"errors"
	"strings"
	"testing"
)

func definitionOf(t *testing.T, key, document string) *Definition {
	t.Helper()
	d, err := Decode([]byte(document), key)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const refersTo = `{"type": "dynamic", "segments": [{"conditions": [{"operator": "is_audience_member", "argument": "KEY"}]}]}`

// TestEveryFaultAtOnce is one definition with a fault of each sort, those that a document shows and those that only the
// set does.
func TestEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	document := `{"type": "dynamic", "segments": [
		{"conditions": [
			{"property": "recipient.plan", "operator": "resembles", "argument": "pro"},
			{"property": "recipient.created", "operator": "is_timestamp_before", "argument": "1.5 days ago"},
			{"operator": "is_audience_member", "argument": "nowhere"},
			{"operator": "is_audience_member", "argument": "other"},
			{"property": "recipient..plan", "operator": "exists"},
			{"operator": "is_audience_member", "argument": "No Key"}
		]},
		{"conditions": []}]}`
	other := definitionOf(t, "other", strings.Replace(refersTo, "KEY", "mine", 1))
	definitions, err := DecodeAll([]Document{{"mine", []byte(document)}}, []*Definition{other})
	var faults SetFaults
	if !errors.As(err, &faults) || definitions != nil {
		t.Fatalf("%v, %v", definitions, err)
	}
	want := []string{
		"segments[0].conditions[0].operator", "segments[0].conditions[1].argument", "segments[0].conditions[4].property",
		"segments[0].conditions[5].argument",
		"segments[1].conditions", "segments[0].conditions[2].argument", "segments[0].conditions[3].argument",
	}
	for i, f := range faults {
		if f.Audience != "mine" || i >= len(want) || f.Path != want[i] {
			t.Errorf("fault %d: %s: %s", i, f.Audience, f.Fault)
		}
	}
	if len(faults) != len(want) {
		t.Errorf("%d faults, want %d", len(faults), len(want))
	}
}

func TestDocumentsReplaceWhatIsBesideThem(t *testing.T) {
	t.Parallel()
	plain := `{"type": "dynamic", "segments": [{"conditions": [{"property": "recipient.a", "operator": "exists"}]}]}`
	a, b := definitionOf(t, "a", strings.Replace(refersTo, "KEY", "b", 1)), definitionOf(t, "b", plain)
	wrong := definitionOf(t, "wrong", strings.Replace(refersTo, "KEY", "gone", 1))
	got, err := DecodeAll([]Document{{"a", []byte(plain)}, {"b", []byte(strings.Replace(refersTo, "KEY", "a", 1))}}, []*Definition{a, b, wrong})
	if err != nil || len(got) != 2 || got[0].Key != "a" || got[1].Key != "b" {
		t.Errorf("turned round: %v, %v", got, err)
	}
	_, err = DecodeAll([]Document{{"b", []byte(strings.Replace(refersTo, "KEY", "a", 1))}}, []*Definition{a, b})
	if err == nil || !strings.Contains(err.Error(), "b: segments[0].conditions[0].argument: the audience depends on itself") {
		t.Errorf("a cycle: %v", err)
	}
	_, err = DecodeAll([]Document{{"x", []byte(`[]`)}, {"y", []byte(`{`)}}, nil)
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("no definitions at all: %v", err)
	}
}
