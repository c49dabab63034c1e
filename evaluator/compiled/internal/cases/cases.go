// Package cases makes random audiences and users that lie close together: values sit on the thresholds of conditions, strings
// differ in case or in how they write one number, null and "" and NaN are common, and both values of a change are often in
// one list. Tests of judges draw from it.
package cases

import (
	"fmt"
	"strconv"
	"strings"

	"muster/evaluator"
)

// Source is where choices come from: a random generator, or the bytes of a fuzzer.
type Source interface {
	// IntN returns a number from 0 to n-1.
	IntN(n int) int
}

// Maker makes cases from a source.
type Maker struct {
	Source
	Portable bool // leaves out what is Muster's own, that SQL has no equal of: folding and RE2's patterns

	keys    []string // of the audiences made so far
	statics []string
}

// New returns a maker of cases.
func New(s Source) *Maker { return &Maker{Source: s} }

// Schema is the users table of every case.
var Schema = &evaluator.Schema{
	Columns: []evaluator.Column{
		{Name: "id", Type: evaluator.ColumnType{Kind: evaluator.ColumnText}},
		{Name: "plan", Type: evaluator.ColumnType{Kind: evaluator.ColumnText}},
		{Name: "code", Type: evaluator.ColumnType{Kind: evaluator.ColumnChar}},
		{Name: "seats", Type: evaluator.ColumnType{Kind: evaluator.ColumnNumber}},
		{Name: "score", Type: evaluator.ColumnType{Kind: evaluator.ColumnNumber}},
		{Name: "active", Type: evaluator.ColumnType{Kind: evaluator.ColumnBool}},
		{Name: "seen", Type: evaluator.ColumnType{Kind: evaluator.ColumnTimestamp}},
		{Name: "born", Type: evaluator.ColumnType{Kind: evaluator.ColumnTimestamp}},
		{Name: "tags", Type: evaluator.ColumnType{Kind: evaluator.ColumnArray, Delimiter: ',', Element: &evaluator.ColumnType{Kind: evaluator.ColumnText}}},
		{Name: "dates", Type: evaluator.ColumnType{Kind: evaluator.ColumnArray, Delimiter: ',', Element: &evaluator.ColumnType{Kind: evaluator.ColumnTimestamp}}},
		{Name: "doc", Type: evaluator.ColumnType{Kind: evaluator.ColumnJSON}},
		{Name: "properties", Type: evaluator.ColumnType{Kind: evaluator.ColumnJSON}},
	},
	Key:        0,
	Properties: 11,
	Hidden:     []string{"secret"},
}

// Epoch is the clock that cases lie around: 2020-01-01.
const Epoch = evaluator.Instant(631_152_000_000_000)

var paths = []string{
	"recipient.plan", "recipient.plan", "recipient.code", "recipient.seats", "recipient.seats", "recipient.score", "recipient.active",
	"recipient.seen", "recipient.seen", "recipient.born", "recipient.tags", "recipient.tags", "recipient.dates", "recipient.doc",
	"recipient.doc.a", "recipient.doc.b[\"0\"]", "recipient.doc.b.1", "recipient.city", "recipient.city", "recipient.level",
	"recipient.joined", "recipient[\"a key.with [it]\"]", "recipient.nested.x", "recipient.nowhere", "recipient.id", "recipient.properties",
	"recipient.properties.city", "recipient.secret",
}

var texts = []string{
	"", "a", "ab", "abc", "b", "bc", "A", "AB", "aBc", "true", "false", "TRUE", "1", "1.0", "1e0", "01", "-0", "0", "2", "10", "NaN", "2.5",
	"9007199254740993", "9007199254740992", "2020-01-01", "2020-01-01T00:00:00Z", "2020-01-01t00:00:00.0000009z", "2019-12-31T23:59:59.999999Z",
	"2020-01-01T00:00:01+00:00", "2020-01-01T01:00:00+01:00", "k", "K", "\u212a", "s", "\u017f", "σ", "ς", "Σ", "é", "É", "null", "[]", "free", "pro",
	"2019-02-29", "2019-12-31T24:00:00Z", "2019-12-31T23:59:60Z", "1e1000",
}

var numbers = []string{
	"0", "-0.0", "1", "1.0", "1e0", "2", "2.5", "2.50", "-1", "10", "9007199254740993", "9007199254740992", "1e300", "0.1", "0.10000000000000000001",
	"-9223372036854775808", "9223372036854775807", "9223372036854775808", "123456789012345678901234567890", "3", "4", "5",
}

func pick[T any](m *Maker, list []T) T { return list[m.IntN(len(list))] }

// chance is true in one of n cases.
func (m *Maker) chance(n int) bool { return m.IntN(n) == 0 }

func quote(s string) string { return string(evaluator.StringValue(s).AppendJSON(nil)) }

// scalar is a JSON scalar.
func (m *Maker) scalar() string {
	switch m.IntN(8) {
	case 0:
		return "null"
	case 1:
		return pick(m, []string{"true", "false"})
	case 2, 3:
		return pick(m, numbers)
	}
	return quote(pick(m, texts))
}

func (m *Maker) list(least int) string {
	items := make([]string, least+m.IntN(4))
	for i := range items {
		items[i] = m.scalar()
	}
	return "[" + strings.Join(items, ",") + "]"
}

// Audiences makes up to n audiences with numbers from 1 that pass every check, some of them static, some settling, many
// referring to ones made before.
func (m *Maker) Audiences(n int) []evaluator.Audience {
	m.keys, m.statics = nil, nil
	var list []evaluator.Audience
	for i := range n {
		key := "a" + strconv.Itoa(i)
		d, err := evaluator.Decode([]byte(m.definition()), key)
		if err != nil {
			continue // a random argument may be refused
		}
		if d.Type == evaluator.Static {
			m.statics = append(m.statics, key)
		}
		m.keys = append(m.keys, key)
		list = append(list, evaluator.Audience{ID: evaluator.AudienceID(i + 1), Definition: d})
	}
	return list
}

func (m *Maker) definition() string {
	if m.chance(8) {
		return `{"type":"static"}`
	}
	segments := make([]string, 1+m.IntN(3))
	for i := range segments {
		segments[i] = `{"conditions":` + m.conditions(0) + `}`
	}
	settle := ""
	if m.chance(10) {
		settle = `"settle":{"enter":"5m"},`
	}
	return `{"type":"dynamic",` + settle + `"segments":[` + strings.Join(segments, ",") + `]}`
}

func (m *Maker) conditions(depth int) string {
	list := make([]string, 1+m.IntN(3))
	for i := range list {
		list[i] = m.condition(depth)
	}
	return "[" + strings.Join(list, ",") + "]"
}

func (m *Maker) condition(depth int) string {
	if depth < 3 && m.chance(5) {
		switch m.IntN(3) {
		case 0:
			return `{"all":` + m.conditions(depth+1) + `}`
		case 1:
			return `{"any":` + m.conditions(depth+1) + `}`
		}
		return `{"not":` + m.condition(depth+1) + `}`
	}
	return m.leaf()
}

func (m *Maker) leaf() string {
	path := quote(pick(m, paths))
	fold := ""
	if m.chance(4) && !m.Portable {
		fold = `,"ignore_case":true`
	}
	of := func(operator, argument string) string {
		if argument != "" {
			argument = `,"argument":` + argument
		}
		return fmt.Sprintf(`{"property":%s,"operator":%q%s%s}`, path, operator, argument, fold)
	}
	switch m.IntN(14) {
	case 0, 1, 2:
		return of(pick(m, []string{"equal_to", "equal_to", "not_equal_to"}), m.argument(m.scalarOrList()))
	case 3:
		return of(pick(m, []string{"contains", "not_contains"}), m.argument(m.scalarOrList()))
	case 4:
		return of(pick(m, []string{"starts_with", "ends_with", "contains"}), m.argument(quote(pick(m, texts))))
	case 5:
		return of(pick(m, []string{"equal_to_any", "not_equal_to_any", "contains_all", "not_contains_all"}), m.argument(m.list(1)))
	case 6:
		if m.Portable {
			break
		}
		return of(pick(m, []string{"matches", "not_matches"}), quote(pick(m, []string{"^a", "b$", "[0-9]+", "", "(?s)a.*c", "K"})))
	}
	fold = ""
	switch m.IntN(8) {
	case 0:
		return of(pick(m, []string{"empty", "not_empty", "exists", "not_exists", "is_timestamp", "is_timestamp_before_now", "is_timestamp_on_or_after_now"}), "")
	case 1, 2:
		return of(pick(m, []string{"greater_than", "greater_than_or_equal_to", "less_than", "less_than_or_equal_to"}), m.argument(m.ordered()))
	case 3:
		return of("is_between", "["+m.argument(m.ordered())+","+m.argument(m.ordered())+"]")
	case 4:
		return of(pick(m, []string{"is_timestamp_before", "is_timestamp_on_or_after"}), m.argument(m.time()))
	case 5:
		return of("is_timestamp_between", "["+m.argument(m.time())+","+m.argument(m.time())+"]")
	case 6:
		if len(m.keys) > 0 {
			return of(pick(m, []string{"is_audience_member", "is_not_audience_member"}), m.audience())
		}
	}
	if m.chance(4) {
		return of("in_sample", `{"percent":`+pick(m, []string{"0", "12.5", "50", "100"})+`,"seed":`+quote(pick(m, texts))+`}`)
	}
	return of(pick(m, []string{"is_timestamp_before", "is_timestamp_on_or_after"}), m.argument(m.time()))
}

func (m *Maker) audience() string {
	if len(m.statics) > 0 && m.chance(2) {
		tenant := pick(m, []string{"null", `"t1"`, `"t2"`})
		return `{"audience":` + quote(pick(m, m.statics)) + `,"tenant":` + tenant + `}`
	}
	return quote(pick(m, m.keys))
}

// argument is now and then taken from a property instead.
func (m *Maker) argument(constant string) string {
	if m.chance(8) {
		return quote(pick(m, paths))
	}
	return constant
}

func (m *Maker) scalarOrList() string {
	if m.chance(4) {
		return m.list(0)
	}
	return m.scalar()
}

func (m *Maker) ordered() string {
	if m.chance(2) {
		return pick(m, numbers)
	}
	return quote(pick(m, texts))
}

func (m *Maker) time() string {
	if m.chance(3) {
		return quote(pick(m, []string{"2020-01-01", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000001Z", "2019-12-31T23:59:00Z", "0000-01-01", "9999-12-31"}))
	}
	if m.chance(12) {
		return quote(pick(m, []string{"999999999 weeks ago", "999999999 weeks from now", "999999999 days ago"}))
	}
	return quote(fmt.Sprintf("%d %s %s", m.IntN(4), pick(m, []string{"minutes", "minute", "hours", "days"}), pick(m, []string{"ago", "from now"})))
}
