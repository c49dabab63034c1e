package block

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// step is how far a length is believed before its bytes have arrived.
const step = 1 << 20

var errTooLong = errors.New("the block is longer than allowed")

// reader copies out of src what the layouts ask for.
type reader struct {
	src  Source
	buf  []byte // copied since taken
	left int    // bytes that may still be read
}

// copy takes n bytes over and returns them; they are valid until the next call.
func (r *reader) copy(n int) ([]byte, error) {
	if n < 0 || n > r.left {
		return nil, errTooLong
	}
	r.left -= n
	start := len(r.buf)
	for n > 0 {
		part := min(n, step)
		at := len(r.buf)
		r.buf = append(r.buf, make([]byte, part)...)
		if _, err := io.ReadFull(r.src, r.buf[at:]); err != nil {
			return nil, unexpected(err)
		}
		n -= part
	}
	return r.buf[start:], nil
}

// rows takes over n values of a fixed size.
func (r *reader) rows(n, size int) error {
	if size <= 0 || n > r.left/size {
		return errTooLong
	}
	_, err := r.copy(n * size)
	return err
}

func (r *reader) uint64() (uint64, error) {
	b, err := r.copy(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

// count is an uint64 that counts values, each of which takes at least a byte.
func (r *reader) count() (int, error) {
	n, err := r.uint64()
	if err != nil {
		return 0, err
	}
	if n > uint64(r.left) {
		return 0, errTooLong
	}
	return int(n), nil
}

// strings takes over n strings, each behind its length.
func (r *reader) strings(n int) error {
	for range n {
		length, err := r.length()
		if err != nil {
			return err
		}
		if _, err := r.copy(length); err != nil {
			return err
		}
	}
	return nil
}

// length takes over the length of a string.
func (r *reader) length() (int, error) {
	n, err := r.uvarint()
	if err != nil {
		return 0, err
	}
	if n > uint64(r.left) {
		return 0, errTooLong
	}
	r.buf = binary.AppendUvarint(r.buf, n)
	return int(n), nil
}

// taken hands over what was copied.
func (r *reader) taken() []byte {
	b := r.buf
	r.buf = nil
	return b
}

// uvarint reads a number without taking it over.
func (r *reader) uvarint() (uint64, error) {
	n, err := binary.ReadUvarint(r.src)
	if err != nil {
		return 0, unexpected(err)
	}
	return n, nil
}

// string reads a name or a type without taking it over.
func (r *reader) string() (string, error) {
	if _, err := r.length(); err != nil {
		return "", err
	}
	length, _ := binary.Uvarint(r.taken())
	if _, err := r.copy(int(length)); err != nil {
		return "", err
	}
	return string(r.taken()), nil
}

// info skips the block information, pairs of a field's number and its value.
func (r *reader) info() error {
	for {
		field, err := r.uvarint()
		if err != nil {
			return err
		}
		size := 0
		switch field {
		case 0:
			return nil
		case 1: // overflow rows
			size = 1
		case 2: // bucket
			size = 4
		default:
			return fmt.Errorf("%w: field %d", ErrUnsupported, field)
		}
		if _, err := r.copy(size); err != nil {
			return err
		}
		r.taken()
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
