package evaluator

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func decoded(t *testing.T, document string) *Definition {
	t.Helper()
	def, err := Decode([]byte(document), "")
	if err != nil {
		t.Fatalf("%s\n%v", document, err)
	}
	return def
}

func TestSpellingsOfOneDefinitionShareTheirSHA(t *testing.T) {
	t.Parallel()
	want := decoded(t, `{"key":"k","name":"K","description":"","type":"dynamic","segments":[{"conditions":[
		{"property":"recipient.a","operator":"equal_to","argument":1},
		{"any":[{"property":"recipient.b","operator":"exists"},{"not":{"operator":"in_sample","argument":{"percent":12.5,"seed":"s"}}}]}]}],"include":["recipient.c"]}`)
	for _, same := range []string{
		`{"type":"dynamic","sha":"x","environment":"e","created_at":"x","key":"k","name":"K","trigger_frequency":"every_time","trigger_on_backfill":false,"settle":null,
		  "include":["user[\"c\"]"],"segments":[{"conditions":[
			{"variable":"user.a","operator":"equal_to","argument":1.000,"ignore_case":false},
			{"any":[{"operator":"exists","property":"recipient[\"b\"]","argument":null},{"not":{"argument":{"seed":"s","percent":1250e-2},"operator":"in_sample"}}]}]}]}`,
		string(want.Canonical()),
	} {
		if got := decoded(t, same); got.SHA() != want.SHA() {
			t.Errorf("%s\ndiffers from\n%s", got.Canonical(), want.Canonical())
		}
	}
	seen := map[string]string{want.SHA(): "the first"}
	for _, other := range []string{
		withConditions(`{"property":"recipient.a","operator":"equal_to","argument":1}`),
		withConditions(`{"property":"recipient.a","operator":"equal_to","argument":"1"}`),
		withConditions(`{"property":"recipient.a","operator":"equal_to","argument":-0.0}`),
		withConditions(`{"property":"recipient.a","operator":"equal_to","argument":9007199254740993}`),
		withConditions(`{"property":"recipient.a","operator":"equal_to","argument":9007199254740992}`),
		withConditions(`{"property":"recipient.a","operator":"equal_to","argument":"a"}`),
		withConditions(`{"property":"recipient.a","operator":"equal_to","argument":"a","ignore_case":true}`),
		withConditions(`{"property":"recipient.a","operator":"equal_to","argument":{"literal":"a"}}`),
		withConditions(`{"property":"recipient.a","operator":"equal_to"}`),
		withConditions(`{"not":{"property":"recipient.a","operator":"equal_to"}}`),
		withConditions(`{"all":[{"property":"recipient.a","operator":"equal_to"}]}`),
		`{"key":"k","type":"static"}`, `{"key":"l","type":"static"}`, `{"key":"k","type":"static","name":"x"}`, `{"key":"k","type":"static","description":"x"}`,
		`{"key":"k","type":"static","trigger_frequency":"once_per_user"}`, `{"key":"k","type":"static","trigger_on_backfill":true}`,
		`{"key":"k","type":"static","include":["recipient.x"]}`,
	} {
		def := decoded(t, other)
		if before, ok := seen[def.SHA()]; ok {
			t.Errorf("%s has the sha of %s", other, before)
		}
		seen[def.SHA()] = other
		if back := decoded(t, string(def.Canonical())); back.SHA() != def.SHA() {
			t.Errorf("%s comes back as %s", def.Canonical(), back.Canonical())
		}
	}
}

func TestDefinitionKeepsItsSettings(t *testing.T) {
	t.Parallel()
	def := decoded(t, `{"key":"k","type":"dynamic","description":"d","settle":{"enter":"10m","exit":"2d"},"trigger_frequency":"once_per_user_and_tenant",
		"trigger_on_backfill":true,"include":["recipient.plan","user.address.city"],"segments":[{"conditions":[{"property":"recipient.plan","operator":"exists"},
		{"property":"recipient.a","operator":"is_between","argument":["recipient.low","recipient.plan"]},{"operator":"is_audience_member","argument":{"audience":"vip","tenant":"t"}}]}]}`)
	if def.Name != "k" || def.Description != "d" || def.Settle != (Settle{10 * time.Minute, 48 * time.Hour}) || !def.Settle.Waits() || !def.Given() ||
		def.TriggerFrequency != OncePerUserAndTenant || !def.TriggerOnBackfill {
		t.Errorf("settings are %+v", def)
	}
	if refs := def.References(); !slices.Equal(refs, []Reference{{"segments[0].conditions[2].argument.audience", "vip", "t"}}) {
		t.Errorf("references are %+v", refs)
	}
	var paths []string
	for _, p := range def.PropertyPaths() {
		paths = append(paths, p.At+" "+p.Path.String())
	}
	if !slices.Equal(paths, []string{"segments[0].conditions[0].property recipient.plan", "segments[0].conditions[1].property recipient.a",
		"segments[0].conditions[1].argument recipient.low", "include[1] recipient.address.city"}) {
		t.Errorf("properties are %q", paths)
	}
}

func TestIncludedProperties(t *testing.T) {
	t.Parallel()
	row := users(t, "u1", "1.50", "{a}", "NULL", "NULL", `{"plan":"pro","deep":{"x y":[1e2]}}`)
	def := decoded(t, `{"key":"k","type":"static","include":["recipient.plan","recipient.age","recipient.deep[\"x y\"]","recipient.nothing"]}`)
	if got := string(def.AppendIncluded(nil, row)); got != `{"plan":"pro","age":1.5,"deep[\"x y\"]":[100],"nothing":null}` {
		t.Errorf("included is %s", got)
	}
	if got := string(def.AppendIncluded(nil, nil)); got != `{"plan":null,"age":null,"deep[\"x y\"]":null,"nothing":null}` {
		t.Errorf("of a user who is gone it is %s", got)
	}
	if got := decoded(t, `{"key":"k","type":"static"}`).AppendIncluded(nil, row); got != nil {
		t.Errorf("without include it is %s", got)
	}
}

func TestHiddenColumnsCannotBeNamed(t *testing.T) {
	t.Parallel()
	def := decoded(t, withConditions(`{"property":"recipient.secret","operator":"exists"},{"property":"recipient.a","operator":"equal_to","argument":"recipient.secret.x"},
		{"property":"recipient.a","operator":"equal_to","argument":"recipient[\"other\"]"},{"property":"recipient.secret","operator":"empty"},{"operator":"is_audience_member","argument":"x","property":"recipient.secret"}`))
	schema := &Schema{Hidden: []string{"secret", "other"}, Properties: -1}
	var at []string
	for _, f := range def.CheckColumns(schema) {
		at = append(at, f.Path)
	}
	if !slices.Equal(at, []string{"segments[0].conditions[0].property", "segments[0].conditions[1].argument", "segments[0].conditions[2].argument",
		"segments[0].conditions[3].property"}) { // the one that is not read may stay
		t.Errorf("faults at %q", at)
	}
}

func ExampleDecode() {
	_, err := Decode([]byte(`{"key": "trial-ending", "type": "dynamic", "segments": [{"conditions": [
		{"property": "plan", "operator": "equal_to", "argument": "trial"},
		{"property": "recipient.trial_ends_at", "operator": "is_timestamp_before", "argument": "in 3 days"}]}]}`), "")
	fmt.Println(err)
	// Output:
	// segments[0].conditions[0].property: "plan" is no property; a property is written recipient.name, recipient.address.city or recipient["any key"].city
	// segments[0].conditions[1].argument: "in 3 days" is no time: give 2026-01-02T03:04:05Z, 2026-01-02, a property as recipient.name, or a relative time; a relative time is written "7 days ago" or "3 days from now", in minutes, hours, days or weeks
}

func ExampleDefinition_Canonical() {
	def, _ := Decode([]byte(`{"type": "dynamic", "segments": [{"conditions": [{"operator": "greater_than", "variable": "user.seats", "argument": 1e1}]}]}`), "big-teams")
	fmt.Println(string(def.Canonical()))
	fmt.Println(def.SHA()[:12])
	// Output:
	// {"key":"big-teams","name":"big-teams","type":"dynamic","segments":[{"conditions":[{"property":"recipient.seats","operator":"greater_than","argument":10}]}]}
	// a6e421a929f2
}
