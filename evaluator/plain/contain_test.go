package plain

import (
	"fmt"
	"strings"
	"testing"
)

func TestContains(t *testing.T) {
	t.Parallel()
	contains := func(argument string) string { return on("contains", argument) }
	check(t, []rule{
		{"a substring", contains(`"b"`), p(`"abc"`), true},
		{"no substring", contains(`"x"`), p(`"abc"`), false},
		{"case counts", contains(`"B"`), p(`"abc"`), false},
		{"folded", folded("contains", `"B\u212a"`), p(`"abkc"`), true},
		{"the empty string is in every string", contains(`""`), p(`"abc"`), true},
		{"also in the empty one", contains(`""`), p(`""`), true},
		{"not in missing", contains(`""`), missing, false},
		{"null is in no string", contains(`null`), p(`""`), false},
		{"null is not in missing", contains(`null`), missing, false},
		{"a number has no substrings", contains(`"2"`), p(`123`), false},
		{"a string has no numbers", contains(`2`), p(`"123"`), false},
		{"scalars are not compared", contains(`5`), p(`5`), false},
		{"a timestamp has no substrings", onPath("recipient.at", "contains", `"2026"`, ""), columns{"at": "2026-01-02"}, false},

		{"an item", contains(`"b"`), p(`["a","b"]`), true},
		{"no part of an item", contains(`"b"`), p(`["abc"]`), false},
		{"an item by equal_to", contains(`"1.0"`), p(`[1]`), true},
		{"an item that is null", contains(`null`), p(`[null]`), true},
		{"an item that is empty", contains(`null`), p(`[""]`), true},
		{"an empty list has nothing", contains(`null`), p(`[]`), false},
		{"an item folded", folded("contains", `"B"`), p(`["b"]`), true},
		{"timestamps in lists", onPath("recipient.ats", "contains", `"2026-01-02"`, ""), columns{"ats": `{"2026-01-02 00:00:00+00"}`}, true},
		{"an array column", onPath("recipient.tags", "contains", `"vip"`, ""), columns{"tags": "{new,vip}"}, true},
		{"an array of numbers", onPath("recipient.nums", "contains", `2`, ""), columns{"nums": "{1.0,2.0}"}, true},
		{"a dynamic item that is a list shares", contains(`"recipient.q"`), pq(`[[1]]`, `[1]`), false},
		{"lists of lists share", contains(`"recipient.q"`), pq(`[[1],2]`, `[[1]]`), true},

		{"a shared item", contains(`["x","b"]`), p(`["a","b"]`), true},
		{"no shared item", contains(`["x"]`), p(`["a","b"]`), false},
		{"nothing is shared with an empty list", contains(`[]`), p(`[null]`), false},
		{"a scalar equals an item", contains(`["x",1]`), p(`"1.0"`), true},
		{"a scalar and no substrings", contains(`["b"]`), p(`"abc"`), false},
		{"an empty scalar", contains(`[null]`), p(`""`), true},
		{"missing with a list", contains(`[null,""]`), missing, false},
		{"null with a list", contains(`[null,""]`), p(`null`), false},
		{"a boolean scalar", contains(`["true"]`), p(`true`), true},
		{"a timestamp scalar", onPath("recipient.at", "contains", `["2026-01-02"]`, ""), columns{"at": "2026-01-02"}, true},
		{"a scalar folded", folded("contains", `["B"]`), p(`"b"`), true},
		{"an object contains nothing", contains(`"a"`), p(`{"a":1}`), false},
		{"an object is no scalar", contains(`[null]`), p(`{}`), false},

		{"a list held in a string is text", contains(`"[1]"`), p(`[1]`), false},
		{"a dynamic substring", contains(`"recipient.q"`), pq(`"abc"`, `"b"`), true},
		{"a dynamic missing in a string", contains(`"recipient.q"`), p(`"abc"`), false},
		{"a dynamic missing in a list", contains(`"recipient.q"`), p(`[null]`), true},
		{"a literal", contains(`{"literal":"recipient."}`), p(`"a recipient.b"`), true},
	})
}

func TestContainsAll(t *testing.T) {
	t.Parallel()
	all := func(argument string) string { return on("contains_all", argument) }
	check(t, []rule{
		{"every item", all(`["a",1]`), p(`[1.0,"b","a"]`), true},
		{"not every item", all(`["a","c"]`), p(`["a","b"]`), false},
		{"by equal_to", all(`["1",null]`), p(`[1,""]`), true},
		{"one item for two", all(`["a","a"]`), p(`["a"]`), true},
		{"a string is no list", all(`["a"]`), p(`"a"`), false},
		{"missing", all(`[null]`), missing, false},
		{"an object", all(`[null]`), p(`{}`), false},
		{"folded", folded("contains_all", `["A"]`), p(`["a"]`), true},
		{"held in a string", all(`"[\"a\"]"`), p(`["a"]`), true},
		{"a dynamic list", all(`"recipient.q"`), pq(`[1,2]`, `[2]`), true},
		{"a dynamic empty list", all(`"recipient.q"`), pq(`[]`, `[]`), true},
		{"a dynamic empty list and no list", all(`"recipient.q"`), pq(`1`, `[]`), false},
		{"a dynamic scalar", all(`"recipient.q"`), pq(`[1]`, `1`), false},
		{"long lists", all(`"recipient.q"`), pq(longList(0, 2_000), longList(500, 600)), true},
		{"long lists, one too many", all(`"recipient.q"`), pq(longList(0, 2_000), longList(1_990, 2_001)), false},
	})
}

func longList(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, `,"item %d"`, i)
	}
	return "[" + b.String()[1:] + "]"
}

func TestEmptyAndExists(t *testing.T) {
	t.Parallel()
	var rules []rule
	for _, c := range []struct {
		name          string
		user          columns
		empty, exists bool
	}{
		{"missing", missing, true, false}, {"null", p(`null`), true, false}, {"empty text", p(`""`), true, true}, {"empty list", p(`[]`), true, true},
		{"empty object", p(`{}`), true, true}, {"blank", p(`" "`), false, true}, {"zero", p(`0`), false, true}, {"false", p(`false`), false, true},
		{"list of null", p(`[null]`), false, true}, {"object", p(`{"a":null}`), false, true}, {"no document", columns{}, true, false},
	} {
		rules = append(rules, rule{c.name + " empty", on("empty", ``), c.user, c.empty}, rule{c.name + " exists", on("exists", `null`), c.user, c.exists})
	}
	rules = append(rules,
		rule{"an array that is empty", onPath("recipient.tags", "empty", "", ""), columns{"tags": "{}"}, true},
		rule{"a timestamp is not empty", onPath("recipient.at", "empty", "", ""), columns{"at": "2026-01-01"}, false},
		rule{"a hidden column is missing", onPath("recipient.hidden", "exists", "", ""), columns{"properties": `{"hidden":1}`}, false},
		rule{"a NULL column hides the property", onPath("recipient.n", "exists", "", ""), columns{"properties": `{"n":1}`}, false},
		rule{"created_at may be used", onPath("recipient.created_at", "exists", "", ""), columns{"created_at": "2026-01-01"}, true},
		rule{"steps into lists", onPath("recipient.p.1.x", "exists", "", ""), p(`[0,{"x":1}]`), true},
		rule{"no leading zero", onPath("recipient.p.01", "exists", "", ""), p(`[0,1]`), false},
		rule{"a number as a key", onPath("recipient.p.01", "exists", "", ""), p(`{"01":1}`), true})
	check(t, rules)
}

func TestStartsEndsMatches(t *testing.T) {
	t.Parallel()
	check(t, []rule{
		{"starts", on("starts_with", `"ab"`), p(`"abc"`), true}, {"starts not", on("starts_with", `"b"`), p(`"abc"`), false},
		{"starts with nothing", on("starts_with", `""`), p(`""`), true}, {"starts, missing", on("starts_with", `""`), missing, false},
		{"starts, a number", on("starts_with", `"1"`), p(`12`), false}, {"starts, a list", on("starts_with", `"a"`), p(`["a"]`), false},
		{"starts folded", folded("starts_with", `"AB"`), p(`"abc"`), true}, {"starts not folded", on("starts_with", `"AB"`), p(`"abc"`), false},
		{"starts dynamic", on("starts_with", `"recipient.q"`), pq(`"abc"`, `"a"`), true}, {"starts dynamic number", on("starts_with", `"recipient.q"`), pq(`"1"`, `1`), false},
		{"starts dynamic missing", on("starts_with", `"recipient.q"`), p(`"abc"`), false},
		{"ends", on("ends_with", `"bc"`), p(`"abc"`), true}, {"ends not", on("ends_with", `"b"`), p(`"abc"`), false}, {"ends, missing", on("ends_with", `""`), missing, false},
		{"ends folded", folded("ends_with", `"ÉC"`), p(`"éc"`), true}, {"ends dynamic", on("ends_with", `"recipient.q"`), pq(`"abc"`, `"c"`), true},
		{"matches anywhere", on("matches", `"b+"`), p(`"abbc"`), true}, {"matches not", on("matches", `"^b"`), p(`"abc"`), false},
		{"matches folded", folded("matches", `"^ÉB"`), p(`"ébc"`), true}, {"matches by case", on("matches", `"^AB"`), p(`"abc"`), false},
		{"matches, missing", on("matches", `""`), missing, false}, {"matches, a number", on("matches", `"1"`), p(`1`), false}, {"matches, empty", on("matches", `"^$"`), p(`""`), true},
		{"matches classes", on("matches", `"^\\p{Greek}+$"`), p(`"αβγ"`), true}, {"a pattern is no reference", on("matches", `"recipient.q"`), pq(`"abc"`, `"b"`), false},
		{"what looks catastrophic is linear", on("matches", `"^(a+)+$"`), p(`"` + strings.Repeat("a", 50_000) + `b"`), false},
	})
}
