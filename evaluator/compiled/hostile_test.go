package compiled

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"muster/evaluator"
	"muster/evaluator/compiled/internal/cases"
)

func hostile(t *testing.T, documents ...string) []evaluator.Audience {
	t.Helper()
	var audiences []evaluator.Audience
	for i, d := range documents {
		definition, err := evaluator.Decode([]byte(d), "h"+strconv.Itoa(i))
		if err != nil {
			t.Fatal(err)
		}
		audiences = append(audiences, evaluator.Audience{ID: evaluator.AudienceID(i + 1), Definition: definition})
	}
	return audiences
}

func dynamic(conditions string) string {
	return `{"type":"dynamic","segments":[{"conditions":[` + conditions + `]}]}`
}

func list(n int, item func(i int) string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item(i)
	}
	return strings.Join(items, ",")
}

// document is a row of cases.Schema with one document and nothing else but an id.
func document(t *testing.T, text string) *evaluator.Row {
	t.Helper()
	var tuple evaluator.Tuple
	tuple = tuple.AppendText([]byte("u"))
	for range cases.Schema.Columns[2:] {
		tuple = tuple.AppendNull()
	}
	row, err := evaluator.NewRow(cases.Schema, tuple.AppendText([]byte(text)))
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// TestProductsStaySmall compiles definitions whose disjunctive normal form has 10^20 clauses.
func TestProductsStaySmall(t *testing.T) {
	t.Parallel()
	anys := list(20, func(i int) string {
		return `{"any":[` + list(10, func(k int) string {
			return fmt.Sprintf(`{"property":"recipient.p%d","operator":"equal_to","argument":%d}`, i, k)
		}) + `]}`
	})
	nested := `{"property":"recipient.x","operator":"exists"}`
	for depth := range 16 {
		group := []string{"any", "all"}[depth%2]
		nested = fmt.Sprintf(`{%q:[%s,{"property":"recipient.y%d","operator":"exists"}]}`, group, nested, depth)
	}
	for name, conditions := range map[string]string{"product": anys, "negated": `{"not":{"any":[{"not":{"all":[` + anys + `]}}]}}`, "deep": nested} {
		audiences := hostile(t, dynamic(conditions))
		j, err := newJudges(audiences, cases.Schema, byFrequency, everyPinHashed)
		if err != nil {
			t.Fatal(err)
		}
		set, err := Compile(audiences, cases.Schema)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(set.parts[0].segment.literals); n > 5_000 {
			t.Errorf("%s: %d literals", name, n)
		}
		member := list(20, func(i int) string { return fmt.Sprintf(`"p%d":%d`, i, i%10) })
		in := evaluator.Input{User: "u", Now: cases.Epoch, Row: document(t, "{"+member+`,"x":1,"y15":1}`)}
		out := evaluator.Input{User: "u", Now: cases.Epoch, Row: document(t, "{"+member+`,"p7":"none"}`)}
		if err := j.disagreement(&in, &out); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if j.changes != 1 && name != "deep" {
			t.Errorf("%s: %d changes, want 1", name, j.changes)
		}
	}
}

// TestLongListsAndDocuments judges lists of ten thousand items and a document of a megabyte.
func TestLongListsAndDocuments(t *testing.T) {
	t.Parallel()
	items := "[" + list(evaluator.MaxItems, func(i int) string { return `"item` + strconv.Itoa(i) + `"` }) + "]"
	pattern := strings.Repeat("a?", 400) + strings.Repeat("a", 50)
	audiences := hostile(t,
		dynamic(`{"property":"recipient.city","operator":"equal_to_any","argument":`+items+`}`),
		dynamic(`{"property":"recipient.city","operator":"not_contains","argument":`+items+`}`),
		dynamic(`{"property":"recipient.city","operator":"contains_all","argument":`+items+`}`),
		dynamic(`{"property":"recipient.long","operator":"matches","argument":"`+pattern+`"}`),
		dynamic(`{"property":"recipient.long","operator":"contains","argument":"`+strings.Repeat("a", 5_000)+`"}`),
		dynamic(`{"any":[`+list(1_900, func(i int) string {
			return fmt.Sprintf(`{"all":[{"property":"recipient.seen","operator":"is_timestamp_before","argument":"%d minutes ago"},`+
				`{"any":[{"property":"recipient.joined","operator":"is_timestamp_on_or_after","argument":"%d hours from now"},`+
				`{"property":"recipient.level","operator":"equal_to","argument":%d}]}]}`, i, i, i)
		})+`]}`),
	)
	j, err := newJudges(audiences, cases.Schema, byFrequency, everyPinHashed)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("a", 200_000)
	texts := []string{
		`{"city":"item9999","level":5,"joined":"2020-01-01"}`,
		`{"city":` + items + `,"long":"` + long + `"}`,
		`{"city":["item1","` + long + `"],"long":"` + long[1:] + `b"}`,
		"{" + list(50_000, func(i int) string { return `"k` + strconv.Itoa(i) + `":"v"` }) + "}",
	}
	before := evaluator.Input{User: "u", Now: cases.Epoch, Row: document(t, "{}")}
	for i, text := range texts {
		after := evaluator.Input{User: "u", Now: before.Now + 1, Row: document(t, text)}
		if err := j.disagreement(&before, &after); err != nil {
			t.Fatalf("text %d: %v", i, err)
		}
		before = after
	}
	if j.changes == 0 {
		t.Error("nothing changed")
	}
}

// TestPatternsBeyondTheAutomaton gives one attribute more patterns than an automaton may have room for.
func TestPatternsBeyondTheAutomaton(t *testing.T) {
	t.Parallel()
	var documents []string
	for i := range 12 {
		text := strings.Repeat(string(rune('a'+i)), 90_000) + strconv.Itoa(i)
		documents = append(documents, dynamic(`{"property":"recipient.long","operator":"contains","argument":"`+text+`"}`))
	}
	audiences := hostile(t, documents...)
	set, err := Compile(audiences, cases.Schema)
	if err != nil {
		t.Fatal(err)
	}
	unlaned := 0
	for i := range set.parts[0].segment.predicates {
		if set.parts[0].segment.predicates[i].unlaned {
			unlaned++
		}
	}
	if unlaned == 0 || unlaned == len(documents) {
		t.Fatalf("%d of %d patterns are beyond the automaton: the limit is not tested", unlaned, len(documents))
	}
	var match evaluator.Match
	for i := range documents {
		row := document(t, `{"long":"x`+strings.Repeat(string(rune('a'+i)), 90_000)+strconv.Itoa(i)+`y"}`)
		set.NewJudge().Match(&evaluator.Input{User: "u", Row: row, Now: cases.Epoch}, &match)
		if len(match.Members) != 1 || match.Members[0] != evaluator.AudienceID(i+1) {
			t.Errorf("text %d: members %v", i, match.Members)
		}
	}
}
