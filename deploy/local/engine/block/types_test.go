package block

import (
	"slices"
	"testing"
)

func TestSplitType(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"UInt8":                                 {"UInt8"},
		"DateTime64(6, 'UTC')":                  {"DateTime64", "6", "'UTC'"},
		"Map(String, Array(Tuple(a Int8, b)))":  {"Map", "String", "Array(Tuple(a Int8, b))"},
		"Enum8('a,(' = 1, 'b\\')' = 2)":         {"Enum8", "'a,(' = 1", "'b\\')' = 2"},
		"Tuple(`a, (b` Int8, c Nullable(Int8))": {"Tuple", "`a, (b` Int8", "c Nullable(Int8)"},
	} {
		name, args, err := splitType(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := append([]string{name}, args...); !slices.Equal(got, want) {
			t.Errorf("%s is split into %q, want %q", text, got, want)
		}
	}
}

func TestWithoutName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Int8": "Int8", "a Int8": "Int8", "`a b(` Int8": "Int8", "Decimal(9, 2)": "Decimal(9, 2)", "a Decimal(9, 2)": "Decimal(9, 2)", "`a": "",
	} {
		if got := withoutName(text); got != want {
			t.Errorf("%s without its name is %q, want %q", text, got, want)
		}
	}
}
