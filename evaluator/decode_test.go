package evaluator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// withConditions is a definition with those conditions, JSON, in its only segment.
func withConditions(conditions string) string {
	return `{"key":"k","type":"dynamic","segments":[{"conditions":[` + conditions + `]}]}`
}

func faultPaths(t *testing.T, document, key string) []string {
	t.Helper()
	def, err := Decode([]byte(document), key)
	var faults Faults
	if err != nil && !errors.As(err, &faults) || (def == nil) != (err != nil) {
		t.Fatalf("Decode returns %v, %v", def, err)
	}
	paths := []string{}
	for _, f := range faults {
		paths = append(paths, f.Path)
		if f.Message == "" {
			t.Errorf("%s: no message", f.Path)
		}
	}
	return paths
}

func TestDecodeFaults(t *testing.T) {
	t.Parallel()
	const leaf = `{"property":"recipient.a","operator":"exists"}`
	const c0 = "segments[0].conditions[0]"
	for _, c := range []struct {
		name, document, key string
		want                []string
	}{
		{"good", withConditions(leaf), "", nil},
		{"good, the key from its place", `{"type":"static"}`, "k", nil},
		{"keys agree", `{"key":"k","type":"static"}`, "k", nil},
		{"keys differ", `{"key":"k","type":"static"}`, "l", []string{"key"}},
		{"no key at all", `{"type":"static"}`, "", []string{"key"}},
		{"bad key", `{"key":"-k","type":"static"}`, "", []string{"key"}},
		{"bad key from its place", `{"type":"static"}`, "K", []string{"key"}},
		{"key too long", `{"type":"static"}`, strings.Repeat("k", 129), []string{"key"}},
		{"longest key", `{"type":"static"}`, strings.Repeat("k", 128), nil},
		{"key no string", `{"key":1,"type":"static"}`, "", []string{"key"}},
		{"not JSON", `{"key":`, "", []string{""}},
		{"not an object", `[]`, "", []string{""}},
		{"not UTF-8", "{\"key\":\"\xff\"}", "", []string{""}},
		{"too long", strings.Repeat(" ", MaxDocument) + "{}", "", []string{""}},
		{"unknown keys at every level", `{"key":"k","type":"dynamic","x":1,"settle":{"enter":"1m","y":1},"segments":[{"z":1,"conditions":[` +
			`{"property":"recipient.a","operator":"exists","v":1},{"all":[` + leaf + `],"w":1},` +
			`{"property":"recipient.a","operator":"equal_to","argument":{"literal":"x","u":1}}]}]}`, "",
			[]string{"x", "segments[0].z", "segments[0].conditions[0].v", "segments[0].conditions[1].w", "segments[0].conditions[2].argument.u", "settle.y"}},
		{"the type where other tools keep it", `{"key":"k","__readonly":{"key":"k","type":"static"}}`, "", nil},
		{"keys of pulled files are ignored", `{"key":"k","type":"static","environment":"e","created_at":1,"updated_at":null,"sha":{},"__annotation":{"x":1},"__readonly":1,"$schema":"audience.schema.json"}`, "", nil},
		{"which are unknown inside", withConditions(`{"property":"recipient.a","operator":"exists","sha":"x"}`), "", []string{c0 + ".sha"}},
		{"duplicate keys", `{"key":"k","key":"k","type":"static","__annotation":{"a":[{"b":1,"b":2,"b":3}]}}`, "", []string{"__annotation.a[0].b", "key"}},
		{"a number out of bounds", `{"key":"k","type":"static","__annotation":[1e1000]}`, "", []string{"__annotation[0]"}},
		{"type missing", `{"key":"k"}`, "", []string{"type"}},
		{"type unknown", `{"key":"k","type":"Dynamic"}`, "", []string{"type"}},
		{"name no string", `{"key":"k","type":"static","name":1,"description":[]}`, "", []string{"name", "description"}},
		{"null is absent", `{"key":"k","type":"static","name":null,"description":null,"segments":null,"settle":null,"trigger_frequency":null,"trigger_on_backfill":null,"include":null}`, "", nil},
		{"static with segments", `{"key":"k","type":"static","segments":[{"conditions":[` + leaf + `]}]}`, "", []string{"segments"}},
		{"static with none", `{"key":"k","type":"static","segments":[]}`, "", nil},
		{"dynamic without segments", `{"key":"k","type":"dynamic"}`, "", []string{"segments"}},
		{"dynamic with no segments", `{"key":"k","type":"dynamic","segments":[]}`, "", []string{"segments"}},
		{"segments no list", `{"key":"k","type":"dynamic","segments":{}}`, "", []string{"segments"}},
		{"segment no object", `{"key":"k","type":"dynamic","segments":[1,{"conditions":[` + leaf + `]}]}`, "", []string{"segments[0]"}},
		{"segment without conditions", `{"key":"k","type":"dynamic","segments":[{},{"conditions":[]},{"conditions":1}]}`, "",
			[]string{"segments[0].conditions", "segments[1].conditions", "segments[2].conditions"}},
		{"condition no object", withConditions(`[]`), "", []string{c0}},
		{"every fault at once", withConditions(`{"property":"a","operator":"equal_to"},{"operator":"nope","property":"b"},{}`), "",
			[]string{"segments[0].conditions[0].property", "segments[0].conditions[1].operator", "segments[0].conditions[1].property", "segments[0].conditions[2].operator"}},

		{"variable for property", withConditions(`{"variable":"recipient.a","operator":"exists"}`), "", nil},
		{"bad variable", withConditions(`{"variable":"a","operator":"exists"}`), "", []string{c0 + ".variable"}},
		{"both", withConditions(`{"property":"recipient.a","variable":"recipient.a","operator":"exists"}`), "", []string{c0 + ".variable"}},
		{"property missing", withConditions(`{"operator":"exists"}`), "", []string{c0 + ".property"}},
		{"property no string", withConditions(`{"property":1,"operator":"exists"}`), "", []string{c0 + ".property"}},
		{"not needed", withConditions(`{"operator":"is_audience_member","argument":"x"},{"operator":"is_not_audience_member","argument":"x"},{"operator":"in_sample","argument":{"percent":1,"seed":""}}`), "", nil},
		{"not needed but checked", withConditions(`{"property":"x","operator":"is_audience_member","argument":"x"}`), "", []string{c0 + ".property"}},

		{"empty groups", withConditions(`{"all":[]},{"any":[]},{"all":1},{"not":[]},{"not":null}`), "",
			[]string{"segments[0].conditions[0].all", "segments[0].conditions[1].any", "segments[0].conditions[2].all", "segments[0].conditions[3].not", "segments[0].conditions[4].not"}},
		{"two groups in one", withConditions(`{"not":` + leaf + `,"all":[` + leaf + `]}`), "", []string{c0 + ".not"}},
		{"all and any", withConditions(`{"any":[` + leaf + `],"all":[` + leaf + `]}`), "", []string{c0 + ".any"}},
		{"a group with an operator", withConditions(`{"any":[` + leaf + `],"operator":"exists"}`), "", []string{c0 + ".operator"}},
		{"faults inside a group", withConditions(`{"any":[{"not":{"all":[` + leaf + `,{"property":"recipient.a","operator":"empty","argument":1}]}}]}`), "", []string{c0 + ".any[0].not.all[1].argument"}},
		{"16 groups", withConditions(strings.Repeat(`{"not":`, 16) + leaf + strings.Repeat(`}`, 16)), "", nil},
		{"17 groups", withConditions(strings.Repeat(`{"not":`, 17) + leaf + strings.Repeat(`}`, 17)), "", []string{c0 + strings.Repeat(".not", 16)}},
		{"200 groups", withConditions(strings.Repeat(`{"all":[`, 200) + leaf + strings.Repeat(`]}`, 200)), "", []string{c0 + strings.Repeat(".all[0]", 16)}},
		{"the 17th with two kinds", withConditions(strings.Repeat(`{"not":`, 16) + `{"all":[` + leaf + `],"any":[` + leaf + `]}` + strings.Repeat(`}`, 16)), "", []string{c0 + strings.Repeat(".not", 16)}},

		{"settle", `{"key":"k","type":"dynamic","segments":[{"conditions":[` + leaf + `]}],"settle":{"enter":"010m","exit":"0s"}}`, "", nil},
		{"settle the longest", `{"key":"k","type":"dynamic","segments":[{"conditions":[` + leaf + `]}],"settle":{"enter":"36500d","exit":"876000h"}}`, "", nil},
		{"settle of a static one", `{"key":"k","type":"static","settle":{"enter":"1m"}}`, "", []string{"settle"}},
		{"settle durations", `{"key":"k","type":"dynamic","segments":[{"conditions":[` + leaf + `]}],"settle":{"enter":"1.5h","exit":"36501d"}}`, "", []string{"settle.enter", "settle.exit"}},
		{"settle durations, again", `{"key":"k","type":"dynamic","segments":[{"conditions":[` + leaf + `]}],"settle":{"enter":"m","exit":10}}`, "", []string{"settle.enter", "settle.exit"}},
		{"settle durations, more", `{"key":"k","type":"dynamic","segments":[{"conditions":[` + leaf + `]}],"settle":{"enter":"-1m","exit":"1w"}}`, "", []string{"settle.enter", "settle.exit"}},
		{"settle no object", `{"key":"k","type":"dynamic","segments":[{"conditions":[` + leaf + `]}],"settle":"10m"}`, "", []string{"settle"}},
		{"triggers", `{"key":"k","type":"static","trigger_frequency":"once_per_user","trigger_on_backfill":true}`, "", nil},
		{"bad triggers", `{"key":"k","type":"static","trigger_frequency":"once","trigger_on_backfill":"true"}`, "", []string{"trigger_frequency", "trigger_on_backfill"}},
		{"include", `{"key":"k","type":"static","include":["recipient.a","user.b.c"]}`, "", nil},
		{"bad include", `{"key":"k","type":"static","include":["recipient.a","b",1,"user.a"]}`, "", []string{"include[1]", "include[2]", "include[3]"}},
		{"include no list", `{"key":"k","type":"static","include":"recipient.a"}`, "", []string{"include"}},
		{"include too long", `{"key":"k","type":"static","include":[` + strings.Repeat(`"recipient.a",`, 100) + `"recipient.b"]}`, "", []string{"include"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := faultPaths(t, c.document, c.key)
			slices.Sort(got)
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("faults at %q, want %q", got, c.want)
			}
		})
	}
}

func TestDecodeArguments(t *testing.T) {
	t.Parallel()
	const a = "segments[0].conditions[0].argument"
	long := `[` + strings.Repeat(`1,`, MaxItems-1) + `1]`
	tooLong := `[` + strings.Repeat(`1,`, MaxItems) + `1]`
	good, bad := []string{}, []string{a}
	for _, c := range []struct {
		operators string // separated by blanks
		argument  string // "" is absent
		want      []string
	}{
		{"empty not_empty exists not_exists is_timestamp is_timestamp_before_now is_timestamp_on_or_after_now", ``, good},
		{"empty exists is_timestamp is_timestamp_before_now", `null`, good},
		{"empty not_empty exists not_exists is_timestamp is_timestamp_before_now is_timestamp_on_or_after_now", `""`, bad},
		{"exists", `{"literal":"x"}`, bad},

		{"equal_to not_equal_to contains not_contains", ``, good},
		{"equal_to contains", `null`, good},
		{"equal_to contains", `[]`, good},
		{"equal_to contains", `[1,"a",null,true,"recipient.a","{{","7 days ago"]`, good},
		{"equal_to contains", `[[1]]`, []string{a + "[0]"}},
		{"equal_to contains", `[1,{},[]]`, []string{a + "[1]", a + "[2]"}},
		{"equal_to contains", long, good},
		{"equal_to contains equal_to_any contains_all", tooLong, bad},
		{"equal_to contains", `{}`, bad},
		{"equal_to contains", `{"audience":"x"}`, bad},
		{"equal_to contains greater_than starts_with", `{"value":7,"unit":"days","modifier":"ago"}`, bad},
		{"equal_to", `1e999`, good},
		{"equal_to greater_than", `1e1000`, bad},
		{"equal_to", `[1e-1000]`, []string{a + "[0]"}},
		{"equal_to contains greater_than starts_with ends_with is_timestamp_before", `"recipient.a.b"`, good},
		{"equal_to contains greater_than starts_with is_timestamp_before equal_to_any contains_all", `"{{recipient.a}}"`, good},
		{"equal_to", `"{{ \t\n recipient[\"a b\"] \r }}"`, good},
		{"equal_to", `"user.a"`, good},
		{"equal_to", `"recipient"`, good},
		{"equal_to", `"recipients.a"`, good},
		{"equal_to contains greater_than starts_with is_timestamp_before equal_to_any", `"recipient."`, bad},
		{"equal_to contains greater_than starts_with is_timestamp_before equal_to_any", `"recipient[x"`, bad},
		{"equal_to contains greater_than starts_with is_timestamp_before equal_to_any", `"x {{ y"`, bad},
		{"equal_to", `" {{ recipient.a }}"`, bad},
		{"equal_to", `"{{ recipient.a }} "`, bad},
		{"equal_to", `"{{ user.a }}"`, bad},
		{"equal_to", `"{{ recipient.a }} {{ recipient.b }}"`, bad},
		{"equal_to", `"}}"`, good},
		{"equal_to", `"{{}}"`, bad}, {"equal_to", `"{{ recipient.a"`, bad}, {"equal_to", `"recipient.a }}"`, bad}, {"equal_to", `"{{ {{ recipient.a }} }}"`, bad},
		{"equal_to", `"recipient[\"{{x\"]"`, good}, {"equal_to", `"{{recipient[\"}}\"]}}"`, good}, {"equal_to", `"{{ recipients.a }}"`, bad}, {"equal_to", `"recipient.{{x"`, bad},
		{"equal_to", `"{{ recipient }}"`, bad},
		{"equal_to contains greater_than starts_with", `"7 days ago"`, bad},
		{"equal_to contains greater_than starts_with", `"3_weeks_from_now"`, bad},
		{"equal_to contains greater_than starts_with", `"7 Days ago"`, good},
		{"equal_to contains greater_than starts_with ends_with matches not_matches", `{"literal":"7 days ago"}`, good},
		{"equal_to contains greater_than starts_with matches", `{"literal":"recipient.x"}`, good},
		{"equal_to contains greater_than starts_with matches is_timestamp_before", `{"literal":1}`, []string{a + ".literal"}},
		{"equal_to", `{"literal":["x"]}`, []string{a + ".literal"}},
		{"contains_all", `{"literal":["x"]}`, bad},

		{"greater_than less_than_or_equal_to", `1.5`, good},
		{"greater_than less_than greater_than_or_equal_to", `"x"`, good},
		{"greater_than less_than starts_with ends_with", ``, bad},
		{"greater_than", `true`, bad}, {"greater_than", `[1]`, bad}, {"greater_than", `{}`, bad},
		{"starts_with ends_with", `"x"`, good}, {"starts_with ends_with", `1`, bad}, {"starts_with", `["x"]`, bad},

		{"contains_all not_contains_all equal_to_any not_equal_to_any", `["a",1,null]`, good},
		{"contains_all equal_to_any", `[]`, bad}, {"contains_all equal_to_any", ``, bad}, {"contains_all equal_to_any", `"x"`, bad},
		{"contains_all equal_to_any", `1`, bad}, {"contains_all equal_to_any", `{"literal":"[1]"}`, bad},
		{"contains_all equal_to_any", `"[1, \"{{ x\"]"`, good},
		{"contains_all equal_to_any", `" [1]\n"`, good},
		{"contains_all equal_to_any", `"[]"`, bad}, {"contains_all equal_to_any", `"[1,[2]]"`, bad}, {"contains_all equal_to_any", `"[1,1e1000]"`, bad},
		{"contains_all equal_to_any", `"[1"`, bad},
		{"contains_all equal_to_any", `"recipient.a"`, good},
		{"contains_all equal_to_any", long, good},

		{"is_between", `[1,2]`, good}, {"is_between", `["1",2]`, good}, {"is_between", `["a","b"]`, good}, {"is_between", `["2026-01-01","2026-01-02T00:00:00Z"]`, good},
		{"is_between", `["recipient.a",2]`, good}, {"is_between", `["a","{{ recipient.a }}"]`, good}, {"is_between", `[{"literal":"recipient.a"},"z"]`, good},
		{"is_between", `[{"literal":"5"},7]`, good},
		{"is_between", `"[1,2]"`, good}, {"is_between", `"[\"recipient.a\",2]"`, good},
		{"is_between is_timestamp_between", `[1,2,3]`, bad}, {"is_between is_timestamp_between", `[1]`, bad}, {"is_between is_timestamp_between", `1`, bad},
		{"is_between is_timestamp_between", ``, bad}, {"is_between is_timestamp_between", `"recipient.a"`, bad}, {"is_between is_timestamp_between", `"{{ recipient.a }}"`, bad},
		{"is_between", `[1,"a"]`, bad}, {"is_between", `["2026-01-01","a"]`, bad}, {"is_between", `["2026-01-01",1]`, bad},
		{"is_between", `[1,null]`, []string{a + "[1]"}}, {"is_between", `[true,[]]`, []string{a + "[0]", a + "[1]"}},
		{"is_between", `["7 days ago","2026-01-01"]`, []string{a + "[0]"}},
		{"is_between", `"[1,null]"`, bad}, {"is_between", `["recipient.",2]`, []string{a + "[0]"}},

		{"is_timestamp_before is_timestamp_on_or_after", `"2026-01-02"`, good}, {"is_timestamp_before", `"2026-01-02T03:04:05.5+01:00"`, good},
		{"is_timestamp_before", `{"literal":"2026-01-02"}`, good}, {"is_timestamp_before", `{"literal":"7 days ago"}`, bad},
		{"is_timestamp_before", `"2026-01-02 03:04:05Z"`, bad}, {"is_timestamp_before", `5`, bad}, {"is_timestamp_before", ``, bad}, {"is_timestamp_before", `"infinity"`, bad},
		{"is_timestamp_before", `"7 days ago"`, good}, {"is_timestamp_before", `"1 day from now"`, good}, {"is_timestamp_before", `"7_days_ago"`, good},
		{"is_timestamp_before", `"3_days_from_now"`, good}, {"is_timestamp_before", `"007 minutes ago"`, good}, {"is_timestamp_before", `"1 days ago"`, good},
		{"is_timestamp_before", `"2 week ago"`, good}, {"is_timestamp_before", `"0 hours ago"`, good}, {"is_timestamp_before", `"999999999 weeks ago"`, good},
		{"is_timestamp_before", `"0000000001 days ago"`, bad}, {"is_timestamp_before", `"1.5 days ago"`, bad}, {"is_timestamp_before", `"-1 days ago"`, bad},
		{"is_timestamp_before", `"1.5 days"`, bad}, {"is_timestamp_before", `"a day ago"`, bad}, {"is_timestamp_before", `"2 months ago"`, bad},
		{"is_timestamp_before", `"2 seconds ago"`, bad}, {"is_timestamp_before", `"7 Days ago"`, bad}, {"is_timestamp_before", `"7  days ago"`, bad},
		{"is_timestamp_before", `" 7 days ago"`, bad}, {"is_timestamp_before", `"7 days_ago"`, bad}, {"is_timestamp_before", `"7 days from_now"`, bad},
		{"is_timestamp_before", `"7_days_from now"`, bad}, {"is_timestamp_before", `"7 days from  now"`, bad}, {"is_timestamp_before", `"7 dayss ago"`, bad},
		{"is_timestamp_before", `{"value":7,"unit":"days","modifier":"ago"}`, good}, {"is_timestamp_before", `{"value":0,"unit":"minute","modifier":"from_now"}`, good},
		{"is_timestamp_before", `{"value":999999999,"unit":"week","modifier":"from_now"}`, good}, {"is_timestamp_before", `{"value":1000000000,"unit":"week","modifier":"from_now"}`, bad},
		{"is_timestamp_before", `{"value":7.0,"unit":"days","modifier":"ago"}`, bad}, {"is_timestamp_before", `{"value":7e0,"unit":"days","modifier":"ago"}`, bad},
		{"is_timestamp_before", `{"value":"7","unit":"days","modifier":"ago"}`, bad}, {"is_timestamp_before", `{"value":-7,"unit":"days","modifier":"ago"}`, bad},
		{"is_timestamp_before", `{"value":7,"unit":"months","modifier":"ago"}`, bad}, {"is_timestamp_before", `{"value":7,"unit":"days","modifier":"from now"}`, bad},
		{"is_timestamp_before", `{"value":7,"unit":"days"}`, bad}, {"is_timestamp_before", `{"value":7,"unit":"days","modifier":"ago","x":1}`, []string{a + ".x"}}, {"is_timestamp_before", `{}`, bad},
		{"is_timestamp_between", `["7 days ago",{"value":3,"unit":"days","modifier":"from_now"}]`, good}, {"is_timestamp_between", `["recipient.a","2026-01-01"]`, good},
		{"is_timestamp_between", `"[\"7 days ago\",\"recipient.a\"]"`, good}, {"is_timestamp_between", `["a","2026-01-01"]`, []string{a + "[0]"}},
		{"is_timestamp_between", `[1,2]`, []string{a + "[0]", a + "[1]"}}, {"is_timestamp_between", `"[1,2]"`, []string{a, a}},
		{"is_timestamp_between", `"[{\"value\":7.0,\"unit\":\"days\",\"modifier\":\"ago\"},\"recipient.a\"]"`, bad},
		{"is_timestamp_between", `"[{\"value\":7,\"value\":7,\"unit\":\"days\",\"modifier\":\"ago\"},\"recipient.a\"]"`, bad},

		{"matches not_matches", `"^a.*(b|c)\\pL+$"`, good}, {"matches", `""`, good}, {"matches", `"("`, bad}, {"matches", `"(?=a)"`, bad}, {"matches", `"(a)\\1"`, bad},
		{"matches", `1`, bad}, {"matches", ``, bad}, {"matches", `["a"]`, bad}, {"matches", `"a{1001}"`, bad}, {"matches", `"a{1000}(?:bcd){1000}"`, good}, {"matches", `"(?:abcdefghijk){1000}"`, bad},
		{"matches", `"` + strings.Repeat("é", 1000) + `"`, good}, {"matches", `"` + strings.Repeat("a", 1001) + `"`, bad},
		{"matches", `"7 days ago"`, good}, {"matches", `"recipient."`, good}, {"matches", `"{{"`, good},

		{"is_audience_member is_not_audience_member", `"x-1_y"`, good}, {"is_audience_member", `{"audience":"x"}`, good},
		{"is_audience_member", `{"audience":"x","tenant":"recipient.t"}`, good}, {"is_audience_member", `{"audience":"x","tenant":null}`, good},
		{"is_audience_member", `{"audience":"x","tenant":""}`, []string{a + ".tenant"}}, {"is_audience_member", `{"audience":"x","tenant":1}`, []string{a + ".tenant"}},
		{"is_audience_member", `{"tenant":"t"}`, []string{a + ".audience"}}, {"is_audience_member", `{}`, []string{a + ".audience"}}, {"is_audience_member", `{"audience":"X"}`, []string{a + ".audience"}},
		{"is_audience_member", `{"audience":"x","y":1}`, []string{a + ".y"}}, {"is_audience_member", ``, bad}, {"is_audience_member", `"X"`, bad},
		{"is_audience_member", `"recipient.a"`, bad}, {"is_audience_member", `["x"]`, bad}, {"is_audience_member", `1`, bad},

		{"in_sample", `{"percent":12.5,"seed":"spring"}`, good}, {"in_sample", `{"percent":0,"seed":"recipient.x"}`, good}, {"in_sample", `{"percent":100,"seed":"x"}`, good},
		{"in_sample", `{"percent":100.0001,"seed":"x"}`, []string{a + ".percent"}}, {"in_sample", `{"percent":-1,"seed":"x"}`, []string{a + ".percent"}},
		{"in_sample", `{"percent":"5","seed":"x"}`, []string{a + ".percent"}}, {"in_sample", `{"percent":5,"seed":1}`, []string{a + ".seed"}},
		{"in_sample", `{}`, []string{a + ".seed", a + ".percent"}}, {"in_sample", `5`, bad}, {"in_sample", ``, bad}, {"in_sample", `{"percent":5,"seed":"x","y":1}`, []string{a + ".y"}},
	} {
		for op := range strings.FieldsSeq(c.operators) {
			condition := `{"property":"recipient.p","operator":"` + op + `"`
			if c.argument != "" {
				condition += `,"argument":` + c.argument
			}
			if got := faultPaths(t, withConditions(condition+"}"), ""); !slices.Equal(got, c.want) {
				t.Errorf("%s %.80s: faults at %q, want %q", op, c.argument, got, c.want)
			}
		}
	}
}

func TestDecodeIgnoreCase(t *testing.T) {
	t.Parallel()
	takes := "equal_to not_equal_to contains not_contains starts_with ends_with matches not_matches contains_all not_contains_all equal_to_any not_equal_to_any"
	for op := range operatorsByName {
		argument := map[argumentRule]string{takesAnything: `"x"`, takesText: `"x"`, takesOrder: `"x"`, takesPattern: `"x"`, takesList: `["x"]`, takesRange: `[1,2]`,
			takesTime: `"2026-01-01"`, takesTimeRange: `["2026-01-01","2026-01-02"]`, takesAudience: `"x"`, takesSample: `{"percent":1,"seed":""}`, takesNothing: `null`}
		o, _ := ParseOperator(op)
		for _, flag := range []string{"true", "false", "1"} {
			document := withConditions(fmt.Sprintf(`{"property":"recipient.p","operator":%q,"argument":%s,"ignore_case":%s}`, op, argument[operatorRules[o].argument], flag))
			want := flag != "1" && slices.Contains(strings.Fields(takes), op)
			if got := faultPaths(t, document, ""); (len(got) == 0) != want || len(got) > 0 && got[0] != "segments[0].conditions[0].ignore_case" {
				t.Errorf("%s with ignore_case %s: faults at %q", op, flag, got)
			}
		}
	}
}

func TestDecodeWarnings(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]bool{
		`{"property":"recipient.p","operator":"is_between","argument":[2,1]}`:                                           true,
		`{"property":"recipient.p","operator":"is_between","argument":["b","a"]}`:                                       true,
		`{"property":"recipient.p","operator":"is_between","argument":["recipient.x","a"]}`:                             false,
		`{"property":"recipient.p","operator":"is_between","argument":[1,1]}`:                                           false,
		`{"property":"recipient.p","operator":"is_timestamp_between","argument":["2026-01-02","2026-01-01"]}`:           true,
		`{"property":"recipient.p","operator":"is_timestamp_between","argument":["2026-01-01","2026-01-01T00:00:00Z"]}`: false,
		`{"property":"recipient.p","operator":"is_timestamp_between","argument":["1 day ago","2 days ago"]}`:            true,
		`{"property":"recipient.p","operator":"is_timestamp_between","argument":["2026-01-02","2 days ago"]}`:           false,
		`{"property":"recipient.p","operator":"matches","argument":"recipient.x"}`:                                      true,
		`{"property":"recipient.p","operator":"matches","argument":"{{ recipient.x }}"}`:                                true,
		`{"property":"recipient.p","operator":"matches","argument":{"literal":"recipient.x"}}`:                          false,
		`{"property":"recipient.p","operator":"matches","argument":"recipient.x|y z"}`:                                  false,
	} {
		def, err := Decode([]byte(withConditions(condition)), "")
		if err != nil {
			t.Errorf("%s: %v", condition, err)
		} else if (len(def.Warnings) > 0) != want || want && def.Warnings[0].Path != "segments[0].conditions[0].argument" {
			t.Errorf("%s: warnings %v", condition, def.Warnings)
		}
	}
}

func TestDecodeLimitsConditions(t *testing.T) {
	t.Parallel()
	const leaf = `{"property":"recipient.a","operator":"exists"}`
	if got := faultPaths(t, withConditions(strings.Repeat(leaf+",", MaxConditions-1)+leaf), ""); len(got) != 0 {
		t.Errorf("the most conditions that are allowed: faults at %q", got)
	}
	want := fmt.Sprintf("segments[0].conditions[%d]", MaxConditions)
	if got := faultPaths(t, withConditions(strings.Repeat(leaf+",", MaxConditions+5)+leaf), ""); !slices.Equal(got, []string{want}) {
		t.Errorf("too many conditions: faults at %q, want %q", got, want)
	}
}

// Whatever a megabyte holds, it is read in a moment: the definitions here would each take minutes, or gigabytes, without a bound.
func TestHostileDefinitions(t *testing.T) {
	t.Parallel()
	huge := `{"property":"recipient.a","operator":"matches","argument":"(?:` + strings.Repeat("a", 250) + `){1000}"}`
	large := `{"property":"recipient.a","operator":"matches","argument":"a{1000}b{1000}c{1000}d{1000}e{1000}f{1000}g{1000}h{1000}i{1000}"}`
	for name, c := range map[string]struct {
		document string
		faults   int
	}{
		"patterns that are huge":  {withConditions(strings.Repeat(huge+",", 900) + huge), 1},
		"patterns that add up":    {withConditions(strings.Repeat(large+",", 900) + large), 1},
		"deep numbers":            {`{"__annotation":` + strings.Repeat("[", 9_000) + strings.Repeat("-1,", 300_000) + "1" + strings.Repeat("]", 9_000) + `,"type":"static"}`, 0},
		"deep numbers, all wrong": {`{"__annotation":` + strings.Repeat("[", 9_000) + strings.Repeat("1e9999,", 140_000) + "1" + strings.Repeat("]", 9_000) + `,"type":"static"}`, MaxFaults},
		"keys given twice":        {`{"__annotation":{` + strings.Repeat(`"a":1,"b":2,`, 80_000) + `"a":1},"type":"static"}`, 2},
		"unknown keys":            {`{` + strings.Repeat(`"x":1,`, 160_000) + `"type":"static"}`, 2},
		"faults everywhere":       {withConditions(strings.Repeat("{},", 9_000) + "{}"), MaxFaults},
		"a tower of lists":        {`{"__annotation":` + strings.Repeat("[", 500_000) + `,"type":"static"}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := faultPaths(t, c.document, "k"); len(got) != c.faults {
				t.Errorf("%d faults, want %d: %.200q", len(got), c.faults, got)
			}
		})
	}
}

func TestEveryOperatorHasItsName(t *testing.T) {
	t.Parallel()
	if len(operatorsByName) != int(OpInSample) {
		t.Errorf("%d operators have names, want %d", len(operatorsByName), OpInSample)
	}
	for op := OpEqualTo; op <= OpInSample; op++ {
		positive, negated := op.Positive()
		if again, twice := positive.Positive(); again != positive || twice || negated != (positive != op) {
			t.Errorf("%s is the negation of %s, which is one itself", op, positive)
		}
		if negated != strings.Contains(op.String(), "not_") {
			t.Errorf("%s negates: %v", op, negated)
		}
	}
}
