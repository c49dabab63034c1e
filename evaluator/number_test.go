package evaluator

import (
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func number(t *testing.T, s string) Number {
	t.Helper()
	n, ok := ParseNumber(s)
	if !ok {
		t.Fatalf("ParseNumber(%q) fails", s)
	}
	return n
}

func TestNumberHasOneRepresentation(t *testing.T) {
	t.Parallel()
	for canonical, spellings := range map[string][]string{
		"0":                          {"0", "-0", "0.0", "-0.000", "0e5", "0e99999999999999999999999", "-0E-7"},
		"1":                          {"1", "1.0", "1e0", "10e-1", "0.1e1", "1E+0", "100.00e-2"},
		"-1":                         {"-1", "-1.000", "-10e-1"},
		"9007199254740993":           {"9007199254740993", "9007199254740993.0", "9.007199254740993e15"},
		"9223372036854775807":        {"9223372036854775807", "9223372036854775807.0", "922337203685477580.7e1"},
		"-9223372036854775808":       {"-9223372036854775808", "-9.223372036854775808e18"},
		"9223372036854775808":        {"9223372036854775808", "9.223372036854775808e18"},
		"0.1":                        {"0.1", "1e-1", "0.10", "10e-2", "0.01e1"},
		"12.5":                       {"12.5", "1.25e1", "12.50", "1250e-2"},
		"0.000001":                   {"0.000001", "1e-6"},
		"1e-7":                       {"0.0000001", "1e-7", "10e-8"},
		"123000000000000000000":      {"123e18", "1.23E20", "123000000000000000000"},
		"1e400":                      {"1e400", "10e399", "1" + strings.Repeat("0", 400)},
		"-1.5e-400":                  {"-1.5e-400", "-15e-401"},
		"1e999999999999":             {"1e999999999999", "10e999999999998", "0.01e1000000000001"},
		"1e1000000000000000000":      {"1e1000000000000000000", "10e999999999999999999", "1000e999999999999999997"},
		"1e999999999999999999":       {"1e999999999999999999", "0.1e1000000000000000000", "0.001e1000000000000000002"},
		"1e-1000000000000000000":     {"1e-1000000000000000000", "0.1e-999999999999999999", "10e-1000000000000000001"},
		"1e100000000000000000000000": {"1e100000000000000000000000", "0.1e100000000000000000000001", "100e99999999999999999999998"},
		"NaN":                        {"NaN"}, "Infinity": {"Infinity"}, "-Infinity": {"-Infinity"},
	} {
		want := number(t, spellings[0])
		for _, s := range spellings {
			n := number(t, s)
			if _, err := strconv.ParseInt(canonical, 10, 64); (n.big == nil) != (err == nil) {
				t.Errorf("%.60s is small: %v", s, n.big == nil)
			}
			if n.String() != canonical {
				t.Errorf("%.60s reads as %s, want %s", s, n, canonical)
			}
			if !n.Equal(want) || n.Compare(want) != 0 || string(n.appendKey(nil)) != string(want.appendKey(nil)) {
				t.Errorf("%.60s and %.60s differ", s, spellings[0])
			}
		}
	}
}

func TestNumberOrder(t *testing.T) {
	t.Parallel()
	ascending := []string{
		"-Infinity", "-1e1000000000000000000", "-1e999999999999999999", "-9223372036854775809", "-9223372036854775808",
		"-2", "-1.00001", "-1", "-1e-9", "-1e-1000000000000000000", "0", "1e-1000000000000000001", "1e-1000000000000000000",
		"1e-999999999999999999", "1e-9", "0.1", "0.10000000000000000000001", "0.2", "1", "1.5", "2", "9007199254740992",
		"9007199254740993", "9223372036854775807", "9223372036854775807.5", "9223372036854775808", "1e30",
		"1.00000000001e30", "1e999999999999999999", "1e1000000000000000000", "1e1000000000000000001", "Infinity", "NaN",
	}
	for i, a := range ascending {
		for j, b := range ascending {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := number(t, a).Compare(number(t, b)); got != want {
				t.Errorf("Compare(%s, %s) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestNumberAgreesWithRationals(t *testing.T) {
	t.Parallel()
	decimalText := rapid.Custom(func(t *rapid.T) string {
		s := rapid.StringMatching(`-?(0|[1-9][0-9]{0,22})(\.[0-9]{1,22})?`).Draw(t, "decimal")
		if rapid.Bool().Draw(t, "exponent") {
			s += "e" + strconv.Itoa(rapid.IntRange(-60, 60).Draw(t, "power"))
		}
		return s
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := decimalText.Draw(t, "a"), decimalText.Draw(t, "b")
		ra, _ := new(big.Rat).SetString(a)
		rb, _ := new(big.Rat).SetString(b)
		na, ok1 := ParseNumber(a)
		nb, ok2 := ParseNumber(b)
		if !ok1 || !ok2 {
			t.Fatalf("%s or %s does not parse", a, b)
		}
		if na.Compare(nb) != ra.Cmp(rb) || na.Equal(nb) != (ra.Cmp(rb) == 0) || na.Sign() != ra.Sign() {
			t.Fatalf("%s and %s compare wrongly", a, b)
		}
		back, _ := new(big.Rat).SetString(na.String())
		if back.Cmp(ra) != 0 {
			t.Fatalf("%s prints as %s", a, na)
		}
	})
}

func TestExponentArithmeticAgreesWithIntegers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[+-]?[0-9]{1,25}`).Draw(t, "exponent")
		if rapid.Bool().Draw(t, "edge") {
			text = rapid.SampledFrom([]string{"999999999999999999", "1000000000000000000", "-999999999999999999",
				"-1000000000000000000", "1000000000000000001", "100000000000000000000", "-100000000000000000000"}).Draw(t, "edges")
		}
		shift := int64(rapid.IntRange(-3_000_000, 3_000_000).Draw(t, "shift"))
		want, _ := new(big.Int).SetString(strings.TrimPrefix(text, "+"), 10)
		want.Add(want, big.NewInt(shift))
		if got := string(exponentOf(text, shift).appendText(nil)); got != want.String() {
			t.Fatalf("%s + %d = %s, want %s", text, shift, got, want)
		}
	})
}

func TestNumericString(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"0", "-0", "1", "10.50", "1e5", "1E+5", "-1.5e-3", "1e999", "1e-999", "1e0999", strings.Repeat("9", 400)} {
		if _, ok := NumericString(s); !ok {
			t.Errorf("%.40q is no numeric string", s)
		}
	}
	for _, s := range []string{"", " 1", "1 ", "01", "-01", "+1", ".5", "5.", "1e", "1e+", "NaN", "Infinity", "-", "0x1", "1_0", "١",
		"1e1000", "1e-1000", "1e10000000000", strings.Repeat("9", 401), "1,5", "--1", "1.5.2", "1\n"} {
		if _, ok := NumericString(s); ok {
			t.Errorf("%.40q is a numeric string", s)
		}
	}
}

// A number of a megabyte must cost about its length, wherever the digits are.
func TestHugeNumbersAreCheap(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("7", 1<<20)
	a, b := number(t, long+"e"+long), number(t, long+"e-"+long)
	if a.Compare(b) <= 0 || a.Compare(a) != 0 || !strings.HasSuffix(b.String(), "e-"+exponentOf("-"+long, 1<<20-1).big[1:]) {
		t.Error("huge numbers compare or print wrongly")
	}
}
