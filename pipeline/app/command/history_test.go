package command

import (
	"bytes"
	"errors"
	"iter"
	"testing"
	"time"

	"muster/sinks/clickhouse"
)

func TestParseInstant(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for text, want := range map[string]time.Time{
		"2026-01-31":                  time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC),
		"2026-01-31T12:00:00.000001Z": time.Date(2026, 1, 31, 12, 0, 0, 1000, time.UTC),
		"2026-01-31T12:00:00+02:00":   time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC),
	} {
		if got, err := parseInstant("at", text); err != nil || !got.Equal(want) {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
	for text, ago := range map[string]time.Duration{"": 0, "90m": 90 * time.Minute, "7d": 7 * 24 * time.Hour, "0d": 0} {
		got, err := parseInstant("at", text)
		if err != nil || got.Before(now.Add(-ago)) || got.After(time.Now().Add(-ago)) {
			t.Errorf("%q: %v %v", text, got, err)
		}
	}
	for _, text := range []string{"yesterday", "-5m", "d", "2026-13-01", "7 d", "-1d"} {
		if _, err := parseInstant("at", text); !errors.Is(err, errUsage) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestPrintRows(t *testing.T) {
	t.Parallel()
	broken := errors.New("cut off")
	rows := func(n int, err error) iter.Seq2[clickhouse.Member, error] {
		return func(yield func(clickhouse.Member, error) bool) {
			for range n {
				if !yield(clickhouse.Member{User: "u1", Tenant: "t"}, nil) {
					return
				}
			}
			if err != nil {
				yield(clickhouse.Member{}, err)
			}
		}
	}
	columns := func(m *clickhouse.Member) []string { return []string{m.User, dash(m.Tenant)} }
	for _, c := range []struct {
		name  string
		json  bool
		rows  int
		err   error
		lines int
	}{
		{"a table", false, 2, nil, 3}, {"no rows", false, 0, nil, 1}, {"no rows as JSON", true, 0, nil, 0}, {"more than one table", false, 2500, nil, 2501},
		{"json", true, 3, nil, 3}, {"cut off", true, 2, broken, 2}, {"cut off table", false, 2, broken, 0},
	} {
		var out bytes.Buffer
		err := printRows(&historyCommand{asJSON: c.json, none: "nobody"}, &out, rows(c.rows, c.err), []string{"USER", "TENANT"}, columns)
		if !errors.Is(err, c.err) || bytes.Count(out.Bytes(), []byte("\n")) != c.lines {
			t.Errorf("%s: %v, %d lines", c.name, err, bytes.Count(out.Bytes(), []byte("\n")))
		}
		if none := out.String() == "nobody\n"; none != (c.name == "no rows") {
			t.Errorf("%s: %s", c.name, &out)
		}
	}
}
