package workload

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"muster/evaluator"
)

// Kind is the shape of a workload.
type Kind string

// The workloads.
const (
	Dense  Kind = "dense"
	Sparse Kind = "sparse"
	Mixed  Kind = "mixed"
)

// Accounts is how many accounts sparse audiences and users are spread over.
const Accounts = 20_000

// Now is the clock that everything lies around: 2026-01-01.
const Now = evaluator.Instant(820_540_800_000_000)

// Schema is the users table: ten attributes beside the id.
var Schema = &evaluator.Schema{
	Columns: []evaluator.Column{
		{Name: "id"},
		{Name: "account"},
		{Name: "plan"},
		{Name: "country"},
		{Name: "city"},
		{Name: "email"},
		{Name: "seats", Type: evaluator.ColumnType{Kind: evaluator.ColumnNumber}},
		{Name: "score", Type: evaluator.ColumnType{Kind: evaluator.ColumnNumber}},
		{Name: "active", Type: evaluator.ColumnType{Kind: evaluator.ColumnBool}},
		{Name: "signup", Type: evaluator.ColumnType{Kind: evaluator.ColumnTimestamp}},
		{Name: "seen", Type: evaluator.ColumnType{Kind: evaluator.ColumnTimestamp}},
	},
	Properties: -1,
}

// Attributes is how many columns of Schema conditions read: all but the id, which comes first.
const Attributes = 10

var plans = []string{"free", "free", "free", "trial", "trial", "starter", "pro", "business", "enterprise"}

func name(kind string, n int) string { return kind + "-" + strconv.Itoa(n) }

// skewed returns a number below n, small ones more often.
func skewed(r *rand.Rand, n int) int { return min(r.IntN(n), r.IntN(n)) }

// Audiences makes n audiences. Only operators that every rival can express are used when common is set: no references,
// samples, patterns, clock or arguments taken from properties.
func Audiences(kind Kind, n int, common bool) []evaluator.Audience {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	m := &maker{Rand: r, common: common}
	list := make([]evaluator.Audience, n)
	for i := range list {
		sparse := kind == Sparse || kind == Mixed && i%2 == 0
		key := "a" + strconv.Itoa(i)
		d, err := evaluator.Decode([]byte(m.definition(sparse, i)), key)
		if err != nil {
			panic(err) // a bug of this package
		}
		list[i] = evaluator.Audience{ID: evaluator.AudienceID(i + 1), Definition: d}
	}
	return list
}

type maker struct {
	*rand.Rand
	common bool
	used   [9]bool // attributes of the segment at hand
}

func (m *maker) definition(sparse bool, number int) string {
	segments := make([]string, 1+m.IntN(2))
	for i := range segments {
		conditions := make([]string, 2+m.IntN(2))
		m.used = [9]bool{}
		for k := range conditions {
			conditions[k] = m.condition(number)
		}
		if sparse {
			conditions[0] = condition("account", "equal_to", strconv.Quote(name("acc", m.IntN(Accounts))))
		}
		segments[i] = `{"conditions":[` + strings.Join(conditions, ",") + `]}`
	}
	return `{"type":"dynamic","segments":[` + strings.Join(segments, ",") + `]}`
}

func condition(property, operator, argument string) string {
	return fmt.Sprintf(`{"property":"recipient.%s","operator":%q,"argument":%s}`, property, operator, argument)
}

func (m *maker) condition(number int) string {
	if !m.common {
		switch m.IntN(200) {
		case 0:
			return condition("email", "matches", strconv.Quote(fmt.Sprintf("^[a-m].*%d@", m.IntN(10))))
		case 1:
			return condition("seats", "greater_than", `"recipient.score"`)
		case 2, 3:
			return condition("id", "in_sample", fmt.Sprintf(`{"percent":%d,"seed":"s%d"}`, 5<<m.IntN(4), m.IntN(20)))
		case 4, 5, 6, 7:
			if number > 0 {
				return condition("id", "is_audience_member", strconv.Quote("a"+strconv.Itoa(m.IntN(number))))
			}
		}
	}
	property := m.IntN(len(m.used)) // nobody asks two things of one attribute in one breath
	for m.used[property] {
		property = m.IntN(len(m.used))
	}
	m.used[property] = true
	switch property {
	case 0:
		return m.name("plan", func() string { return plans[m.IntN(len(plans))] })
	case 1:
		return m.name("country", func() string { return name("c", skewed(m.Rand, 40)) })
	case 2:
		return m.name("city", func() string { return name("city", skewed(m.Rand, 500)) })
	case 3:
		return m.text()
	case 4:
		return m.number("seats", 1000)
	case 5:
		return m.number("score", 10_000)
	case 6:
		return condition("active", "equal_to", []string{"true", "false"}[m.IntN(2)])
	case 7:
		return m.time("signup", 400)
	}
	return m.time("seen", 60)
}

// name is a condition on one of a number of names.
func (m *maker) name(property string, one func() string) string {
	switch m.IntN(16) {
	case 0:
		return condition(property, "not_equal_to", strconv.Quote(one()))
	case 1, 2, 3:
		items := make([]string, 2+m.IntN(2))
		for i := range items {
			items[i] = strconv.Quote(one())
		}
		return condition(property, "equal_to_any", "["+strings.Join(items, ",")+"]")
	case 4:
		return condition(property, "exists", "null")
	}
	return condition(property, "equal_to", strconv.Quote(one()))
}

func (m *maker) text() string {
	switch m.IntN(4) {
	case 0:
		return condition("email", "starts_with", strconv.Quote(string(rune('a'+m.IntN(26)))))
	case 1:
		return condition("email", "contains", strconv.Quote(string(rune('a'+m.IntN(26)))+strconv.Itoa(m.IntN(100))))
	}
	return condition("email", "ends_with", strconv.Quote("@"+domain(m.IntN(200))))
}

func domain(n int) string { return "d" + strconv.Itoa(n) + ".com" }

// number is a condition on a number below limit. Like most that people write, it holds for few users: the top, the bottom or
// a narrow range.
func (m *maker) number(property string, limit int) string {
	at := m.IntN(limit)
	switch m.IntN(8) {
	case 0:
		return condition(property, "equal_to", strconv.Itoa(at))
	case 1, 2:
		return condition(property, "is_between", fmt.Sprintf("[%d,%d]", at, at+limit/20))
	case 3, 4:
		return condition(property, "less_than", strconv.Itoa(at/4))
	case 5:
		return condition(property, "less_than_or_equal_to", fmt.Sprintf("%d.5", at/4))
	}
	return condition(property, "greater_than_or_equal_to", strconv.Itoa(limit-at/4))
}

// time is a condition on a time in the last so many days.
func (m *maker) time(property string, days int) string {
	hours := m.IntN(days * 6) // a quarter of them
	recent, old := 1+hours, days*24-hours
	at := func(hoursAgo int) string {
		return strconv.Quote((Now - evaluator.Instant(hoursAgo)*3_600_000_000).String())
	}
	if m.common {
		if m.IntN(2) == 0 {
			return condition(property, "is_timestamp_before", at(old))
		}
		return condition(property, "is_timestamp_on_or_after", at(recent))
	}
	switch m.IntN(6) {
	case 0:
		return condition(property, "is_timestamp_before", at(old))
	case 1:
		from := 1 + m.IntN(days)
		return condition(property, "is_timestamp_between", fmt.Sprintf(`["%d days ago","%d days ago"]`, from+days/20, from))
	case 2, 3:
		return condition(property, "is_timestamp_before", fmt.Sprintf(`"%d hours ago"`, old))
	}
	return condition(property, "is_timestamp_on_or_after", fmt.Sprintf(`"%d hours ago"`, recent))
}
