package lastwords

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

func TestTheEndIsKept(t *testing.T) {
	t.Parallel()
	var next bytes.Buffer
	w := New(&next)
	if w.String() != "" {
		t.Errorf("before a word: %q", w)
	}
	for _, line := range []string{strings.Repeat("long ago\n", limit), "FATAL: no room\n", "HINT: make some\n"} {
		if n, err := w.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("Write: %d, %v", n, err)
		}
	}
	if text := w.String(); !strings.HasSuffix(text, "\n  FATAL: no room\n  HINT: make some") || !strings.HasPrefix(text, "; its last words:\n  ") || len(text) > 2*limit {
		t.Errorf("kept %d bytes: %q", len(text), text)
	}
	if !w.Contains("no room") || w.Contains("never said") {
		t.Error("Contains")
	}
	if next.Len() < 9*limit {
		t.Errorf("%d bytes were passed on", next.Len())
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestALogThatIsFullBlocksNobody(t *testing.T) {
	t.Parallel()
	w := New(full{})
	if n, err := w.Write([]byte("words")); n != 5 || err != nil || !w.Contains("words") {
		t.Errorf("%d, %v, %q", n, err, w)
	}
}
