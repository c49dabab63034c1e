package session

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"muster/deploy/local/engine/chdb"
)

// maxSessions bounds what the clients of a developer's machine may use together.
const maxSessions = 128

// limits keep the engine to the size of a local stack; by itself it takes nine tenths of the machine and caches of 5 GB.
var limits = []string{
	"--max_server_memory_usage=2147483648",
	"--mark_cache_size=67108864",
	"--index_mark_cache_size=16777216",
	"--primary_index_cache_size=67108864",
	"--implicit_select=0", // "SELEKT" is a syntax error, as it is with a server
}

// Codes of exceptions that are raised here, as a server would.
const (
	codeUnknownSetting  = 115
	codeTooManySessions = 202
)

// Engine is the engine on one data directory.
type Engine struct {
	lib   *chdb.Library
	dir   string
	slots chan struct{}
	last  atomic.Int64 // number of the last session

	version, timezone string

	mu      sync.Mutex // guards control
	control *chdb.Conn
}

// Open opens the data directory. A process can have one open at a time, and a directory can be open in one process.
func Open(lib *chdb.Library, dir string) (*Engine, error) {
	control, err := lib.Connect(dir, limits...)
	if err != nil {
		return nil, err
	}
	e := &Engine{lib: lib, dir: dir, slots: make(chan struct{}, maxSessions), control: control}
	about, err := control.Query("SELECT version(), timezone()", "TabSeparatedRaw")
	if err != nil {
		control.Close()
		return nil, fmt.Errorf("open %s: %w", dir, err)
	}
	e.version, e.timezone, _ = strings.Cut(strings.TrimSpace(string(about.Data)), "\t")
	return e, nil
}

// Version is the server's, such as "26.7.2.1".
func (e *Engine) Version() string { return e.version }

// Timezone is the server's, such as "Etc/UTC".
func (e *Engine) Timezone() string { return e.timezone }

// Close closes the data directory. All sessions must be closed.
func (e *Engine) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.control.Close()
}

// New opens a session. It fails with the code of a busy server when there are too many.
func (e *Engine) New() (*Session, error) {
	select {
	case e.slots <- struct{}{}:
	default:
		return nil, &chdb.Error{Code: codeTooManySessions, Name: "TOO_MANY_SIMULTANEOUS_QUERIES",
			Text: fmt.Sprintf("Too many sessions: the embedded engine serves %d at a time", maxSessions)}
	}
	mark := "muster-" + strconv.FormatInt(e.last.Add(1), 10)
	conn, err := e.lib.Connect(e.dir, append(limits, "--log_comment="+mark)...)
	if err != nil {
		<-e.slots
		return nil, err
	}
	return &Session{Conn: conn, engine: e, mark: mark, applied: map[string]string{}}, nil
}

// killEvery is how long a statement may take to be seen after it was told to stop; then it is told again.
const killEvery = 50 * time.Millisecond

// CancelAll stops every statement, again and again until ctx ends.
func (e *Engine) CancelAll(ctx context.Context) {
	e.kill(ctx, "startsWith(Settings['log_comment'], 'muster-')")
}

// kill stops what meets the condition until ctx ends. One KILL is not enough: a statement may not have begun yet.
func (e *Engine) kill(ctx context.Context, condition string) {
	tick := time.NewTicker(killEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		e.mu.Lock()
		_, _ = e.control.Query("KILL QUERY WHERE "+condition+" ASYNC", "Null") // best effort, and repeated
		e.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func isCode(err error, code int) bool {
	var e *chdb.Error
	return errors.As(err, &e) && e.Code == code
}
