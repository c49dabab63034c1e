package command

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"muster/evaluator"
)

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(audienceSchema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("audience.json", document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("audience.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// conforms reports whether a document is valid by the schema.
func conforms(t *testing.T, s *jsonschema.Schema, document string) bool {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	return s.Validate(v) == nil
}

// TestShippedSchemaIsTheOneInTheProgram holds the copy for those who have no program at hand.
func TestShippedSchemaIsTheOneInTheProgram(t *testing.T) {
	t.Parallel()
	shipped, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "audience.schema.json"))
	if err != nil || !bytes.Equal(shipped, audienceSchema) {
		t.Errorf("deploy/audience.schema.json differs from pipeline/app/command/audience.schema.json; copy it (%v)", err)
	}
}

// cases are conditions, and whether the language has them. The schema must agree on each.
var cases = []struct {
	condition string
	sound     bool
}{
	{`{"property": "recipient.a", "operator": "equal_to", "argument": 1}`, true},
	{`{"variable": "user.a", "operator": "equal_to"}`, true},
	{`{"property": "recipient[\"a b\"].c[\"\\\"\"].0", "operator": "exists"}`, true},
	{`{"property": "recipient.a", "variable": "recipient.a", "operator": "exists"}`, false},
	{`{"property": "recipient..a", "operator": "exists"}`, false},
	{`{"property": "recipient", "operator": "exists"}`, false},
	{`{"property": "plan", "operator": "exists"}`, false},
	{`{"operator": "exists"}`, false},
	{`{"property": "recipient.a"}`, false},
	{`{"property": "recipient.a", "operator": "resembles", "argument": 1}`, false},
	{`{"property": "recipient.a", "operator": "exists", "argument": null}`, true},
	{`{"property": "recipient.a", "operator": "exists", "argument": 1}`, false},
	{`{"property": "recipient.a", "operator": "exists", "ignore_case": true}`, false},
	{`{"property": "recipient.a", "operator": "equal_to", "argument": "x", "ignore_case": true}`, true},
	{`{"property": "recipient.a", "operator": "equal_to", "argument": "x", "ignore_case": "yes"}`, false},
	{`{"property": "recipient.a", "operator": "equal_to", "arguments": "x"}`, false},
	{`{"property": "recipient.a", "operator": "less_than", "argument": 5}`, true},
	{`{"property": "recipient.a", "operator": "less_than", "argument": {"literal": "recipient.x"}}`, true},
	{`{"property": "recipient.a", "operator": "less_than", "argument": true}`, false},
	{`{"property": "recipient.a", "operator": "less_than"}`, false},
	{`{"property": "recipient.a", "operator": "starts_with", "argument": 5}`, false},
	{`{"property": "recipient.a", "operator": "matches", "argument": "^a"}`, true},
	{`{"property": "recipient.a", "operator": "matches", "argument": ["^a"]}`, false},
	{`{"property": "recipient.a", "operator": "contains_all", "argument": ["x", 1, null]}`, true},
	{`{"property": "recipient.a", "operator": "contains_all", "argument": "[1]"}`, true},
	{`{"property": "recipient.a", "operator": "contains_all", "argument": []}`, false},
	{`{"property": "recipient.a", "operator": "contains_all", "argument": [[1]]}`, false},
	{`{"property": "recipient.a", "operator": "is_between", "argument": [1, 2]}`, true},
	{`{"property": "recipient.a", "operator": "is_between", "argument": [1]}`, false},
	{`{"property": "recipient.a", "operator": "is_timestamp_before", "argument": "7 days ago"}`, true},
	{`{"property": "recipient.a", "operator": "is_timestamp_before", "argument": {"value": 7, "unit": "days", "modifier": "ago"}}`, true},
	{`{"property": "recipient.a", "operator": "is_timestamp_before", "argument": {"value": 7, "unit": "months", "modifier": "ago"}}`, false},
	{`{"property": "recipient.a", "operator": "is_timestamp_before", "argument": {"value": -7, "unit": "days", "modifier": "ago"}}`, false},
	{`{"property": "recipient.a", "operator": "is_timestamp_before", "argument": 7}`, false},
	{`{"property": "recipient.a", "operator": "is_timestamp_between", "argument": ["7 days ago", "2026-01-02"]}`, true},
	{`{"property": "recipient.a", "operator": "is_timestamp_between", "argument": ["7 days ago"]}`, false},
	{`{"operator": "is_audience_member", "argument": "other"}`, true},
	{`{"operator": "is_audience_member", "argument": {"audience": "other", "tenant": "t"}}`, true},
	{`{"operator": "is_audience_member", "argument": {"tenant": "t"}}`, false},
	{`{"operator": "is_audience_member", "argument": "No Key"}`, false},
	{`{"operator": "is_audience_member"}`, false},
	{`{"operator": "in_sample", "argument": {"percent": 12.5, "seed": "s"}}`, true},
	{`{"operator": "in_sample", "argument": {"percent": 101, "seed": "s"}}`, false},
	{`{"operator": "in_sample", "argument": {"percent": 1}}`, false},
	{`{"all": [{"property": "recipient.a", "operator": "exists"}]}`, true},
	{`{"not": {"any": [{"property": "recipient.a", "operator": "exists"}]}}`, true},
	{`{"all": []}`, false},
	{`{"all": [{"property": "recipient.a", "operator": "exists"}], "any": [{"property": "recipient.a", "operator": "exists"}]}`, false},
	{`{"all": [{"property": "recipient.a", "operator": "exists"}], "operator": "exists"}`, false},
}

func TestSchemaAgreesWithTheLanguage(t *testing.T) {
	t.Parallel()
	s := schema(t)
	for _, c := range cases {
		document := `{"type": "dynamic", "segments": [{"conditions": [` + c.condition + `]}]}`
		_, err := evaluator.Decode([]byte(document), "k")
		if (err == nil) != c.sound {
			t.Errorf("the language and %s: %v", c.condition, err)
		}
		if conforms(t, s, document) != c.sound {
			t.Errorf("the schema says %t of %s", !c.sound, c.condition)
		}
	}
	for document, sound := range map[string]bool{
		`{"type": "static"}`: true, `{"type": "static", "segments": []}`: true, `{"type": "static", "segments": null}`: true,
		`{"type": "static", "segments": [{"conditions": []}]}`: false, `{"type": "dynamic"}`: false, `{"type": "dynamic", "segments": []}`: false,
		`{"type": "dynamic", "segments": [{"conditions": []}]}`: false, `{"type": "dynamic", "segments": [{}]}`: false, `{}`: false, `[]`: false,
		`{"type": "static", "key": "k", "name": "N", "description": null, "sha": "x", "environment": "e", "created_at": 1, "updated_at": 1}`: true,
		`{"type": "static", "$schema": "../audience.schema.json", "__annotation": {}, "__readonly": {}}`:                                     true,
		`{"type": "static", "settle": {"enter": "1m"}}`:                                                                                      false, `{"type": "static", "names": "x"}`: false, `{"type": "other"}`: false,
		`{"type": "static", "trigger_frequency": "once_per_user", "trigger_on_backfill": true, "include": ["recipient.a"]}`: true,
		`{"type": "static", "trigger_frequency": "sometimes"}`:                                                              false, `{"type": "static", "include": ["plan"]}`: false,
	} {
		_, err := evaluator.Decode([]byte(document), "k")
		if (err == nil) != sound || conforms(t, s, document) != sound {
			t.Errorf("%s: the language says %v, the schema %t, want %t", document, err, conforms(t, s, document), sound)
		}
	}
}

// TestSchemaHasEveryOperator compares the list with the language's, both ways.
func TestSchemaHasEveryOperator(t *testing.T) {
	t.Parallel()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(audienceSchema))
	if err != nil {
		t.Fatal(err)
	}
	leaf := document.(map[string]any)["$defs"].(map[string]any)["leaf"].(map[string]any)
	operator := leaf["properties"].(map[string]any)["operator"].(map[string]any)
	var names []string
	for _, name := range operator["enum"].([]any) {
		names = append(names, name.(string))
		if _, ok := evaluator.ParseOperator(name.(string)); !ok {
			t.Errorf("%s is no operator", name)
		}
	}
	for op := evaluator.OpEqualTo; op <= evaluator.OpInSample; op++ {
		if !slices.Contains(names, op.String()) {
			t.Errorf("the schema lacks %s", op)
		}
	}
	if len(names) != len(operator["enumDescriptions"].([]any)) {
		t.Error("not every operator is described")
	}
}
