package postgres

import (
	"encoding/binary"
	"fmt"
	"io"
)

const (
	bufferSize  = 1 << 20
	headerSize  = 5       // kind and length
	maxFrame    = 1 << 31 // a message of the protocol is shorter
	smallBuffer = 64 << 10
)

// frames reads the protocol's messages through one large buffer. At first it is the io.Reader that the driver reads from,
// and hands out at most one message at a time, so that the driver holds nothing back when replication begins; from then on
// next takes whole messages from the buffer without copying them.
type frames struct {
	source io.Reader
	buffer []byte
	start  int // of what is not consumed
	end    int
	left   int // of the message that Read is in
}

func newFrames(source io.Reader) *frames {
	return &frames{source: source, buffer: make([]byte, smallBuffer)}
}

// Read serves the driver; it never crosses the end of a message.
func (f *frames) Read(p []byte) (int, error) {
	for f.left == 0 || f.start == f.end {
		if f.left == 0 && f.end-f.start >= headerSize {
			size, err := f.size()
			if err != nil {
				return 0, err
			}
			f.left = size
			continue
		}
		if _, err := f.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.buffer[f.start:min(f.end, f.start+f.left)])
	f.start += n
	f.left -= n
	return n, nil
}

// size returns the size of the message at start, header included.
func (f *frames) size() (int, error) {
	n := int64(binary.BigEndian.Uint32(f.buffer[f.start+1:])) + 1
	if n < headerSize || n > maxFrame {
		return 0, fmt.Errorf("%w: message of %d bytes", ErrUnreadableStream, n)
	}
	return int(n), nil
}

// next returns the next message if the buffer holds all of it. The body is valid until fill.
func (f *frames) next() (kind byte, body []byte, ok bool, err error) {
	if f.end-f.start < headerSize {
		return 0, nil, false, nil
	}
	size, err := f.size()
	if err != nil || f.end-f.start < size {
		return 0, nil, false, err
	}
	kind, body = f.buffer[f.start], f.buffer[f.start+headerSize:f.start+size]
	f.start += size
	return kind, body, true, nil
}

// fill reads once from the source and returns how much came.
func (f *frames) fill() (int, error) {
	f.room()
	n, err := f.source.Read(f.buffer[f.end:])
	f.end += n
	if n > 0 {
		return n, nil // an error is met again by the next call
	}
	return 0, err
}

// room makes sure that the buffer has some: the remainder moves to its front, and a message that is larger than the buffer
// makes it grow step by step as its bytes arrive, never by what a header merely claims. A buffer that grew shrinks again.
func (f *frames) room() {
	held := f.end - f.start
	want := len(f.buffer)
	switch {
	case held == len(f.buffer):
		want = 2 * len(f.buffer)
	case held == 0 && len(f.buffer) > bufferSize:
		want = bufferSize
	}
	if want != len(f.buffer) {
		buffer := make([]byte, want)
		copy(buffer, f.buffer[f.start:f.end])
		f.buffer, f.start, f.end = buffer, 0, held
		return
	}
	if held == 0 || f.end == len(f.buffer) || f.start > 0 && len(f.buffer)-f.end < len(f.buffer)/2 {
		copy(f.buffer, f.buffer[f.start:f.end])
		f.start, f.end = 0, held
	}
}

// widen gives the buffer the size for streaming.
func (f *frames) widen() {
	buffer := make([]byte, bufferSize)
	held := copy(buffer, f.buffer[f.start:f.end])
	f.buffer, f.start, f.end = buffer, 0, held
}
