package config

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Size{
		"0B": 0, "1B": 1, "512MB": 512_000_000, "512mb": 512_000_000, "1GiB": 1 << 30, "1 GiB": 1 << 30, "8TiB": 8 << 40,
		"9223372036854775807B": 1<<63 - 1,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "5", "MB", "-1MB", "1.5GB", "1 2 MB", "512M", "1PB", "9223372036854775808B", "8388608TiB", "1GB\n", "1  GB",
	} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

func TestSizeReadsWhatItPrints(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := Size(rapid.Int64Range(0, 1<<62).Draw(t, "size"))
		if rapid.Bool().Draw(t, "round") {
			s = s >> 40 << 40
		}
		if got, err := ParseSize(s.String()); err != nil || got != s {
			t.Fatalf("%d prints as %s, which reads as %d, %v", s, s, got, err)
		}
	})
}

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0s": 0, "10s": 10 * time.Second, "1h30m": 90 * time.Minute, "500ms": 500 * time.Millisecond,
		"90d": 90 * day, "1d12h": 36 * time.Hour, "0": 0, "106750d": 106750 * day,
	} {
		if got, err := parseDuration(text); err != nil || got != want {
			t.Errorf("%q: got %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "10", "d", "1d-1h", "1d+1h", "ten seconds", "1.5d", "106751d24h", "99999999999999999999d"} {
		if got, err := parseDuration(text); err == nil {
			t.Errorf("%q: got %s, want an error", text, got)
		}
	}
}

func TestDurationReadsWhatItPrints(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]time.Duration{1, time.Millisecond, time.Second, time.Minute, time.Hour, day}).Draw(t, "unit")
		d := time.Duration(rapid.Int64Range(0, int64(100_000*day/unit)).Draw(t, "n")) * unit
		if got, err := parseDuration(formatDuration(d)); err != nil || got != d {
			t.Fatalf("%s prints as %s, which reads as %s, %v", d, formatDuration(d), got, err)
		}
	})
}

func TestFormatDuration(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{
		"0s": 0, "10s": 10 * time.Second, "1h": time.Hour, "1m": time.Minute, "1h30m": 90 * time.Minute, "2d": 48 * time.Hour,
		"1h0m1s": time.Hour + time.Second, "25h": 25 * time.Hour, "10m": 10 * time.Minute, "500ms": 500 * time.Millisecond,
	} {
		if got := formatDuration(d); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
