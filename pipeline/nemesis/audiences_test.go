package nemesis

import (
	"fmt"
	"slices"
	"strings"
)

// audience is one audience in two languages: the definition that the worker is given, and SQL. In SQL `u` is the user's
// row and `at` the instant.
type audience struct {
	key      string
	document string
	own      []string // the conditions on the row, each by itself
	holds    string   // the whole, over own[i] and is_in('key'); "" for a static audience
	flips    []string // instants at which time alone may turn a condition
	level    int      // above the audiences it refers to
	refers   []string // to these
	once     bool     // triggers once per user
}

func dynamic(conditions ...string) string {
	return `{"type":"dynamic","segments":[{"conditions":[` + strings.Join(conditions, ",") + `]}]}`
}

func condition(property, operator, argument string) string {
	return fmt.Sprintf(`{"property":"recipient.%s","operator":%q,"argument":%s}`, property, operator, argument)
}

const soon = `(u).ends_at - interval '1 minute' + interval '1 microsecond'`

var audiences = []audience{
	{key: "invited", document: `{"type":"static"}`},
	{
		key: "pro", document: dynamic(condition("plan", "equal_to", `"pro"`)),
		own: []string{`(u).plan = 'pro'`}, holds: `own[1]`,
	},
	{
		key: "high-score", once: true,
		document: `{"type":"dynamic","trigger_frequency":"once_per_user","segments":[{"conditions":[` + condition("score", "greater_than_or_equal_to", "100") + `]}]}`,
		own:      []string{`(u).score >= 100`}, holds: `own[1]`,
	},
	{
		key: "ending", document: dynamic(`{"property":"recipient.ends_at","operator":"is_timestamp_on_or_after_now"}`,
			condition("ends_at", "is_timestamp_before", `"1 minute from now"`)),
		own:   []string{`(u).ends_at >= at`, `(u).ends_at < at + interval '1 minute'`},
		holds: `own[1] AND own[2]`,
		flips: []string{soon, `(u).ends_at + interval '1 microsecond'`},
	},
	{
		key: "recent", document: dynamic(condition("seen_at", "is_timestamp_on_or_after", `"1 hour ago"`)),
		own: []string{`(u).seen_at >= at - interval '1 hour'`}, holds: `own[1]`,
		flips: []string{`(u).seen_at + interval '1 hour' + interval '1 microsecond'`},
	},
	{
		key: "needle", document: dynamic(condition("note", "contains", `"needle"`)),
		own: []string{`position('needle' IN (u).note) > 0`}, holds: `own[1]`,
	},
	{
		key: "italian-or-idle",
		document: `{"type":"dynamic","segments":[{"conditions":[` + condition("country", "equal_to", `"IT"`) + `]},{"conditions":[` +
			condition("seen_at", "not_exists", "null") + "," + condition("plan", "not_equal_to", `"pro"`) + `]}]}`,
		own:   []string{`(u).properties ->> 'country' = 'IT'`, `(u).seen_at IS NULL`, `(u).plan IS DISTINCT FROM 'pro'`},
		holds: `own[1] OR own[2] AND own[3]`,
	},
	{
		key: "pro-ending", level: 1, refers: []string{"ending"},
		document: dynamic(`{"operator":"is_audience_member","argument":"ending"}`, condition("plan", "equal_to", `"pro"`)),
		own:      []string{`(u).plan = 'pro'`}, holds: `own[1] AND is_in('ending')`,
	},
	{
		key: "uninvited-recent", level: 1, refers: []string{"invited", "recent"},
		document: dynamic(`{"operator":"is_not_audience_member","argument":"invited"}`, `{"operator":"is_audience_member","argument":"recent"}`),
		own:      []string{`false`}, holds: `NOT is_in('invited') AND is_in('recent')`,
	},
	{
		key: "deep", level: 2, refers: []string{"uninvited-recent"},
		document: dynamic(`{"operator":"is_audience_member","argument":"uninvited-recent"}`, condition("score", "less_than", "150")),
		own:      []string{`(u).score < 150`}, holds: `own[1] AND is_in('uninvited-recent')`,
	},
}

// refersTo reports whether one audience's conditions ask about another.
func refersTo(key, other string) bool {
	i := slices.IndexFunc(audiences, func(a audience) bool { return a.key == key })
	return slices.Contains(audiences[i].refers, other)
}

// oracle completes the text of oracle.sql with the audiences.
func oracle(text string) string {
	var flips, verdicts []string
	for _, a := range audiences {
		flips = append(flips, a.flips...)
		if a.holds == "" {
			continue
		}
		holds := strings.NewReplacer("is_in('", "EXISTS (SELECT FROM verdict AS other WHERE other.n = m.n AND other.tenant = '' AND other.inside AND other.audience = '").Replace(a.holds)
		var own []string
		for _, c := range a.own {
			own = append(own, "coalesce("+c+", false)")
		}
		verdicts = append(verdicts, fmt.Sprintf(`INSERT INTO verdict SELECT '%s', %d, %t, '', m.n, m.present AND (%s), own, false
  FROM moment AS m CROSS JOIN LATERAL (SELECT ARRAY[%s] AS own) AS o;
ANALYZE verdict;`, a.key, a.level, a.once, holds, strings.Join(own, ", ")))
	}
	text = strings.Replace(text, "/*flips*/", strings.ReplaceAll(strings.Join(flips, ", "), "(u)", "(s.u)"), 1)
	return strings.Replace(text, "/*verdicts*/", strings.Join(verdicts, "\n"), 1)
}
