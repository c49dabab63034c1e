package session

import (
	"slices"
	"testing"
)

func TestChanges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		applied, want map[string]string
		stale         bool
		resets, sets  []string
	}{
		"first":     {nil, map[string]string{"b": "1", "a": "2"}, false, nil, []string{"a", "b"}},
		"same":      {map[string]string{"a": "1"}, map[string]string{"a": "1"}, false, nil, nil},
		"another":   {map[string]string{"a": "1", "b": "1"}, map[string]string{"a": "2", "b": "1"}, false, nil, []string{"a"}},
		"gone":      {map[string]string{"a": "1", "b": "1"}, nil, false, []string{"a", "b"}, nil},
		"after SET": {map[string]string{"a": "1"}, map[string]string{"a": "1"}, true, nil, []string{"a"}},
	} {
		s := &Session{applied: c.applied, stale: c.stale}
		if resets, sets := s.changes(c.want); !slices.Equal(resets, c.resets) || !slices.Equal(sets, c.sets) {
			t.Errorf("%s: resets %v and sets %v, want %v and %v", name, resets, sets, c.resets, c.sets)
		}
	}
}

func TestOnlyNamesAreSettings(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "a = 1, b", "a'", "1a", "a b", "a;"} {
		if err := (&Session{}).Apply([]Setting{{Name: name, Value: "1"}}); !isCode(err, codeUnknownSetting) {
			t.Errorf("a setting %q: %v", name, err)
		}
	}
}

func TestCutString(t *testing.T) {
	t.Parallel()
	if s, rest, err := cutString([]byte("\x03abcd")); s != "abc" || string(rest) != "d" || err != nil {
		t.Errorf("%q, %q, %v", s, rest, err)
	}
	for _, bad := range []string{"", "\x02a", "\x80", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a"} {
		if s, _, err := cutString([]byte(bad)); err == nil {
			t.Errorf("%q holds %q", bad, s)
		}
	}
}
