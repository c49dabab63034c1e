package plain

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"muster/evaluator"
)

var (
	text      = evaluator.ColumnType{Kind: evaluator.ColumnText}
	numeric   = evaluator.ColumnType{Kind: evaluator.ColumnNumber}
	timestamp = evaluator.ColumnType{Kind: evaluator.ColumnTimestamp}
	document  = evaluator.ColumnType{Kind: evaluator.ColumnJSON}
)

func array(element evaluator.ColumnType) evaluator.ColumnType {
	return evaluator.ColumnType{Kind: evaluator.ColumnArray, Element: &element, Delimiter: ','}
}

var schema = &evaluator.Schema{Key: 0, Properties: 1, Hidden: []string{"hidden"}, Columns: []evaluator.Column{
	{Name: "id", Type: text},
	{Name: "properties", Type: document},
	{Name: "name", Type: text},
	{Name: "code", Type: evaluator.ColumnType{Kind: evaluator.ColumnChar}},
	{Name: "flag", Type: evaluator.ColumnType{Kind: evaluator.ColumnBool}},
	{Name: "n", Type: numeric},
	{Name: "m", Type: numeric},
	{Name: "at", Type: timestamp},
	{Name: "until", Type: timestamp},
	{Name: "tags", Type: array(text)},
	{Name: "nums", Type: array(numeric)},
	{Name: "ats", Type: array(timestamp)},
	{Name: "created_at", Type: timestamp},
}}

// columns of a user by name; those left out are NULL.
type columns map[string]string

func rowOf(t testing.TB, user columns) *evaluator.Row {
	t.Helper()
	var tuple evaluator.Tuple
	left := maps.Clone(user)
	for _, c := range schema.Columns {
		if value, ok := user[c.Name]; ok {
			tuple = tuple.AppendText([]byte(value))
			delete(left, c.Name)
		} else {
			tuple = tuple.AppendNull()
		}
	}
	if len(left) > 0 {
		t.Fatalf("no such columns: %v", left)
	}
	row, err := evaluator.NewRow(schema, tuple)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func instant(t testing.TB, s string) evaluator.Instant {
	t.Helper()
	i, ok := evaluator.TimestampString(s)
	if !ok {
		t.Fatalf("%q is no timestamp", s)
	}
	return i
}

const now = "2026-06-15T12:00:00Z"

func dynamic(t testing.TB, key, conditions string) *evaluator.Definition {
	t.Helper()
	return definition(t, fmt.Sprintf(`{"key":%q,"type":"dynamic","segments":[{"conditions":[%s]}]}`, key, conditions))
}

func static(t testing.TB, key string) *evaluator.Definition {
	t.Helper()
	return definition(t, fmt.Sprintf(`{"key":%q,"type":"static"}`, key))
}

func definition(t testing.TB, document string) *evaluator.Definition {
	t.Helper()
	def, err := evaluator.Decode([]byte(document), "")
	if err != nil {
		t.Fatalf("%s\n%v", document, err)
	}
	return def
}

// compiled numbers the definitions from 1.
func compiled(t testing.TB, definitions ...*evaluator.Definition) *Judge {
	t.Helper()
	audiences := make([]evaluator.Audience, len(definitions))
	for i, def := range definitions {
		audiences[i] = evaluator.Audience{ID: evaluator.AudienceID(i + 1), Definition: def}
	}
	set, err := Compile(audiences, schema)
	if err != nil {
		t.Fatal(err)
	}
	return set.NewJudge()
}

func matches(t testing.TB, condition string, in *evaluator.Input) bool {
	t.Helper()
	var match evaluator.Match
	compiled(t, dynamic(t, "k", condition)).Match(in, &match)
	return len(match.Members) == 1
}

// rule is one sentence of the language: whether a condition holds for a user at now.
type rule struct {
	name      string
	condition string
	user      columns
	want      bool
}

// check tests rules, and with each that its negation, by a group and by the operator where there is one, is the opposite.
func check(t *testing.T, rules []rule) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			in := &evaluator.Input{User: "u1", Row: rowOf(t, r.user), Now: instant(t, now)}
			if got := matches(t, r.condition, in); got != r.want {
				t.Errorf("%s for %v is %v, want %v", r.condition, r.user, got, r.want)
			}
			if matches(t, `{"not":`+r.condition+`}`, in) == r.want {
				t.Errorf("not %s for %v is %v as well", r.condition, r.user, r.want)
			}
			if negated, ok := negation(r.condition); ok && matches(t, negated, in) == r.want {
				t.Errorf("%s for %v is %v as well", negated, r.user, r.want)
			}
		})
	}
}

// negation replaces the operator of a leaf by its negation.
func negation(condition string) (string, bool) {
	if !strings.HasPrefix(condition, `{"property":`) && !strings.HasPrefix(condition, `{"operator":`) {
		return "", false // a group
	}
	for op := evaluator.OpEqualTo; op <= evaluator.OpInSample; op++ {
		positive, negated := op.Positive()
		if quoted := fmt.Sprintf("%q", positive); negated && strings.Count(condition, `"operator":`+quoted) == 1 {
			return strings.Replace(condition, `"operator":`+quoted, fmt.Sprintf(`"operator":%q`, op), 1), true
		}
	}
	return "", false
}

// on is a condition on the property p. The argument is JSON, "" for none.
func on(operator, argument string) string { return onPath("recipient.p", operator, argument, "") }

// folded is on with ignore_case.
func folded(operator, argument string) string {
	return onPath("recipient.p", operator, argument, `,"ignore_case":true`)
}

func onPath(path, operator, argument, more string) string {
	if argument != "" {
		argument = `,"argument":` + argument
	}
	return fmt.Sprintf(`{"property":%q,"operator":%q%s%s}`, path, operator, argument, more)
}

// p is a user with the property p, JSON; pq has q too.
func p(value string) columns     { return columns{"properties": `{"p":` + value + `}`} }
func pq(value, q string) columns { return columns{"properties": `{"p":` + value + `,"q":` + q + `}`} }

var missing = columns{"properties": `{}`}
