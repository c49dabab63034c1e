package evaluator

import "testing"

// TestValuesAreReadAndComparedWithoutMemory does what is done for each row: nothing of it may leave work to the collector.
func TestValuesAreReadAndComparedWithoutMemory(t *testing.T) {
	half, _ := NumericString("2.5")
	for name, f := range map[string]func(){
		"timestamp of Postgres":      func() { parseTimestamp("1880-01-02 03:04:05.678901-00:19:32") },
		"whole number and decimal":   func() { IntNumber(2).Compare(half) },
		"decimal and whole number":   func() { half.Compare(IntNumber(3)) },
		"whole number and infinity":  func() { IntNumber(2).Compare(PositiveInfinity) },
		"equal decimals, whole ones": func() { half.Compare(half); IntNumber(1).Compare(IntNumber(1)) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}
