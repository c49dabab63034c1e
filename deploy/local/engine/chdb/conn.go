package chdb

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// Conn is a session of the engine: it has a current database, settings and temporary tables of its own. It runs one
// statement at a time and is not safe for concurrent use; several run in parallel.
type Conn struct {
	lib    *Library
	handle uintptr // chdb_connection *
	conn   uintptr // chdb_connection
	closed atomic.Bool
}

// Connect opens a session on the data directory. Every session of a process must name the same directory and
// the settings of the first decide about the server as a whole.
func (l *Library) Connect(dir string, options ...string) (*Conn, error) {
	args := append([]string{"clickhouse", "--path=" + dir}, options...)
	argv := make([]*byte, len(args)+1)
	for i, a := range args {
		argv[i] = cString(a)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var handle uintptr
	l.holdSignals(func() { handle = l.connect(int32(len(args)), unsafe.Pointer(&argv[0])) })
	runtime.KeepAlive(argv)
	if handle == 0 {
		return nil, fmt.Errorf("the ClickHouse engine could not open %s", dir)
	}
	return &Conn{lib: l, handle: handle, conn: deref(handle)}, nil
}

// Close ends the session. The engine itself stays up.
func (c *Conn) Close() {
	if !c.closed.CompareAndSwap(false, true) {
		return
	}
	c.lib.mu.Lock()
	defer c.lib.mu.Unlock()
	c.lib.close(c.handle)
}

// Param is the value of one {name:Type} placeholder, in ClickHouse's escaped text form.
type Param struct{ Name, Value string }

// Result is the outcome of a statement that ran to its end.
type Result struct {
	Data                         []byte
	RowsRead, BytesRead, Written uint64
}

// Query runs any statement and returns all it prints, in the format given unless the statement names its own.
func (c *Conn) Query(sql, format string, params ...Param) (Result, error) {
	a := pack(sql, format, params)
	defer runtime.KeepAlive(a)
	return c.lib.take(c.lib.query(c.conn, a.sql, a.sqlLen, a.format, a.formatLen, a.names, a.nameLens, a.values, a.valueLens, a.count))
}

// take copies a result out of the engine and gives the engine's memory back.
func (l *Library) take(r uintptr) (Result, error) {
	if r == 0 {
		return Result{}, errors.New("the ClickHouse engine gave no result")
	}
	defer l.resultDestroy(r)
	if text := l.resultError(r); text != "" {
		return Result{}, NewError(text)
	}
	out := Result{RowsRead: l.resultRead(r), BytesRead: l.resultBytes(r), Written: l.resultWritten(r)}
	if n := l.resultLength(r); n > 0 {
		out.Data = append([]byte(nil), unsafe.Slice((*byte)(l.resultBuffer(r)), n)...)
	}
	return out, nil
}
