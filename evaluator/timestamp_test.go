package evaluator

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTimestampString(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"2026-01-02":                                "2026-01-02T00:00:00.000000Z",
		"2026-01-02T03:04:05Z":                      "2026-01-02T03:04:05.000000Z",
		"2026-01-02t03:04:05z":                      "2026-01-02T03:04:05.000000Z",
		"2026-01-02T03:04:05.1Z":                    "2026-01-02T03:04:05.100000Z",
		"2026-01-02T03:04:05.1234569Z":              "2026-01-02T03:04:05.123456Z",
		"1969-12-31T23:59:59.9999999Z":              "1969-12-31T23:59:59.999999Z",
		"2026-01-02T03:04:05+02:30":                 "2026-01-02T00:34:05.000000Z",
		"2026-01-02T03:04:05-00:00":                 "2026-01-02T03:04:05.000000Z",
		"2026-01-02T00:00:00-23:59":                 "2026-01-02T23:59:00.000000Z",
		"2024-02-29":                                "2024-02-29T00:00:00.000000Z",
		"2000-02-29":                                "2000-02-29T00:00:00.000000Z",
		"0000-01-01":                                "0000-01-01T00:00:00.000000Z",
		"0000-02-29T00:00:00Z":                      "0000-02-29T00:00:00.000000Z",
		"0000-01-01T00:00:00+23:59":                 "-0001-12-31T00:01:00.000000Z",
		"9999-12-31T23:59:59-23:59":                 "10000-01-01T23:58:59.000000Z",
		"2026-01-02T03:04:05." + longFraction + "Z": "2026-01-02T03:04:05.999999Z",
	} {
		i, ok := TimestampString(s)
		if !ok || i.String() != want {
			t.Errorf("%.60q reads as %v (%v), want %s", s, i, ok, want)
		}
	}
	for _, s := range []string{
		"", "2026", "2026-01", "2026-1-2", "20260102", "2026-01-02 03:04:05Z", "2026-01-02T03:04Z", "2026-01-02T03:04:05",
		"2026-01-02T03:04:60Z", "2026-01-02T24:00:00Z", "2026-01-02T03:60:05Z", "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05+02:60",
		"2026-01-02T03:04:05+0230", "2026-01-02T03:04:05+02", "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05,5Z", "2026-13-01", "2026-00-01",
		"2026-01-00", "2026-02-29", "1900-02-29", "2026-04-31", " 2026-01-02", "2026-01-02 ", "+2026-01-02", "-2026-01-02", "12026-01-02",
		"2026-01-02T0a:04:05Z", "2026-01-02Ta3:04:05Z", "2026-01-02T03:a4:05Z", "2026-01-02T03:04:a5Z", "2026-a1-02", "2026-01-a2", "a026-01-02",
		"2026-01-02T03:04:05+a2:00", "2026-01-02T03:04:05+02:a0", "2026-01-02T03:04:05*02:00", "2026-01-02T03-04:05Z", "2026-01-02T03:04-05Z", "2026-01.02", "2026-01-02Z", "2026-01-02T", "2026-01-02T03:04:05ZZ", "infinity", "-infinity", "now", "2026-01-02T03:04:05 Z", "２０２６-01-02",
	} {
		if i, ok := TimestampString(s); ok {
			t.Errorf("%q reads as %v, want none", s, i)
		}
	}
}

var longFraction = strings.Repeat("9", 1000)

func TestTimestampStringAgreesWithTheTimePackage(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(-62_167_219_200, 253_402_300_799).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nano"))
		zone := time.FixedZone("", 60*rapid.IntRange(-1439, 1439).Draw(t, "offset"))
		text := at.In(zone).Format(time.RFC3339Nano)
		if at.In(zone).Year() < 0 || at.In(zone).Year() > 9999 {
			return
		}
		if i, ok := TimestampString(text); !ok || i != InstantOf(at) {
			t.Fatalf("%s reads as %v (%v), want %v", text, i, ok, InstantOf(at))
		}
	})
}

func TestPostgresTimestamps(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-01-02 03:04:05+00":          "2026-01-02T03:04:05.000000Z",
		"2026-01-02 03:04:05.678901+00":   "2026-01-02T03:04:05.678901Z",
		"2026-01-02 03:04:05.6+00":        "2026-01-02T03:04:05.600000Z",
		"2026-01-02 03:04:05":             "2026-01-02T03:04:05.000000Z",
		"2026-01-02 03:04:05+05:30":       "2026-01-01T21:34:05.000000Z",
		"1880-01-02 03:04:05-00:19:32":    "1880-01-02T03:23:37.000000Z",
		"2026-01-02":                      "2026-01-02T00:00:00.000000Z",
		"4714-11-24 00:00:00+00 BC":       "-4713-11-24T00:00:00.000000Z",
		"0001-12-31 BC":                   "0000-12-31T00:00:00.000000Z",
		"294276-12-31 23:59:59.999999+00": "294276-12-31T23:59:59.999999Z",
		"294277-01-09":                    "294277-01-09T00:00:00.000000Z",
		"294277-01-11":                    "294277-01-11T00:00:00.000000Z",
		"5874897-12-31":                   "5874897-12-31T00:00:00.000000Z",
		"infinity":                        "infinity",
		"-infinity":                       "-infinity",
	} {
		v, ok := parseTimestamp(text)
		if m, _ := v.Moment(); !ok || m.String() != want {
			t.Errorf("%q reads as %v (%v), want %s", text, m, ok, want)
		}
	}
	for _, text := range []string{"", "2026-01-02T03:04:05+00", "2026-01-02 03:04:05+", "2026-01-02 03:04:05 BC x", "26-01-02", "2026-01-32",
		"Infinity", "999999999999-01-01", "5874897-12-31 00:00:00", "2026-01-02 03:04:05+00:60", "2026-01-02 BC BC",
		"2026-01-02 03:04:05+5", "2026-01-02 03:04:05+05:", "2026-01-02 03:04:05+05:3", "2026-01-02 03:04:05+05:30:", "2026-01-02 03:04:05+05-30",
		"2026-01-02 03:04:05+05:30:60", "2026-01-02 03:04:05+05:30:00:00", "2026-01-02 03:04:05+0x"} {
		if v, ok := parseTimestamp(text); ok {
			t.Errorf("%q reads as %v, want none", text, v)
		}
	}
}

func TestMoments(t *testing.T) {
	t.Parallel()
	for _, i := range []Instant{NegativeInfinity, NegativeInfinity + 1, -microsPerSecond - 1, -microsPerSecond, -1, 0, 1, microsPerSecond,
		Infinity - 1, Infinity} {
		if back, ok := i.Moment().Instant(); !ok || back != i || i.Moment().Micro >= microsPerSecond {
			t.Errorf("%d becomes %v and comes back as %d (%v)", i, i.Moment(), back, ok)
		}
	}
	for _, m := range []Moment{(Infinity - 1).Moment().Next(), (NegativeInfinity + 1).Moment().Add(-1), {Second: 1 << 60}, {Second: -1 << 60},
		{Second: -9_223_372_036_855, Micro: 224_192}} {
		if i, ok := m.Instant(); ok {
			t.Errorf("%+v is the instant %d, want none", m, i)
		}
	}
	if far := Infinity.Moment(); far.Add(-5) != far || far.Next() != far || far.Finite() {
		t.Error("infinity moves")
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := Instant(rapid.Int64().Draw(t, "a")), Instant(rapid.Int64().Draw(t, "b"))
		if c := a.Moment().Compare(b.Moment()); (c < 0) != (a < b) || (c > 0) != (a > b) {
			t.Fatalf("%d and %d compare %d", a, b, c)
		}
		if m := a.Moment(); m.Finite() && (m.Micro < 0 || m.Micro >= microsPerSecond) {
			t.Fatalf("%d becomes %+v", a, m)
		}
		if next, ok := a.Moment().Next().Instant(); a < Infinity-1 && a > NegativeInfinity && (!ok || next != a+1) {
			t.Fatalf("after %d comes %d", a, next)
		}
	})
}

func ExampleTimestampString() {
	day, _ := TimestampString("2026-01-02")
	exact, _ := TimestampString("2026-01-02T03:04:05.678901234+01:00")
	_, ok := TimestampString("2026-01-02 03:04:05")
	fmt.Println(day, exact, ok)
	// Output: 2026-01-02T00:00:00.000000Z 2026-01-02T02:04:05.678901Z false
}
