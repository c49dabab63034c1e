package evaluator

import (
	_ "embed"
	"strings"
	"testing"
)

//go:embed LANGUAGE.md
var language string

// Every piece of JSON on the page is accepted, and every operator is on it.
func TestThePageIsTrue(t *testing.T) {
	t.Parallel()
	parts := strings.Split(language, "```json\n")
	if len(parts) < 5 {
		t.Fatalf("the page has %d pieces of JSON", len(parts)-1)
	}
	for _, part := range parts[1:] {
		text, _, _ := strings.Cut(part, "```")
		document := strings.TrimSpace(text)
		switch {
		case strings.Contains(document, `"key"`):
		case strings.Contains(document, `"settle"`):
			document = `{"key":"k","type":"dynamic","segments":[{"conditions":[{"property":"recipient.a","operator":"exists"}]}],` + document[1:]
		default:
			document = withConditions(document)
		}
		if def, err := Decode([]byte(document), ""); err != nil || len(def.Warnings) > 0 {
			t.Errorf("%s\n%v", text, err)
		}
	}
	for op := OpEqualTo; op <= OpInSample; op++ {
		if !strings.Contains(language, "`"+op.String()+"`") {
			t.Errorf("the page does not have %s", op)
		}
	}
}
