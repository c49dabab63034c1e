package config

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeConfigurationLoads holds the README to a configuration that works as it stands there.
func TestReadmeConfigurationLoads(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?s)cat > muster\.yaml <<END\n(.*?)\n\s*END\n`).FindStringSubmatch(string(text))
	if m == nil {
		t.Fatal("the README no longer shows how to write muster.yaml; mend this test or the README")
	}
	c := mustLoad(t, strings.ReplaceAll(m[1], "\n    ", "\n")[len("    "):])
	if c.Postgres.DSN.Empty() {
		t.Error("no DSN")
	}
}
