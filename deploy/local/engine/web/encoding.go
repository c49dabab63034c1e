package web

import (
	"compress/zlib"
	"io"
	"strings"

	chcompress "github.com/ClickHouse/ch-go/compress"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// maxWindow bounds what a zstd body can make its reader hold.
const maxWindow = 64 << 20

// decode undoes the encodings of a body. An encoding that is not known is refused: the engine would read noise, and in a
// format that takes anything an insert would vanish with a 200.
func decode(body io.Reader, encoding string, units bool) (decoded io.Reader, closed func(), err error) {
	closed = func() {}
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		decoded = body
	case "gzip", "x-gzip":
		decoded, err = gzip.NewReader(body)
	case "deflate":
		decoded, err = zlib.NewReader(body)
	case "lz4":
		decoded = lz4.NewReader(body)
	case "zstd":
		var z *zstd.Decoder
		z, err = zstd.NewReader(body, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err == nil {
			decoded, closed = z, z.Close
		}
	default:
		return nil, nil, refusal(48, "NOT_IMPLEMENTED", "Unknown Content-Encoding "+encoding+": the embedded engine reads gzip, deflate, lz4 and zstd")
	}
	if err != nil {
		return nil, nil, unreadable(err)
	}
	if units { // ClickHouse's own compressed units, as the native protocol has them
		decoded = chcompress.NewReader(decoded)
	}
	return decoded, closed, nil
}

// unreadable is the exception for a body that ends early or is not in the encoding it is said to be in.
func unreadable(err error) error {
	return refusal(432, "UNKNOWN_CODEC", "Cannot read the request's body: "+err.Error())
}
