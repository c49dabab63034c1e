package app

import (
	"strings"
	"testing"
)

func TestYAMLStandsForJSON(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, yaml, json string }{
		{"numbers to the last digit", "a: 9007199254740993\nb: 12345678901234567890.123\nc: -0.10\nd: 1e400", `{"a":9007199254740993,"b":12345678901234567890.123,"c":-0.10,"d":1e400}`},
		{"dates are strings", "a: 2026-01-02\nb: 7 days ago", `{"a":"2026-01-02","b":"7 days ago"}`},
		{"a key given twice stays", "a: 1\na: 2", `{"a":1,"a":2}`},
		{"lists, nulls and flow", "a: [1, ~, true]\nb:\n  - x: {y: \"z\"}\nc:", `{"a":[1,null,true],"b":[{"x":{"y":"z"}}],"c":null}`},
		{"blocks", "a: |\n  one\n  two\n", `{"a":"one\ntwo\n"}`},
		{"byte order mark, CR LF, comments", "\uFEFF# first\r\na: 1\r\n# last\r\n", `{"a":1}`},
		{"quotes decide", "a: \"1\"\nb: '{{ recipient.x }}'", `{"a":"1","b":"{{ recipient.x }}"}`},
	} {
		got, err := yamlToJSON([]byte(c.yaml))
		if err != nil || string(got) != c.json {
			t.Errorf("%s: %s, %v; want %s", c.name, got, err, c.json)
		}
	}
	for _, c := range []struct{ name, yaml, want string }{
		{"two documents", "a: 1\n---\nb: 2", "line 3"},
		{"an alias", "a: &x 1\nb: *x", "anchors"},
		{"a hexadecimal number", "a:\n  b: 0x10", "line 2, column 6: write the number 0x10"},
		{"nothing", "# only this\n", "empty"},
		{"no YAML", "a: [1", "not valid YAML"},
		{"a number as a key", "1: 2", "a key is a string"},
	} {
		if got, err := yamlToJSON([]byte(c.yaml)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %s, %v; want %q", c.name, got, err, c.want)
		}
	}
}
