package local

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// logs passes on what the services say while they start, and keeps what ClickHouse says after that in a file alone: one
// line of it a query is of no interest to who watches a demo. Postgres keeps a log of its own.
type logs struct {
	clickhouse *lines

	mu   sync.Mutex
	tell func(string) // nil once the stack is up
	file *os.File
}

func openLogs(dir string, tell func(string)) (*logs, error) {
	file, err := os.OpenFile(filepath.Join(dir, "clickhouse.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open ClickHouse's log: %w", err)
	}
	l := &logs{tell: tell, file: file}
	l.clickhouse = &lines{take: l.clickhouseLine}
	return l, nil
}

func (l *logs) clickhouseLine(line string) {
	l.mu.Lock()
	_, _ = fmt.Fprintln(l.file, line) // a full disk must not stop the engine
	l.mu.Unlock()
	l.line("clickhouse: " + line)
}

func (l *logs) line(text string) {
	l.mu.Lock()
	tell := l.tell
	l.mu.Unlock()
	if tell != nil {
		tell(text)
	}
}

func (l *logs) quiet() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tell = nil
}

func (l *logs) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}

// lines cuts what is written to it into lines.
type lines struct {
	take func(line string)

	mu   sync.Mutex
	rest []byte
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, b...)
	for {
		line, rest, found := bytes.Cut(l.rest, []byte("\n"))
		if !found {
			return len(b), nil
		}
		l.take(string(line))
		l.rest = rest
	}
}
