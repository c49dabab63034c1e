package chdb

import (
	"errors"
	"runtime"
	"unsafe"
)

// Rows is a query that hands its result out block by block, so that memory holds one block and not the result.
type Rows struct {
	conn   *Conn
	result uintptr
	// Chunk statistics so far.
	RowsRead, BytesRead uint64
}

// Stream starts a query that returns rows. The connection runs nothing else until Close.
func (c *Conn) Stream(sql, format string, params ...Param) (*Rows, error) {
	a := pack(sql, format, params)
	defer runtime.KeepAlive(a)
	r := c.lib.streamQuery(c.conn, a.sql, a.sqlLen, a.format, a.formatLen, a.names, a.nameLens, a.values, a.valueLens, a.count)
	if r == 0 {
		return nil, errors.New("the ClickHouse engine gave no result")
	}
	if text := c.lib.resultError(r); text != "" {
		c.lib.resultDestroy(r)
		return nil, NewError(text)
	}
	return &Rows{conn: c, result: r}, nil
}

// Next returns the next block in the query's format, nil after the last.
func (r *Rows) Next() ([]byte, error) {
	chunk, err := r.conn.lib.take(r.conn.lib.streamFetch(r.conn.conn, r.result))
	r.RowsRead += chunk.RowsRead
	r.BytesRead += chunk.BytesRead
	return chunk.Data, err
}

// Close ends the query, also in its middle.
func (r *Rows) Close() {
	if r.result == 0 {
		return
	}
	r.conn.lib.streamStop(r.conn.conn, r.result)
	r.conn.lib.resultDestroy(r.result)
	r.result = 0
}

// Insert is an INSERT whose data arrives piece by piece.
type Insert struct {
	lib    *Library
	stream uintptr
}

// Insert starts an INSERT given without FORMAT clause and data. The connection runs nothing else until Done or Cancel.
func (c *Conn) Insert(sql, format string, params ...Param) (*Insert, error) {
	a := pack(sql, format, params)
	defer runtime.KeepAlive(a)
	s := c.lib.insert(c.conn, a.sql, a.sqlLen, a.format, a.formatLen, a.names, a.nameLens, a.values, a.valueLens, a.count)
	if s == 0 {
		return nil, errors.New("the ClickHouse engine gave no insert")
	}
	in := &Insert{lib: c.lib, stream: s}
	if text := c.lib.insertError(s); text != "" {
		in.Cancel()
		return nil, NewError(text)
	}
	return in, nil
}

// Append hands over a piece of the data. It blocks while the engine is behind.
func (in *Insert) Append(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	if in.lib.insertAppend(in.stream, unsafe.Pointer(&data[0]), uintptr(len(data))) != 0 {
		return NewError(in.lib.insertError(in.stream))
	}
	return nil
}

// Done commits what was appended and reports the rows written.
func (in *Insert) Done() (Result, error) {
	res, err := in.lib.take(in.lib.insertDone(in.stream))
	in.destroy()
	return res, err
}

// Cancel gives up; blocks that the engine has written already stay.
func (in *Insert) Cancel() {
	if in.stream != 0 {
		in.lib.insertCancel(in.stream)
	}
	in.destroy()
}

func (in *Insert) destroy() {
	if in.stream != 0 {
		in.lib.insertDestroy(in.stream)
		in.stream = 0
	}
}
