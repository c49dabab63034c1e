package compiled

import (
	"regexp"
	"strings"
	"testing"
)

// TestRequired holds what is looked for before a pattern against texts that the pattern matches.
func TestRequired(t *testing.T) {
	t.Parallel()
	for pattern, c := range map[string]struct {
		want    string
		matches []string
	}{
		`^[a-m].*5@`:             {"5@", []string{"ab5@d.com", "a55@"}},
		`@(example|test)\.com$`:  {".com", []string{"a@example.com", "@test.com"}},
		`(?i)straße`:             {"", []string{"STRAßE", "ſtraẞe"}},
		`a|b`:                    {"", []string{"a", "b"}},
		`(abc)?d`:                {"d", []string{"d", "abcd"}},
		`(abc)*d`:                {"d", []string{"d", "abcabcd"}},
		`(abc)+d`:                {"abc", []string{"abcd", "abcabcd"}},
		`(abc){0,2}d`:            {"d", []string{"d"}},
		`(abc){2}d`:              {"abc", []string{"abcabcd"}},
		`(?:)`:                   {"", []string{"", "x"}},
		`x` + "\uFFFD" + `yz|xq`: {"x", []string{"x\xffyz", "xq"}},
		"b\uFFFDc":               {"", []string{"b\xffc", "b\uFFFDc"}},
		`^$`:                     {"", []string{""}},
		`ab.cde.f`:               {"cde", []string{"abxcdexf", "ab\xffcde\xfff"}},
	} {
		got := required(pattern)
		if got != c.want {
			t.Errorf("required(%q) = %q, want %q", pattern, got, c.want)
		}
		for _, text := range c.matches {
			if !regexp.MustCompile(pattern).MatchString(text) || !strings.Contains(text, got) {
				t.Errorf("%q: %q must match and hold %q", pattern, text, got)
			}
		}
	}
}
