package main

import (
	"strings"
	"testing"
)

func TestCount(t *testing.T) {
	t.Parallel()
	const start = `{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"what A says\n"}
`
	for _, c := range []struct {
		name, in string
		ok       bool
		last     string
		has      []string
		hasNot   []string
	}{
		{name: "nothing ran", last: "0 passed, 0 failed"},
		{
			name: "passed", ok: true, last: "1 passed, 0 failed", has: []string{"ok    p  1 tests  0.5s"}, hasNot: []string{"what A says"},
			in: start + `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Elapsed":0.5}
`,
		},
		{
			name: "failed", last: "1 passed, 1 failed", has: []string{"what A says", "FAIL  p"},
			in: start + `{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestB"}
{"Action":"fail","Package":"p"}
`,
		},
		{
			name: "skipped", ok: true, last: "1 passed, 0 failed", has: []string{"skip  p  TestA", "1 skipped\n"},
			in: start + `{"Action":"skip","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestB"}
{"Action":"pass","Package":"p"}
`,
		},
		{
			name: "died outside a test", last: "0 passed, 1 failed", has: []string{"what A says", "panic: x"},
			in: start + `{"Action":"output","Package":"p","Output":"panic: x\n"}
{"Action":"fail","Package":"p"}
`,
		},
		{
			name: "was killed", last: "0 passed, 1 failed", has: []string{"FAIL  p  did not end"}, in: start,
		},
		{
			name: "does not build", last: "0 passed, 1 failed", has: []string{"undefined: x"},
			in: `{"ImportPath":"p [p.test]","Action":"build-output","Output":"undefined: x\n"}
{"ImportPath":"p [p.test]","Action":"build-fail"}
{"Action":"start","Package":"p"}
{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}
`,
		},
		{
			name: "something else was written", last: "0 passed, 0 failed", has: []string{"go: no go.mod\n{}\n[]\n"},
			in: "go: no go.mod\n{}\n[]\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if ok := count(strings.NewReader(c.in), &out); ok != c.ok {
				t.Errorf("ok = %t", ok)
			}
			if !strings.HasSuffix("\n"+out.String(), "\n"+c.last+"\n") {
				t.Errorf("the last line is not %q:\n%s", c.last, out.String())
			}
			for _, want := range c.has {
				if !strings.Contains(out.String(), want) {
					t.Errorf("lacks %q:\n%s", want, out.String())
				}
			}
			for _, not := range c.hasNot {
				if strings.Contains(out.String(), not) {
					t.Errorf("holds %q:\n%s", not, out.String())
				}
			}
		})
	}
}
