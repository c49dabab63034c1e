package config

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Size is a number of bytes.
type Size int64

// Units of Size.
const (
	Kilobyte Size = 1_000
	Megabyte      = 1_000 * Kilobyte
	Gigabyte      = 1_000 * Megabyte
	Terabyte      = 1_000 * Gigabyte

	Kibibyte Size = 1 << 10
	Mebibyte      = 1 << 10 * Kibibyte
	Gibibyte      = 1 << 10 * Mebibyte
	Tebibyte      = 1 << 10 * Gibibyte
)

// sizeUnits goes from the largest down, binary before decimal: the order in which String looks for one that divides.
var sizeUnits = []struct {
	name string
	size Size
}{
	{"TiB", Tebibyte}, {"TB", Terabyte}, {"GiB", Gibibyte}, {"GB", Gigabyte},
	{"MiB", Mebibyte}, {"MB", Megabyte}, {"KiB", Kibibyte}, {"KB", Kilobyte}, {"B", 1},
}

var sizeForm = regexp.MustCompile(`^([0-9]+) ?([A-Za-z]+)$`)

// ParseSize reads a whole number with a unit: 512MB is 512,000,000 bytes, 1GiB is 2^30. Units are B, KB, MB, GB, TB, KiB,
// MiB, GiB and TiB, in either case.
func ParseSize(text string) (Size, error) {
	if m := sizeForm.FindStringSubmatch(text); m != nil {
		n, err := strconv.ParseInt(m[1], 10, 64)
		for _, u := range sizeUnits {
			if !strings.EqualFold(u.name, m[2]) {
				continue
			}
			if err != nil || n > math.MaxInt64/int64(u.size) {
				return 0, fmt.Errorf("%q is too large", text)
			}
			return Size(n) * u.size, nil
		}
	}
	return 0, fmt.Errorf("%q is not a size; write a whole number and a unit, such as 512MB or 1GiB", text)
}

// String is the shortest exact form, such as 8GiB.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s != 0 && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return "0B"
}

// MarshalText is String.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is ParseSize.
func (s *Size) UnmarshalText(text []byte) (err error) {
	*s, err = ParseSize(string(text))
	return err
}

const day = 24 * time.Hour

var daysForm = regexp.MustCompile(`^([0-9]+)d(.*)$`)

// parseDuration is time.ParseDuration with days of exactly 24 hours in front: 90d, 1d12h.
func parseDuration(text string) (time.Duration, error) {
	fault := fmt.Errorf("%q is not a duration; write a number and a unit, such as 500ms, 10s, 5m, 12h or 90d", text)
	days, rest := int64(0), text
	if m := daysForm.FindStringSubmatch(text); m != nil {
		var err error
		if days, err = strconv.ParseInt(m[1], 10, 64); err != nil || days > int64(math.MaxInt64/day)-1 {
			return 0, fmt.Errorf("%q is too long", text)
		}
		if rest = m[2]; rest == "" {
			return time.Duration(days) * day, nil
		}
		if rest[0] == '-' || rest[0] == '+' {
			return 0, fault
		}
	}
	d, err := time.ParseDuration(rest)
	if err != nil {
		return 0, fault
	}
	if d > math.MaxInt64-time.Duration(days)*day {
		return 0, fmt.Errorf("%q is too long", text)
	}
	return time.Duration(days)*day + d, nil
}

// formatDuration is the form a person writes: 1h, not 1h0m0s.
func formatDuration(d time.Duration) string {
	if d > 0 && d%day == 0 {
		return strconv.FormatInt(int64(d/day), 10) + "d"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
