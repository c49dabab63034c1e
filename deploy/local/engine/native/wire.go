package native

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/ClickHouse/ch-go/compress"
)

// input reads packets.
type input struct {
	*bufio.Reader
	blocks *bufio.Reader // the same bytes, decompressed
}

func newInput(r io.Reader) *input {
	raw := bufio.NewReaderSize(r, 1<<16)
	// The decompressing reader goes on to the next compressed unit only when it is asked for bytes beyond the last, so the
	// buffer behind it never takes what follows a block.
	return &input{Reader: raw, blocks: bufio.NewReaderSize(compress.NewReader(raw), 1<<16)}
}

func (in *input) uvarint() (uint64, error) { return binary.ReadUvarint(in) }

func (in *input) string(limit int) (string, error) {
	n, err := in.uvarint()
	if err != nil {
		return "", err
	}
	if n > uint64(limit) {
		return "", fmt.Errorf("a text of %d bytes is longer than the %d allowed here", n, limit)
	}
	// In steps, so that a length alone reserves nothing.
	var b []byte
	for left := int(n); left > 0; {
		part := min(left, 1<<16)
		at := len(b)
		b = append(b, make([]byte, part)...)
		if _, err := io.ReadFull(in, b[at:]); err != nil {
			return "", err
		}
		left -= part
	}
	return string(b), nil
}

func (in *input) skip(n int) error {
	_, err := in.Discard(n)
	return err
}

// skipStrings reads over n texts.
func (in *input) skipStrings(n int) error {
	for range n {
		if _, err := in.string(maxName); err != nil {
			return err
		}
	}
	return nil
}

// skipNumbers reads over n numbers of variable length.
func (in *input) skipNumbers(n int) error {
	for range n {
		if _, err := in.uvarint(); err != nil {
			return err
		}
	}
	return nil
}

// output collects packets until they are flushed.
type output struct {
	w   io.Writer
	buf []byte
}

func (out *output) uvarint(n uint64) { out.buf = binary.AppendUvarint(out.buf, n) }

func (out *output) string(s string) {
	out.uvarint(uint64(len(s)))
	out.buf = append(out.buf, s...)
}

func (out *output) flush() error {
	_, err := out.w.Write(out.buf)
	out.buf = out.buf[:0]
	if cap(out.buf) > 8<<20 { // one large block must not be kept for ever
		out.buf = nil
	}
	return err
}
