// Package lastwords keeps the end of what a child process prints, for the error that says why it ended.
package lastwords

import (
	"bytes"
	"io"
	"strings"
	"sync"
)

// Writer passes what is written on and keeps the end of it. Any number of goroutines may use one.
type Writer struct {
	mu   sync.Mutex
	next io.Writer
	kept []byte
}

// limit is how many bytes are kept.
const limit = 4 << 10

// New returns a writer that passes everything on to next, which may be nil.
func New(next io.Writer) *Writer { return &Writer{next: next} }

// Write implements io.Writer. It never fails: a full disk must not block a server on its own log.
func (w *Writer) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept = append(w.kept, b...)
	if n := len(w.kept) - limit; n > 0 {
		w.kept = append(w.kept[:0], w.kept[n:]...)
	}
	if w.next != nil {
		_, _ = w.next.Write(b)
	}
	return len(b), nil
}

// Contains reports whether what was kept holds a text.
func (w *Writer) Contains(text string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Contains(w.kept, []byte(text))
}

// String is what was kept, indented below an error's first line, or nothing.
func (w *Writer) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := strings.TrimSpace(string(w.kept))
	if text == "" {
		return ""
	}
	return "; its last words:\n  " + strings.ReplaceAll(text, "\n", "\n  ")
}
