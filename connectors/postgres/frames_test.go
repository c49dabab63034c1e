package postgres

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func frame(kind byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4)), body...)
}

// However the bytes arrive, and whenever the driver hands the connection over, each message comes once and whole.
func TestFramesGiveEachMessageOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		bodies := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 0, 300), 1, 20).Draw(t, "bodies")
		if rapid.IntRange(0, 9).Draw(t, "large") == 0 {
			bodies = append(bodies, make([]byte, rapid.IntRange(smallBuffer-10, 3*bufferSize).Draw(t, "size")), []byte("after"))
		}
		var wire []byte
		for i, body := range bodies {
			wire = append(wire, frame(byte('a'+i), body)...)
		}
		var source io.Reader = bytes.NewReader(wire)
		switch rapid.IntRange(0, 2).Draw(t, "reader") {
		case 1:
			source = iotest.HalfReader(source)
		case 2:
			source = iotest.DataErrReader(source)
		}
		f := newFrames(source)
		driver := rapid.IntRange(0, len(bodies)).Draw(t, "read by the driver")
		for i, body := range bodies[:driver] {
			got := make([]byte, headerSize+len(body))
			if _, err := io.ReadFull(oneMessage{f}, got); err != nil || !bytes.Equal(got, frame(byte('a'+i), body)) {
				t.Fatalf("message %d: %v", i, err)
			}
		}
		f.widen()
		for i, body := range bodies[driver:] {
			kind, got, ok, err := f.next()
			for ; !ok && err == nil; kind, got, ok, err = f.next() {
				if _, err := f.fill(); err != nil {
					t.Fatalf("message %d: %v", driver+i, err)
				}
			}
			if err != nil || kind != byte('a'+driver+i) || !bytes.Equal(got, body) {
				t.Fatalf("message %d: kind %q, %d bytes, %v; want %d", driver+i, kind, len(got), err, len(body))
			}
		}
		if _, err := f.fill(); err != io.EOF {
			t.Fatalf("after the last message: %v", err)
		}
		if len(f.buffer) > bufferSize {
			t.Fatalf("buffer stayed at %d bytes", len(f.buffer))
		}
	})
}

// oneMessage asks for more than a message has, as the driver does, which must not get it any of the next.
type oneMessage struct{ frames *frames }

func (o oneMessage) Read(p []byte) (int, error) {
	large := make([]byte, 8192)
	n, err := o.frames.Read(large)
	if n > len(p) {
		return 0, errors.New("read beyond the message")
	}
	return copy(p, large[:n]), err
}

func TestFramesRefuseAnImpossibleLength(t *testing.T) {
	t.Parallel()
	for _, length := range []uint32{0, 3, 0xffffffff} {
		f := newFrames(bytes.NewReader(binary.BigEndian.AppendUint32([]byte{'d'}, length)))
		if _, err := f.fill(); err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := f.next(); !errors.Is(err, ErrUnreadableStream) {
			t.Errorf("length %d: %v", length, err)
		}
	}
}

func TestOptionsReportEveryFault(t *testing.T) {
	t.Parallel()
	_, err := New(Options{Slot: "Not A Slot", Users: Users{Table: "public."}})
	for _, want := range []string{"postgres.dsn is empty", "Not A Slot", "public."} {
		if err == nil || !bytes.Contains([]byte(err.Error()), []byte(want)) {
			t.Errorf("%v does not name %q", err, want)
		}
	}
	if _, err := New(Options{DSN: "postgres://user:s3cret@[broken"}); err == nil || bytes.Contains([]byte(err.Error()), []byte("s3cret")) {
		t.Errorf("%v", err)
	}
}
