package event

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

func TestLSNInLogsIsPostgresForm(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
		"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			slog.New(handler(&b)).Info("streaming", "after", LSN(0xABC_01A2B3C8))
			if !strings.Contains(b.String(), "ABC/1A2B3C8") {
				t.Error(b.String())
			}
		})
	}
}
