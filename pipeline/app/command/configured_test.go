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

func TestSizesAndRefusalsAsPeopleSayThem(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{1: "1 byte", 107: "107 bytes", 12_345: "12.3 kB", 9_960_000: "10.0 MB"} {
		if got := size(n); got != want {
			t.Errorf("%d bytes: %s, want %s", n, got, want)
		}
	}
	refused := &refusal{answer: answer{Status: 401, Message: "the key is none of http.api_keys"}}
	if got := refused.Error(); got != "the key is none of http.api_keys; name one with --key, MUSTER_API_KEY or a profile" {
		t.Error(got)
	}
}
