package plain

import "testing"

func TestTimestampOperators(t *testing.T) {
	t.Parallel()
	at := func(op, argument string) string { return onPath("recipient.at", op, argument, "") }
	check(t, []rule{
		{"a timestamp", at("is_timestamp", ``), columns{"at": "2026-01-02"}, true},
		{"infinity is one", at("is_timestamp", ``), columns{"at": "infinity"}, true},
		{"a timestamp string", on("is_timestamp", ``), p(`"2026-01-02T03:04:05z"`), true},
		{"other text", on("is_timestamp", ``), p(`"2026-01-02 03:04:05"`), false},
		{"a leap second", on("is_timestamp", ``), p(`"2016-12-31T23:59:60Z"`), false},
		{"no real date", on("is_timestamp", ``), p(`"2026-02-30"`), false},
		{"a number", on("is_timestamp", ``), p(`20260102`), false},
		{"missing is none", on("is_timestamp", ``), missing, false},

		{"before", at("is_timestamp_before", `"2026-01-02"`), columns{"at": "2026-01-01 23:59:59.999999+00"}, true},
		{"not before itself", at("is_timestamp_before", `"2026-01-02"`), columns{"at": "2026-01-02"}, false},
		{"on", at("is_timestamp_on_or_after", `"2026-01-02"`), columns{"at": "2026-01-02"}, true},
		{"after", at("is_timestamp_on_or_after", `"2026-01-02"`), columns{"at": "2026-01-03"}, true},
		{"not after", at("is_timestamp_on_or_after", `"2026-01-02"`), columns{"at": "2026-01-01"}, false},
		{"text is neither before", on("is_timestamp_before", `"2026-01-02"`), p(`"x"`), false},
		{"nor after", on("is_timestamp_on_or_after", `"2026-01-02"`), p(`"x"`), false},
		{"missing is neither", on("is_timestamp_before", `"2026-01-02"`), missing, false},
		{"infinity is after", at("is_timestamp_on_or_after", `"9999-12-31"`), columns{"at": "infinity"}, true},
		{"a literal", at("is_timestamp_before", `{"literal":"2026-01-02"}`), columns{"at": "2026-01-01"}, true},

		{"before 7 days ago", at("is_timestamp_before", `"7 days ago"`), columns{"at": "2026-06-08 11:59:59.999999+00"}, true},
		{"exactly 7 days ago is not before", at("is_timestamp_before", `"7 days ago"`), columns{"at": "2026-06-08 12:00:00+00"}, false},
		{"exactly 7 days ago is on", at("is_timestamp_on_or_after", `"7_days_ago"`), columns{"at": "2026-06-08 12:00:00+00"}, true},
		{"from now", at("is_timestamp_before", `"3 days from now"`), columns{"at": "2026-06-18 11:59:59+00"}, true},
		{"from now by object", at("is_timestamp_before", `{"value":3,"unit":"days","modifier":"from_now"}`), columns{"at": "2026-06-18 12:00:00+00"}, false},
		{"minutes", at("is_timestamp_on_or_after", `"90 minutes ago"`), columns{"at": "2026-06-15 10:30:00+00"}, true},
		{"hours", at("is_timestamp_on_or_after", `"1 hour ago"`), columns{"at": "2026-06-15 10:59:59+00"}, false},
		{"weeks", at("is_timestamp_on_or_after", `"1 weeks ago"`), columns{"at": "2026-06-08 12:00:00+00"}, true},
		{"a day is 24 hours", at("is_timestamp_on_or_after", `"1 day ago"`), columns{"at": "2026-06-14 11:59:59.999999+00"}, false},
		{"beyond any calendar", at("is_timestamp_before", `"999999999 weeks ago"`), columns{"at": "4714-11-24 BC"}, false},
		{"beyond any calendar, ahead", at("is_timestamp_before", `"999999999 weeks from now"`), columns{"at": "5874897-12-31"}, true},
		{"minus infinity is before even that", at("is_timestamp_before", `"999999999 weeks ago"`), columns{"at": "-infinity"}, true},
		{"infinity is after even that", at("is_timestamp_on_or_after", `"999999999 weeks from now"`), columns{"at": "infinity"}, true},

		{"before now", at("is_timestamp_before_now", ``), columns{"at": "2026-06-15 11:59:59.999999+00"}, true},
		{"now is not before now", at("is_timestamp_before_now", ``), columns{"at": "2026-06-15 12:00:00+00"}, false},
		{"now is on or after now", at("is_timestamp_on_or_after_now", ``), columns{"at": "2026-06-15 12:00:00+00"}, true},
		{"text is neither before now", on("is_timestamp_before_now", ``), p(`"x"`), false},
		{"nor after now", on("is_timestamp_on_or_after_now", ``), p(`"x"`), false},
		{"a timestamp string before now", on("is_timestamp_before_now", ``), p(`"2026-06-15T13:59:59+02:00"`), true},

		{"between", at("is_timestamp_between", `["2026-01-01","2026-01-03"]`), columns{"at": "2026-01-02"}, true},
		{"between, from", at("is_timestamp_between", `["2026-01-01","2026-01-03"]`), columns{"at": "2026-01-01"}, true},
		{"between, to", at("is_timestamp_between", `["2026-01-01","2026-01-03"]`), columns{"at": "2026-01-03"}, true},
		{"between, beyond", at("is_timestamp_between", `["2026-01-01","2026-01-03"]`), columns{"at": "2026-01-03 00:00:00.000001+00"}, false},
		{"between, backwards", at("is_timestamp_between", `["2026-01-03","2026-01-01"]`), columns{"at": "2026-01-02"}, false},
		{"between relative ends", at("is_timestamp_between", `["1 day ago","1 day from now"]`), columns{"at": "2026-06-16 12:00:00+00"}, true},
		{"between mixed ends", at("is_timestamp_between", `"[\"2026-06-01\",\"1 day ago\"]"`), columns{"at": "2026-06-14 12:00:00.000001+00"}, false},
		{"between a dynamic end", at("is_timestamp_between", `["recipient.until","2026-12-31"]`), columns{"at": "2026-02-01", "until": "2026-01-01"}, true},
		{"between a dynamic end that is none", at("is_timestamp_between", `["recipient.name","2026-12-31"]`), columns{"at": "2026-02-01", "name": "x"}, false},
		{"between a dynamic end that is missing", at("is_timestamp_between", `["recipient.until","2026-12-31"]`), columns{"at": "2026-02-01"}, false},

		{"a dynamic timestamp", at("is_timestamp_before", `"recipient.until"`), columns{"at": "2026-01-01", "until": "2026-01-02"}, true},
		{"a dynamic timestamp string", at("is_timestamp_before", `"recipient.name"`), columns{"at": "2026-01-01", "name": "2026-01-02"}, true},
		{"a dynamic value is never relative", at("is_timestamp_before", `"recipient.name"`), columns{"at": "2020-01-01", "name": "7 days ago"}, false},
		{"a dynamic value of the wrong kind", at("is_timestamp_on_or_after", `"recipient.n"`), columns{"at": "2020-01-01", "n": "1"}, false},
	})
}
