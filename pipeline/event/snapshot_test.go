package event_test

import (
	"cmp"
	"strconv"
	"testing"

	"muster/pipeline/event"

	"pgregory.net/rapid"
)

func TestKeyOrderIntegerIsByValue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Int64().Draw(t, "a"), rapid.Int64().Draw(t, "b")
		got := event.OrderInteger.Compare(strconv.FormatInt(a, 10), strconv.FormatInt(b, 10))
		if sign(got) != cmp.Compare(a, b) {
			t.Fatalf("Compare(%d, %d) = %d", a, b, got)
		}
	})
}

func TestKeyOrderBytes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"a", "b", -1}, {"10", "9", -1}, {"é", "z", 1}, {"x", "x", 0}, {"", "a", -1}} {
		if got := sign(event.OrderBytes.Compare(c.a, c.b)); got != c.want {
			t.Errorf("Compare(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func sign(n int) int { return cmp.Compare(n, 0) }
