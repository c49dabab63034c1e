package native

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go/compress"

	"muster/deploy/local/engine/block"
	"muster/deploy/local/engine/chdb"
)

// readData reads a packet with a block, which is all a client may send between a query and its answer.
func (c *connection) readData(q query) (code uint64, b block.Block, err error) {
	if code, err = c.packet(); err != nil {
		return code, b, err
	}
	switch code {
	case clientData, clientScalar:
	case clientCancel:
		return code, b, errCancelled
	default:
		return code, b, fmt.Errorf("packet %d where data was expected", code)
	}
	if err := c.in.skipStrings(1); err != nil { // name of an external table or a scalar
		return code, b, err
	}
	b, err = c.readBlock(q)
	return code, b, err
}

func (c *connection) readBlock(q query) (block.Block, error) {
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
