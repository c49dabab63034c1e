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
	{key: "late", level: 1, refers: []string{"recent"}}, // is not there at first
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
	var first, flips, verdicts []string
	for _, a := range audiences {
		for i, v := range a.variants() {
			flips = append(flips, v.flips...)
			if i == 0 && a.document != "" {
				first = append(first, fmt.Sprintf("('%s', '%s')", a.key, v.sha(a.key)))
			}
		}
		if a.dynamic() {
			verdicts = append(verdicts, a.verdict())
		}
	}
	text = strings.Replace(text, "/*at first*/", strings.Join(first, ", "), 1)
	text = strings.Replace(text, "/*flips*/", strings.ReplaceAll(strings.Join(flips, ", "), "(u)", "(s.u)"), 1)
	return strings.Replace(text, "/*verdicts*/", strings.Join(verdicts, "\n"), 1)
}

func (a *audience) dynamic() bool { return a.key != "invited" }

// verdict is the statement that judges every moment by the version in force then.
func (a *audience) verdict() string {
	var holds, own strings.Builder
	member := strings.NewReplacer("is_in('", "EXISTS (SELECT FROM verdict AS other WHERE other.n = m.n AND other.tenant = '' AND other.inside AND other.audience = '")
	for _, v := range a.variants() {
		if v.document == "" {
			continue
		}
		var conditions []string
		for _, c := range v.own {
			conditions = append(conditions, "coalesce("+c+", false)")
		}
		fmt.Fprintf(&holds, " WHEN '%s' THEN %s", v.sha(a.key), member.Replace(v.holds))
		fmt.Fprintf(&own, " WHEN '%s' THEN ARRAY[%s]", v.sha(a.key), strings.Join(conditions, ", "))
	}
	return fmt.Sprintf(`INSERT INTO verdict SELECT '%[1]s', %[2]d, %[3]t, '', m.n, m.present AND coalesce(CASE f.sha%[4]s END, false), own, false
  FROM moment AS m LEFT JOIN LATERAL (
    SELECT CASE WHEN NOT i.archived THEN i.sha END AS sha FROM in_force AS i WHERE i.audience = '%[1]s' AND i.lsn <= m.lsn ORDER BY i.lsn DESC LIMIT 1) AS f ON true
  CROSS JOIN LATERAL (SELECT coalesce(CASE f.sha%[5]s END, '{}'::boolean[]) AS own) AS o;
ANALYZE verdict;`, a.key, a.level, a.once, holds.String(), own.String())
}
