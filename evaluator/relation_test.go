package evaluator

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestFoldIsSimpleFolding(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"ABCZ", "abcz"}, {"éZ", "Éz"}, {"K", "k"}, {"ſ", "S"}, {"σ", "ς"}, {"Σ", "ς"}, {"É", "é"}, {"Ω", "ω"}} {
		if Fold(pair[0]) != Fold(pair[1]) || !equalFold(pair[0], pair[1]) {
			t.Errorf("%s and %s differ", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"ß", "ss"}, {"İ", "i"}, {"é", "e\u0301"}, {"a", "b"}, {"a", "ab"}, {"\xff", "\xfe"}, {"\xff", "\uFFFD"}, {"\x80", "\u0080"}} {
		if Fold(pair[0]) == Fold(pair[1]) || equalFold(pair[0], pair[1]) {
			t.Errorf("%q and %q are equal", pair[0], pair[1])
		}
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if next := unicode.SimpleFold(r); next != r && (foldRune(next) != foldRune(r) || foldRune(r) > r) {
			t.Fatalf("%U folds to %U, and its neighbour %U to %U", r, foldRune(r), next, foldRune(next))
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		letters := rapid.StringOfN(rapid.SampledFrom([]rune("aAkKK\u017fsS1éÉσςΣ\uFFFD")), 0, 8, -1)
		a, b := letters.Draw(t, "a"), letters.Draw(t, "b")
		if got := Fold(a) == Fold(b); got != strings.EqualFold(a, b) || got != equalFold(a, b) {
			t.Fatalf("%q and %q: folds equal is %v", a, b, got)
		}
	})
}

func TestIdenticalMeansEqualKeys(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyValue(2).Draw(t, "a"), anyValue(2).Draw(t, "b")
		same := Identical(a, b)
		if same != (string(a.AppendKey(nil)) == string(b.AppendKey(nil))) || same != (a.String() == b.String()) || same != Identical(b, a) {
			t.Fatalf("%s and %s: identical is %v, and the keys or texts say otherwise", a, b, same)
		}
		if !Identical(a, a) || !Equal(a, a, false) || Equal(a, b, true) != Equal(b, a, true) {
			t.Fatalf("%s and %s break reflexivity or symmetry", a, b)
		}
	})
}

func TestItemIndexAgreesWithEqual(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(columnValue(), 0, 5).Draw(t, "items")
		v, fold := columnValue().Draw(t, "value"), rapid.Bool().Draw(t, "fold")
		if got, want := newItemIndex(items, fold).has(v), hasItem(items, v, fold); got != want {
			t.Fatalf("%s in %v is %v by the index, %v by comparison", v, items, got, want)
		}
	})
}

// columnValue generates values that equal one another across kinds often.
func columnValue() *rapid.Generator[Value] {
	return rapid.Custom(func(t *rapid.T) Value {
		switch rapid.IntRange(0, 3).Draw(t, "origin") {
		case 0:
			v, _ := parseTimestamp(rapid.SampledFrom([]string{"2026-01-02", "2026-01-02 00:00:00.5+00", "infinity", "5874897-12-31"}).Draw(t, "timestamp"))
			return v
		case 1:
			n, _ := ParseNumber(rapid.SampledFrom([]string{"1", "1.5", "NaN", "Infinity", "1e30"}).Draw(t, "number"))
			return NumberValue(n)
		case 2:
			return StringValue(rapid.SampledFrom([]string{"", "1", "1.0", "1.50", "true", "TRUE", "2026-01-02", "2026-01-02T00:00:00Z", "NaN", "k", "K"}).Draw(t, "text"))
		}
		return anyValue(1).Draw(t, "value")
	})
}

func TestLongListsAreQuick(t *testing.T) {
	t.Parallel()
	var left, right []Value
	for i := range int64(30_000) {
		left = append(left, NumberValue(IntNumber(2*i)))
		right = append(right, NumberValue(IntNumber(2*i+1)))
	}
	if Contains(ListValue(left), ListValue(right), true) || !ContainsAll(ListValue(left), ListValue(left), false) {
		t.Error("long lists compare wrongly")
	}
}
