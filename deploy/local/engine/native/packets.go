package native

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/ClickHouse/ch-go/compress"

	"muster/deploy/local/engine/block"
	"muster/deploy/local/engine/chdb"
)

// readBlock reads a data packet, which is all a client may send after a query.
func (c *connection) readBlock(q query) (block.Block, error) {
	code, err := c.packet()
	if err != nil {
		return block.Block{}, err
	}
	switch code {
	case clientData:
	case clientCancel:
		return block.Block{}, errCancelled
	default:
		return block.Block{}, &protocolError{errors.New("expected data")}
	}
	if err := c.in.skipStrings(1); err != nil { // name of an external table
		return block.Block{}, err
	}
	if q.compressed {
		return block.ReadProtocol(c.in.blocks, maxBlock)
	}
	return block.ReadProtocol(c.in.Reader, maxBlock)
}

// errCancelled says that the client wants no more of an insert.
var errCancelled = &chdb.Error{Code: 394, Name: "QUERY_WAS_CANCELLED", Text: "Query was cancelled"}

// writeBlock writes a block; flush sends it.
func (c *connection) writeBlock(q query, b block.Block) error {
	c.out.uvarint(serverData)
	c.out.string("")
	start := len(c.out.buf)
	c.out.buf = b.Protocol(c.out.buf)
	if q.compressed {
		if err := c.out.compress(start, q.method()); err != nil {
			return err
		}
	}
	return nil
}

// compress replaces what was written from start on by its compressed units.
func (out *output) compress(start int, method compress.Method) error {
	data := append([]byte(nil), out.buf[start:]...)
	out.buf = out.buf[:start]
	w := compress.NewWriter(compress.LevelZero, method)
	for len(data) > 0 {
		unit := data[:min(len(data), compressUnit)]
		if err := w.Compress(unit); err != nil {
			return err
		}
		out.buf = append(out.buf, w.Data...)
		data = data[len(unit):]
	}
	return nil
}

// method is how the client wants results compressed. Like a server it answers in LZ4 to all that do not say.
func (q query) method() compress.Method {
	for _, s := range q.settings {
		if s.Name != "network_compression_method" {
			continue
		}
		switch s.Value {
		case "ZSTD", "zstd":
			return compress.ZSTD
		case "NONE", "none":
			return compress.None
		}
	}
	return compress.LZ4
}

// exception ends a query, or the connection, with an error.
func (out *output) exception(err error) {
	e := *chdb.AsError(err) // a copy: some are shared
	var fault *protocolError
	switch {
	case errors.Is(err, block.ErrUnsupported):
		e.Code = codeNotImplemented
	case errors.As(err, &fault):
		e.Code = codeProtocol
	}
	out.uvarint(serverException)
	out.buf = binary.LittleEndian.AppendUint32(out.buf, uint32(e.Code))
	out.string("DB::Exception")
	out.string("DB::Exception: " + e.Text)
	out.string("")               // stack trace
	out.buf = append(out.buf, 0) // no nested one
}

// progress tells what the query has read and written.
func (out *output) progress(revision int, r chdb.Result, elapsed time.Duration) {
	out.uvarint(serverProgress)
	for _, n := range []uint64{r.RowsRead, r.BytesRead, 0, r.Written, 0} {
		out.uvarint(n)
	}
	if revision >= revisionElapsed {
		out.uvarint(uint64(elapsed.Nanoseconds()))
	}
}

// profile tells how large the result was.
func (out *output) profile(rows, blocks, bytes int) {
	out.uvarint(serverProfileInfo)
	out.uvarint(uint64(rows))
	out.uvarint(uint64(blocks))
	out.uvarint(uint64(bytes))
	out.buf = append(out.buf, 0) // no limit applied
	out.uvarint(0)
	out.buf = append(out.buf, 0)
}
