package command

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"muster/config"
)

func TestLogsSayTheUnit(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"json": `"took_seconds":1.5`, "auto": `"took_seconds":1.5`, "text": "took=1.5s"} {
		var out bytes.Buffer
		logger(config.Log{Level: "info", Format: format}, &out).Info("done", slog.Duration("took", 1500*time.Millisecond))
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s: %s", format, &out)
		}
	}
}
