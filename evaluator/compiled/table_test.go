package compiled

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestTables holds the tables against maps, with texts that share heads and lengths.
func TestTables(t *testing.T) {
	t.Parallel()
	text := rapid.OneOf(
		rapid.StringMatching(`[ab]{0,9}`), rapid.StringMatching(`account-00[0-9]{0,3}`), rapid.StringMatching("a\x00{0,8}"),
		rapid.Map(rapid.IntRange(0, 40), func(n int) string { return strings.Repeat("x", n) }),
	)
	number := rapid.OneOf(rapid.Int64Range(-9, 9), rapid.Int64(), rapid.Just(int64(math.MinInt64)))
	rapid.Check(t, func(t *rapid.T) {
		var texts texts
		slots := make(map[string]int32)
		for i, s := range rapid.SliceOfN(text, 100, 400).Draw(t, "texts") {
			if _, ok := slots[s]; !ok {
				slots[s] = int32(i)
				texts.put(s, int32(i))
			}
		}
		for s, slot := range slots {
			if got := texts.get(s); got != slot+1 {
				t.Fatalf("%q has slot %d, want %d", s, got-1, slot)
			}
		}
		s := text.Draw(t, "text")
		if _, ok := slots[s]; ok != (texts.get(s) != 0) {
			t.Fatalf("%q: %d", s, texts.get(s)-1)
		}
		var integers integers
		numbers := make(map[int64]numberSlots)
		for i, n := range rapid.SliceOfN(number, 0, 200).Draw(t, "numbers") {
			numbers[n] = numberSlots{itself: int32(i), read: 1}
			integers.put(n, numbers[n])
		}
		for n, want := range numbers {
			if got := integers.at(n); got == nil || *got != want {
				t.Fatalf("%d has slots %v, want %v", n, got, want)
			}
		}
		n := number.Draw(t, "number")
		if _, ok := numbers[n]; ok != (integers.at(n) != nil) {
			t.Fatalf("%d: %v", n, integers.at(n))
		}
	})
}
