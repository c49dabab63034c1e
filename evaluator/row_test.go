package evaluator

import (
	"testing"

	"pgregory.net/rapid"
)

func TestRowsDifferByText(t *testing.T) {
	t.Parallel()
	schema := &Schema{Columns: []Column{{Name: "id"}}, Properties: -1}
	text := rapid.OneOf(rapid.StringMatching(`[ab]{0,20}`), rapid.StringMatching(`[ab]{9,16}`))
	row := func(t *rapid.T, null bool, text string) *Row {
		tuple := Tuple{}.AppendText([]byte(text))
		if null {
			tuple = Tuple{}.AppendNull()
		}
		r, err := NewRow(schema, tuple)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		if len(a) > 0 && rapid.Bool().Draw(t, "one byte") {
			at := rapid.IntRange(0, len(a)-1).Draw(t, "at")
			b = a[:at] + "c" + a[at+1:]
		}
		null := rapid.Bool().Draw(t, "null") && rapid.Bool().Draw(t, "really")
		if got, want := row(t, false, a).Differs(row(t, null, b), 0), null || a != b; got != want {
			t.Fatalf("%q and %q (null %v): %v", a, b, null, got)
		}
		if row(t, true, "").Differs(row(t, true, ""), 0) {
			t.Fatal("null differs from null")
		}
	})
}
