package postgres

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// tail passes the server's output on and keeps the end of it for error messages.
type tail struct {
	mu   sync.Mutex
	next io.Writer
	kept []byte
}

const tailBytes = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	if n := len(t.kept) - tailBytes; n > 0 {
		t.kept = append(t.kept[:0], t.kept[n:]...)
	}
	if t.next != nil {
		// A full disk must not block the server on its own log.
		_, _ = t.next.Write(b)
	}
	return len(b), nil
}

func (t *tail) contains(text string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Contains(t.kept, []byte(text))
}

// String is the kept output, indented below an error's first line, or nothing.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(string(t.kept))
	if text == "" {
		return ""
	}
	return "; its last words:\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}
