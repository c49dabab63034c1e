package plain

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/evaluator"
)

func TestGroups(t *testing.T) {
	t.Parallel()
	yes, no := on("exists", ``), on("not_exists", ``)
	check(t, []rule{
		{"all", `{"all":[` + yes + `,` + yes + `]}`, p(`1`), true},
		{"not all", `{"all":[` + yes + `,` + no + `]}`, p(`1`), false},
		{"any", `{"any":[` + no + `,` + yes + `]}`, p(`1`), true},
		{"none of any", `{"any":[` + no + `,` + no + `]}`, p(`1`), false},
		{"not", `{"not":` + no + `}`, p(`1`), true},
		{"any of all", `{"any":[{"all":[` + yes + `,` + no + `]},{"not":{"any":[` + no + `]}}]}`, p(`1`), true},
		{"deep", strings.Repeat(`{"not":`, 14) + yes + strings.Repeat(`}`, 14), p(`1`), true},
	})
}

func TestSegments(t *testing.T) {
	t.Parallel()
	j := compiled(t, definition(t, `{"key":"k","type":"dynamic","segments":[
		{"conditions":[`+on("equal_to", `1`)+`,`+onPath("recipient.q", "equal_to", "1", "")+`]},
		{"conditions":[`+on("equal_to", `2`)+`]}]}`))
	for document, want := range map[string]bool{`{"p":1,"q":1}`: true, `{"p":1,"q":2}`: false, `{"p":2}`: true, `{"p":3,"q":1}`: false} {
		var match evaluator.Match
		j.Match(&evaluator.Input{Row: rowOf(t, columns{"properties": document})}, &match)
		if got := len(match.Members) == 1; got != want {
			t.Errorf("%s is in: %v, want %v", document, got, want)
		}
	}
}

func member(argument string) string {
	return `{"operator":"is_audience_member","argument":` + argument + `}`
}

func TestMembership(t *testing.T) {
	t.Parallel()
	settling := `{"key":"settling","type":"dynamic","settle":{"enter":"10m"},"segments":[{"conditions":[` + on("exists", "") + `]}]}`
	set := func(condition string) *Judge {
		return compiled(t, dynamic(t, "k", condition), static(t, "static"), dynamic(t, "paying", on("equal_to", `"pro"`)),
			dynamic(t, "nested", `{"not":`+member(`"paying"`)+`}`), definition(t, settling))
	}
	const isStatic, isSettling = 2, 5
	given := []evaluator.Given{{Audience: isStatic, Tenant: "a"}, {Audience: isStatic, Tenant: "c"}}
	plainly := []evaluator.Given{{Audience: isStatic}, {Audience: isSettling}}
	for _, c := range []struct {
		name      string
		condition string
		user      columns
		given     []evaluator.Given
		want      bool
	}{
		{"static", member(`"static"`), missing, plainly, true},
		{"not static", member(`"static"`), missing, nil, false},
		{"with no tenant is not with one", member(`{"audience":"static","tenant":"a"}`), missing, plainly, false},
		{"with a tenant is not with none", member(`"static"`), missing, given, false},
		{"with that tenant", member(`{"audience":"static","tenant":"c"}`), missing, given, true},
		{"with another tenant", member(`{"audience":"static","tenant":"b"}`), missing, given, false},
		{"tenant null is none", member(`{"audience":"static","tenant":null}`), missing, plainly, true},
		{"tenants are constants", member(`{"audience":"static","tenant":"recipient.p"}`), p(`"a"`), given, false},
		{"dynamic", member(`"paying"`), p(`"pro"`), nil, true},
		{"not dynamic", member(`"paying"`), p(`"free"`), nil, false},
		{"dynamic is never given", member(`"paying"`), p(`"free"`), []evaluator.Given{{Audience: 3}}, false},
		{"through two", member(`"nested"`), p(`"free"`), nil, true},
		{"through two, not", member(`"nested"`), p(`"pro"`), nil, false},
		{"settling is what is given", member(`"settling"`), missing, plainly, true},
		{"settling is not its conditions", member(`"settling"`), p(`1`), nil, false},
		{"unknown", member(`"unknown"`), p(`1`), nil, false},
		{"the property is not read", `{"property":"recipient.p","operator":"is_audience_member","argument":"static"}`, missing, plainly, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			in := &evaluator.Input{User: "u1", Row: rowOf(t, c.user), Given: c.given}
			negated, _ := negation(c.condition)
			for condition, want := range map[string]bool{c.condition: c.want, negated: !c.want} {
				var match evaluator.Match
				set(condition).Match(in, &match)
				if got := slices.Contains(match.Members, 1); got != want {
					t.Errorf("%s is %v, want %v", condition, got, want)
				}
			}
		})
	}
	var match evaluator.Match
	set(on("exists", "")).Match(&evaluator.Input{Row: rowOf(t, p(`"pro"`)), Given: plainly}, &match)
	if !slices.Equal(match.Members, []evaluator.AudienceID{1, 3, 5}) {
		t.Errorf("members are %v: static audiences are not judged, settling ones by their conditions", match.Members)
	}
}

func TestInSample(t *testing.T) {
	t.Parallel()
	in := func(user string) *evaluator.Input { return &evaluator.Input{User: user, Row: rowOf(t, missing)} }
	half := `{"operator":"in_sample","argument":{"percent":50,"seed":"spring"}}`
	for user, want := range map[string]bool{"u_1": false, "u_2": false, "u_3": true, "u_4": false} {
		if got := matches(t, half, in(user)); got != want {
			t.Errorf("%s is in the half: %v, want %v", user, got, want)
		}
	}
	if matches(t, `{"operator":"in_sample","argument":{"percent":0,"seed":"x"}}`, in("u")) || !matches(t, `{"operator":"in_sample","argument":{"percent":100,"seed":"x"}}`, in("u")) {
		t.Error("someone is in nothing, or not in everything")
	}
}

func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	a, b := dynamic(t, "a", member(`"b"`)), dynamic(t, "b", member(`"a"`))
	_, err := Compile([]evaluator.Audience{{ID: 1, Definition: a}, {ID: 2, Definition: b}}, schema)
	if !errors.Is(err, ErrCycle) {
		t.Errorf("a circle: %v", err)
	}
	if _, err := Compile([]evaluator.Audience{{ID: 1, Definition: a}, {ID: 1, Definition: b}}, schema); err == nil {
		t.Error("a number that occurs twice is accepted")
	}
	if _, err := Compile([]evaluator.Audience{{ID: 1, Definition: a}, {ID: 2, Definition: a}}, schema); err == nil {
		t.Error("a key that occurs twice is accepted")
	}
}

// Two thousand audiences, each of which asks thrice about the one before: each is judged once, not once for each way to it.
func TestReferencesAreJudgedOnce(t *testing.T) {
	t.Parallel()
	definitions := []*evaluator.Definition{dynamic(t, "a0", on("exists", ""))}
	for i := range 2_000 {
		ref := member(fmt.Sprintf(`"a%d"`, i))
		definitions = append(definitions, dynamic(t, fmt.Sprintf("a%d", i+1), `{"any":[`+ref+`,{"all":[`+ref+`,`+ref+`]}]}`))
	}
	slices.Reverse(definitions)
	j := compiled(t, definitions...)
	for want, user := range map[int]columns{2_001: p(`1`), 0: missing} {
		var match evaluator.Match
		if j.Match(&evaluator.Input{Row: rowOf(t, user)}, &match); len(match.Members) != want {
			t.Errorf("%d members, want %d", len(match.Members), want)
		}
	}
}
