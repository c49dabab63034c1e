package plain

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/evaluator"

	"pgregory.net/rapid"
)

func TestNextFlip(t *testing.T) {
	t.Parallel()
	at := func(op, argument string) string { return onPath("recipient.at", op, argument, "") }
	until := func(op, argument string) string { return onPath("recipient.until", op, argument, "") }
	for _, c := range []struct {
		name       string
		definition string
		user       columns
		want       string // "" is none
	}{
		{"an exit a microsecond after", at("is_timestamp_on_or_after", `"7 days ago"`), columns{"at": "2026-06-10 00:00:00+00"}, "2026-06-17T00:00:00.000001Z"},
		{"an entry a microsecond after", at("is_timestamp_before", `"7 days ago"`), columns{"at": "2026-06-10 00:00:00+00"}, "2026-06-17T00:00:00.000001Z"},
		{"from now", at("is_timestamp_before", `"1 day from now"`), columns{"at": "2026-06-17 00:00:00+00"}, "2026-06-16T00:00:00.000001Z"},
		{"it has flipped", at("is_timestamp_before", `"1 day ago"`), columns{"at": "2026-06-10 00:00:00+00"}, ""},
		{"it flips at once after now", at("is_timestamp_before_now", ``), columns{"at": "2026-06-15 12:00:00+00"}, "2026-06-15T12:00:00.000001Z"},
		{"now itself is no flip", at("is_timestamp_before_now", ``), columns{"at": "2026-06-15 11:59:59.999999+00"}, ""},
		{"on or after now", at("is_timestamp_on_or_after_now", ``), columns{"at": "2026-06-16 00:00:00+00"}, "2026-06-16T00:00:00.000001Z"},
		{"a negation flips as well", `{"not":` + at("is_timestamp_before_now", ``) + `}`, columns{"at": "2026-06-16 00:00:00+00"}, "2026-06-16T00:00:00.000001Z"},
		{"a timestamp string", on("is_timestamp_before_now", ``), p(`"2026-06-16"`), "2026-06-16T00:00:00.000001Z"},
		{"constants do not move", at("is_timestamp_before", `"2027-01-01"`), columns{"at": "2026-06-16 00:00:00+00"}, ""},
		{"dynamic ones neither", at("is_timestamp_before", `"recipient.until"`), columns{"at": "2026-06-16", "until": "2026-06-17"}, ""},
		{"order operators neither", at("less_than", `"2026-07-01"`), columns{"at": "2026-06-16"}, ""},
		{"between: the entry is exact", at("is_timestamp_between", `["1 day ago","1 day from now"]`), columns{"at": "2026-06-20"}, "2026-06-19T00:00:00Z"},
		{"between: the exit is after", at("is_timestamp_between", `["1 day ago","1 day from now"]`), columns{"at": "2026-06-16"}, "2026-06-17T00:00:00.000001Z"},
		{"between with one relative end", at("is_timestamp_between", `["2026-01-01","1 day ago"]`), columns{"at": "2026-06-16"}, "2026-06-17T00:00:00Z"},
		{"between that never holds", at("is_timestamp_between", `["1 day from now","1 day ago"]`), columns{"at": "2026-06-16"}, ""},
		{"another condition decides", at("is_timestamp_before_now", ``) + `,` + on("exists", ``), columns{"at": "2026-06-16"}, ""},
		{"the second flip is the first of membership", at("is_timestamp_before_now", ``) + `,` + until("is_timestamp_before_now", ``), columns{"at": "2026-06-16", "until": "2026-06-18"},
			"2026-06-18T00:00:00.000001Z"},
		{"two flips at once that cancel out", `{"any":[` + at("is_timestamp_before_now", ``) + `,` + until("is_timestamp_on_or_after_now", ``) + `]}`,
			columns{"at": "2026-06-16", "until": "2026-06-16"}, ""},
		{"infinity never comes", at("is_timestamp_before_now", ``), columns{"at": "infinity"}, ""},
		{"nor goes", at("is_timestamp_on_or_after", `"1 day ago"`), columns{"at": "-infinity"}, ""},
		{"nor what is beyond the clock", at("is_timestamp_before_now", ``), columns{"at": "5874897-12-31"}, ""},
		{"nor by arguments beyond it", at("is_timestamp_before", `"999999999 weeks ago"`), columns{"at": "2026-06-16"}, ""},
		{"far dates come by far arguments", at("is_timestamp_before", `"99999999 weeks from now"`), columns{"at": "1919000-01-01"}, "2465-02-11T00:00:00.000001Z"},
		{"no timestamp", on("is_timestamp_before_now", ``), p(`"x"`), ""},
		{"missing", at("is_timestamp_before_now", ``), missing, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			want := evaluator.NoInstant
			if c.want != "" {
				want = instant(t, c.want)
			}
			in := &evaluator.Input{User: "u1", Row: rowOf(t, c.user), Now: instant(t, now)}
			j := compiled(t, dynamic(t, "k", c.definition), dynamic(t, "outer", `{"not":`+member(`"k"`)+`}`))
			var match evaluator.Match
			if j.Match(in, &match); match.NextFlip != want {
				t.Errorf("next flip is %v, want %v", match.NextFlip, want)
			}
			if outer, _ := j.Explain(in, 2); outer.NextFlip != want {
				t.Errorf("through a reference it is %v, want %v", outer.NextFlip, want)
			}
		})
	}
	var match evaluator.Match
	if compiled(t, dynamic(t, "k", at("is_timestamp_before_now", ``))).Match(&evaluator.Input{}, &match); match.NextFlip != evaluator.NoInstant {
		t.Errorf("an absent user flips at %v", match.NextFlip)
	}
}

func TestEverySegmentCounts(t *testing.T) {
	t.Parallel()
	j := compiled(t, definition(t, `{"key":"k","type":"dynamic","segments":[{"conditions":[`+on("exists", "")+`]},{"conditions":[`+
		onPath("recipient.at", "is_timestamp_before_now", "", "")+`]}]}`))
	row := rowOf(t, columns{"at": "2026-06-16"})
	flip := instant(t, "2026-06-16T00:00:00.000001Z")
	var diff evaluator.Diff
	j.Diff(&evaluator.Input{Row: row, Now: flip}, &evaluator.Input{Row: row, Now: instant(t, now)}, &diff)
	if want := []evaluator.Change{{Audience: 1, Own: true}}; !slices.Equal(diff.Changes, want) || diff.NextFlip != flip {
		t.Errorf("changes are %+v, next flip %v", diff.Changes, diff.NextFlip)
	}
}

func TestSettlingAudiencesDoNotFlipOthers(t *testing.T) {
	t.Parallel()
	j := compiled(t, definition(t, `{"key":"k","type":"dynamic","settle":{"exit":"1m"},"segments":[{"conditions":[`+onPath("recipient.at", "is_timestamp_before_now", "", "")+`]}]}`),
		dynamic(t, "outer", member(`"k"`)))
	in := &evaluator.Input{Row: rowOf(t, columns{"at": "2026-06-16"}), Now: instant(t, now)}
	var match evaluator.Match
	if j.Match(in, &match); match.NextFlip != instant(t, "2026-06-16T00:00:00.000001Z") {
		t.Errorf("its own conditions flip at %v", match.NextFlip)
	}
	if outer, _ := j.Explain(in, 2); outer.NextFlip != evaluator.NoInstant {
		t.Errorf("what refers to it flips at %v", outer.NextFlip)
	}
}

// world is a random set of audiences, with references and clocks, and the means to draw users for it.
type world struct {
	judge   *Judge
	offsets []int64 // seconds that any condition adds to now
}

var relatives = map[string]int64{"0 minutes ago": 0, "1 minute ago": -60, "2 minutes from now": 120, "3 minutes ago": -180, "1 minute from now": 60}

func drawWorld(r *rapid.T, t *testing.T) *world {
	w := &world{offsets: []int64{0}}
	for _, offset := range relatives {
		w.offsets = append(w.offsets, offset)
	}
	names := []string{}
	for text := range relatives {
		names = append(names, text)
	}
	slices.Sort(names)
	relative := rapid.SampledFrom(names)
	definitions := []*evaluator.Definition{static(t, "a0")}
	for i := range rapid.IntRange(1, 4).Draw(r, "audiences") {
		key := i + 1
		var condition func(depth int) string
		condition = func(depth int) string {
			path := rapid.SampledFrom([]string{"recipient.at", "recipient.until"}).Draw(r, "path")
			switch kind := rapid.IntRange(0, 9).Draw(r, "kind"); {
			case kind == 0 && depth > 0:
				return `{"not":` + condition(depth-1) + `}`
			case kind == 1 && depth > 0:
				return `{"any":[` + condition(depth-1) + `,` + condition(depth-1) + `]}`
			case kind <= 2:
				return member(fmt.Sprintf(`"a%d"`, rapid.IntRange(0, key-1).Draw(r, "reference")))
			case kind == 3:
				return onPath(path, "is_timestamp_before_now", "", "")
			case kind == 4:
				return onPath(path, "is_timestamp_between", fmt.Sprintf(`[%q,%q]`, relative.Draw(r, "from"), relative.Draw(r, "to")), "")
			case kind == 5:
				return onPath(path, "is_timestamp_between", fmt.Sprintf(`["recipient.until",%q]`, relative.Draw(r, "to")), "")
			case kind == 6:
				return onPath(path, "is_timestamp_on_or_after_now", "", "")
			case kind == 7:
				return on("not_equal_to", rapid.SampledFrom([]string{"1", "2"}).Draw(r, "number"))
			}
			return onPath(path, rapid.SampledFrom([]string{"is_timestamp_before", "is_timestamp_on_or_after"}).Draw(r, "operator"), fmt.Sprintf("%q", relative.Draw(r, "relative")), "")
		}
		conditions := []string{}
		for range rapid.IntRange(1, 3).Draw(r, "conditions") {
			conditions = append(conditions, condition(2))
		}
		definitions = append(definitions, dynamic(t, fmt.Sprintf("a%d", key), strings.Join(conditions, ",")))
	}
	w.judge = compiled(t, definitions...)
	return w
}

// input draws a user, who may be absent, within some minutes of now.
func (w *world) input(r *rapid.T, t *testing.T, label string) *evaluator.Input {
	at := instant(t, now) + evaluator.Instant(rapid.IntRange(-2, 2).Draw(r, label+" now"))
	if rapid.IntRange(0, 9).Draw(r, label+" present") == 0 {
		return &evaluator.Input{User: "u1", Now: at}
	}
	user := columns{}
	for _, column := range []string{"at", "until"} {
		minutes := rapid.IntRange(-4, 4).Draw(r, label+" minutes")
		micros := rapid.IntRange(-1, 1).Draw(r, label+" micros")
		m := (at + evaluator.Instant(minutes*60_000_000+micros)).Time()
		user[column] = m.Format("2006-01-02 15:04:05.999999+00")
	}
	user["properties"] = fmt.Sprintf(`{"p":%d}`, rapid.IntRange(1, 3).Draw(r, label+" p"))
	in := &evaluator.Input{User: "u1", Row: rowOf(t, user), Now: at}
	if rapid.Bool().Draw(r, label+" static") {
		in.Given = []evaluator.Given{{Audience: 1}}
	}
	return in
}

func (w *world) changes(before, after *evaluator.Input) map[evaluator.AudienceID]bool {
	var diff evaluator.Diff
	w.judge.Diff(before, after, &diff)
	changes := make(map[evaluator.AudienceID]bool)
	for _, c := range diff.Changes {
		changes[c.Audience] = c.Entered
	}
	return changes
}

// The next flip is the first of all instants near some property and offset at which the members differ, found by going
// through them one by one.
func TestNextFlipAgreesWithTrial(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		w := drawWorld(r, t)
		in := w.input(r, t, "user")
		if in.Row == nil {
			return
		}
		var match, later evaluator.Match
		w.judge.Match(in, &match)
		var instants []evaluator.Instant
		for _, path := range []string{"at", "until"} {
			property, _ := in.Row.Property(evaluator.Path{path}).Instant()
			for _, offset := range w.offsets {
				for micro := evaluator.Instant(-2); micro <= 2; micro++ {
					instants = append(instants, property-evaluator.Instant(offset*1_000_000)+micro)
				}
			}
		}
		slices.Sort(instants)
		want := evaluator.NoInstant
		for _, at := range instants {
			if at <= in.Now {
				continue
			}
			then := *in
			then.Now = at
			if w.judge.Match(&then, &later); !slices.Equal(later.Members, match.Members) {
				want = at
				break
			}
		}
		if match.NextFlip != want {
			r.Fatalf("next flip is %v, want %v", match.NextFlip, want)
		}
	})
}
