package command

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestWrongCallsAreToldWhatIsRight(t *testing.T) {
	t.Parallel()
	for call, want := range map[string]string{
		"nonsense":               `there is no command "nonsense"; muster has audience, check,`,
		"verfy":                  `there is no command "verfy"; is it verify?`,
		"audience nonsense":      `there is no command "nonsense"; muster audience has archive, commit,`,
		"history users u1":       `there is no command "users"; is it user?`,
		"local":                  "",
		"explain beta":           "1 argument given; it is written: muster explain AUDIENCE USER",
		"explain beta u1 u2":     "3 arguments given; it is written: muster explain AUDIENCE USER",
		"version now":            "1 argument given; it is written: muster version",
		"member add beta":        "1 argument given; it is written: muster member add",
		"audience list --colour": "unknown flag: --colour",
	} {
		var stdout, stderr bytes.Buffer
		code := execute(context.Background(), strings.Fields(call), &stdout, &stderr)
		wrong := 0
		if want != "" {
			wrong = exitUsage
		}
		if code != wrong || !strings.Contains(stderr.String(), want) || want == "" && !strings.Contains(stdout.String(), "Usage:") {
			t.Errorf("muster %s: exit code %d: %s%s", call, code, &stderr, &stdout)
		}
	}
}
