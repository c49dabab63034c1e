package plain

import "testing"

func TestOrder(t *testing.T) {
	t.Parallel()
	gt := func(argument string) string { return on("greater_than", argument) }
	n := func(op, argument string) string { return onPath("recipient.n", op, argument, "") }
	at := func(op, argument string) string { return onPath("recipient.at", op, argument, "") }
	check(t, []rule{
		{"greater", gt(`1`), p(`2`), true},
		{"equal is not greater", gt(`1`), p(`1.0`), false},
		{"greater or equal", on("greater_than_or_equal_to", `1`), p(`1.0`), true},
		{"less", on("less_than", `1`), p(`0.999`), true},
		{"equal is not less", on("less_than", `1`), p(`1`), false},
		{"less or equal", on("less_than_or_equal_to", `1`), p(`1`), true},
		{"more is not less or equal", on("less_than_or_equal_to", `1`), p(`1.1`), false},
		{"exactly", gt(`9007199254740992`), p(`9007199254740993`), true},
		{"a numeric string as the property", gt(`10`), p(`"9"`), false},
		{"a numeric string as the argument", gt(`"10"`), p(`9`), false},
		{"both numeric strings", gt(`"10"`), p(`"9"`), false},
		{"the argument decides: text and a number", gt(`1`), p(`"abc"`), false},
		{"and its reverse is false too", on("less_than_or_equal_to", `1`), p(`"abc"`), false},
		{"the argument decides: a number and text", gt(`"abc"`), p(`1`), false},
		{"order is not total, first", gt(`"1a"`), p(`"9"`), true},
		{"order is not total, second", gt(`"9"`), p(`"abc"`), false},
		{"by bytes", gt(`"Z"`), p(`"a"`), true},
		{"by bytes beyond ASCII", gt(`"z"`), p(`"é"`), true},
		{"by bytes of higher planes", gt(`"\uFFFD"`), p(`"\ud83d\ude00"`), true},
		{"the empty string takes part", on("less_than", `"a"`), p(`""`), true},
		{"missing does not", on("less_than", `"a"`), missing, false},
		{"null does not", on("less_than", `"a"`), p(`null`), false},
		{"nor in numbers", on("less_than", `1`), missing, false},
		{"an empty argument is text", on("greater_than_or_equal_to", `""`), p(`"a"`), true},
		{"booleans do not", on("greater_than_or_equal_to", `0`), p(`true`), false},
		{"lists do not", on("greater_than_or_equal_to", `"a"`), p(`["b"]`), false},
		{"infinity is beyond all", n("greater_than", `1e999`), columns{"n": "Infinity"}, true},
		{"minus infinity is below all", n("less_than", `-1e999`), columns{"n": "-Infinity"}, true},
		{"infinities are equal to themselves", n("greater_than_or_equal_to", `"recipient.m"`), columns{"n": "Infinity", "m": "Infinity"}, true},
		{"NaN is not greater", n("greater_than", `1`), columns{"n": "NaN"}, false},
		{"NaN is not less", n("less_than", `1`), columns{"n": "NaN"}, false},
		{"NaN is not even as much as itself", n("greater_than_or_equal_to", `"recipient.n"`), columns{"n": "NaN"}, false},
		{"NaN as the argument", n("greater_than", `"recipient.m"`), columns{"n": "1", "m": "NaN"}, false},
		{"a huge number in a document", gt(`1e999`), p(`1e999999999999`), true},
		{"and its smallness", on("less_than", `1e-999`), p(`1e-999999999999`), true},

		{"instants", at("greater_than", `"2026-01-02"`), columns{"at": "2026-01-02 00:00:00.000001+00"}, true},
		{"instants, equal", at("greater_than_or_equal_to", `"2026-01-02"`), columns{"at": "2026-01-02"}, true},
		{"timestamp strings as properties", gt(`"2026-01-02T00:00:00+02:00"`), p(`"2026-01-02"`), true},
		{"text is no instant", gt(`"2026-01-02"`), p(`"zzz"`), false},
		{"a timestamp is no text", at("less_than", `"zzz"`), columns{"at": "2026-01-02"}, false},
		{"a number is no instant", gt(`"2026-01-02"`), p(`3000`), false},
		{"infinity lies after", at("greater_than", `"9999-12-31"`), columns{"at": "infinity"}, true},
		{"minus infinity lies before", at("less_than", `"0000-01-01"`), columns{"at": "-infinity"}, true},
		{"before Christ", at("less_than", `"0000-01-01"`), columns{"at": "0044-03-15 BC"}, true},
		{"far dates", at("less_than", `"recipient.until"`), columns{"at": "5874897-12-30", "until": "5874897-12-31"}, true},
		{"far dates and infinity", at("less_than", `"recipient.until"`), columns{"at": "5874897-12-30", "until": "infinity"}, true},
		{"far dates and timestamps", at("greater_than", `"recipient.until"`), columns{"at": "5874897-12-30", "until": "294276-12-31 23:59:59.999999+00"}, true},

		{"a dynamic number", gt(`"recipient.q"`), pq(`2`, `1`), true},
		{"a dynamic numeric string", gt(`"recipient.q"`), pq(`10`, `"9"`), true},
		{"a dynamic text", gt(`"{{ recipient.q }}"`), pq(`"b"`, `"a"`), true},
		{"a dynamic timestamp", at("less_than", `"recipient.until"`), columns{"at": "2026-01-02", "until": "2026-01-03"}, true},
		{"a dynamic list", gt(`"recipient.q"`), pq(`2`, `[1]`), false},
		{"a dynamic boolean", gt(`"recipient.q"`), pq(`2`, `true`), false},
		{"a dynamic missing", gt(`"recipient.q"`), p(`2`), false},
		{"a literal numeric string", gt(`{"literal":"10"}`), p(`9`), false},
		{"a literal that looks like a reference", gt(`{"literal":"recipient.q"}`), pq(`"s"`, `"z"`), true},
	})
}

func TestIsBetween(t *testing.T) {
	t.Parallel()
	between := func(argument string) string { return on("is_between", argument) }
	check(t, []rule{
		{"inside", between(`[1,3]`), p(`2`), true},
		{"the low end", between(`[1,3]`), p(`1.0`), true},
		{"the high end", between(`[1,3]`), p(`3`), true},
		{"below", between(`[1,3]`), p(`0.9`), false},
		{"above", between(`[1,3]`), p(`3.1`), false},
		{"backwards", between(`[3,1]`), p(`2`), false},
		{"a numeric string", between(`["1","3"]`), p(`"2"`), true},
		{"text", between(`["b","d"]`), p(`"c"`), true},
		{"instants", between(`["2026-01-01","2026-01-03"]`), p(`"2026-01-02"`), true},
		{"missing", between(`["","z"]`), missing, false},
		{"NaN", onPath("recipient.n", "is_between", "[0,9]", ""), columns{"n": "NaN"}, false},
		{"held in a string", between(`"[1,3]"`), p(`2`), true},
		{"dynamic ends", between(`["recipient.q",5]`), pq(`3`, `2`), true},
		{"dynamic ends held in a string", between(`"[\"recipient.q\",5]"`), pq(`3`, `4`), false},
		{"each end by itself", between(`["recipient.q",5]`), pq(`"3"`, `"1a"`), true}, // "3" > "1a" as text, 3 <= 5 as a number
		{"an end of the wrong kind", between(`["recipient.q",5]`), pq(`3`, `[1]`), false},
		{"an end that is missing", between(`[1,"recipient.q"]`), p(`3`), false},
		{"a literal end", between(`[{"literal":"recipient.a"},"recipient.z~"]`), p(`"recipient.b"`), false},
		{"two literal ends", between(`[{"literal":"recipient.a"},{"literal":"recipient.z"}]`), p(`"recipient.b"`), true},
	})
}
