package evaluator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// asking is a dynamic audience that asks about others.
func asking(t *testing.T, key string, others ...string) *Definition {
	t.Helper()
	conditions := []string{`{"property":"recipient.a","operator":"exists"}`}
	for _, o := range others {
		conditions = append(conditions, fmt.Sprintf(`{"not":{"operator":"is_audience_member","argument":%s}}`, o))
	}
	return decoded(t, fmt.Sprintf(`{"key":%q,"type":"dynamic","segments":[{"conditions":[%s]}]}`, key, strings.Join(conditions, ",")))
}

func TestCheckSet(t *testing.T) {
	t.Parallel()
	static := decoded(t, `{"key":"static","type":"static"}`)
	const where = "segments[0].conditions[1].not.argument"
	for _, c := range []struct {
		name string
		set  []*Definition
		want []string
	}{
		{"empty", nil, nil},
		{"good", []*Definition{asking(t, "a", `"b"`, `{"audience":"static","tenant":"t"}`), asking(t, "b", `"static"`), static}, nil},
		{"a diamond", []*Definition{asking(t, "a", `"b"`, `"c"`), asking(t, "b", `"d"`), asking(t, "c", `"d"`), asking(t, "d")}, nil},
		{"unknown", []*Definition{asking(t, "a", `"x"`, `{"audience":"y"}`)},
			[]string{"a " + where + `: there is no audience "x"`, "a segments[0].conditions[2].not.argument.audience: there is no audience \"y\""}},
		{"itself", []*Definition{asking(t, "a", `"a"`)}, []string{"a " + where + ": the audience depends on itself: a > a"}},
		{"two", []*Definition{asking(t, "a", `"b"`), asking(t, "b", `"a"`)},
			[]string{"a " + where + ": the audience depends on itself: a > b > a", "b " + where + ": the audience depends on itself: b > a > b"}},
		{"three, and one that only looks on", []*Definition{asking(t, "o", `"a"`), asking(t, "a", `"b"`), asking(t, "b", `"c"`), asking(t, "c", `"a"`)},
			[]string{"a " + where + ": the audience depends on itself: a > b > c > a", "b " + where + ": the audience depends on itself: b > c > a > b",
				"c " + where + ": the audience depends on itself: c > a > b > c"}},
		{"a tenant of a dynamic one", []*Definition{asking(t, "a", `{"audience":"b","tenant":"t"}`), asking(t, "b")},
			[]string{"a " + where + `.tenant: "b" is dynamic; only static audiences have members by tenant`}},
		{"twice", []*Definition{static, static}, []string{"static key: the set has another audience of this key"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := CheckSet(c.set)
			var faults SetFaults
			errors.As(err, &faults)
			var got []string
			for _, f := range faults {
				got = append(got, f.Audience+" "+f.Fault.String())
			}
			if !slices.Equal(got, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("faults\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// On any graph, an edge is at fault exactly when its end reaches its beginning.
func TestCheckSetFindsEveryCircle(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(1, 7).Draw(r, "audiences")
		var reach [7][7]bool
		set := make([]*Definition, n)
		edges := 0
		for i := range n {
			var others []string
			for _, to := range rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 0, 3, rapid.ID[int]).Draw(r, "edges") {
				others = append(others, fmt.Sprintf(`"a%d"`, to))
				reach[i][to] = true
			}
			set[i] = asking(t, fmt.Sprintf("a%d", i), others...)
		}
		direct := reach
		for k := range n {
			for i := range n {
				for j := range n {
					reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
				}
			}
		}
		for i := range n {
			for j := range n {
				if direct[i][j] && reach[j][i] || direct[i][j] && i == j {
					edges++
				}
			}
		}
		var faults SetFaults
		errors.As(CheckSet(set), &faults)
		if len(faults) != edges {
			r.Fatalf("%d faults, want %d\n%v", len(faults), edges, faults)
		}
	})
}

func TestCheckSetOfManyAudiences(t *testing.T) {
	t.Parallel()
	set := make([]*Definition, 0, 5_001)
	for i := range 5_000 {
		set = append(set, asking(t, fmt.Sprintf("a%d", i), fmt.Sprintf(`"a%d"`, i+1)))
	}
	if err := CheckSet(append(set, asking(t, "a5000"))); err != nil {
		t.Errorf("a chain: %v", err)
	}
	var faults SetFaults
	if errors.As(CheckSet(append(set, asking(t, "a5000", `"a0"`))), &faults); len(faults) != 5_001 {
		t.Fatalf("a circle: %d faults", len(faults))
	}
	if want := "depends on itself: a0 > a1 > a2 > a3 > a4 > a5 > ... > a4996 > a4997 > a4998 > a4999 > a5000 > a0"; !strings.HasSuffix(faults[0].Message, want) {
		t.Errorf("the first fault is %q", faults[0].Message)
	}
}

func ExampleCheckSet() {
	a, _ := Decode([]byte(`{"type":"dynamic","segments":[{"conditions":[{"operator":"is_audience_member","argument":"b"}]}]}`), "a")
	b, _ := Decode([]byte(`{"type":"dynamic","segments":[{"conditions":[{"operator":"is_not_audience_member","argument":"a"}]}]}`), "b")
	fmt.Println(CheckSet([]*Definition{a, b}))
	// Output:
	// a: segments[0].conditions[0].argument: the audience depends on itself: a > b > a
	// b: segments[0].conditions[0].argument: the audience depends on itself: b > a > b
}
