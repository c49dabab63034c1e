package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// kafka-go v0.4.51 speaks Metadata up to version 8 and names a topic by id from 10 on; and it sends InitProducerID without
// a transactional id to a coordinator that does not exist. Both requests are small, and its transport lets a message do
// its own exchange (protocol.RawExchanger), so they are written here.

// maxAnswer bounds what a broken peer can make us allocate.
const maxAnswer = 64 << 20

const rawCorrelation = 0x4d757374 // of every raw exchange; a connection has one request under way

var errAnswer = errors.New("malformed answer")

// exchange sends one request, header without tagged fields, and returns the answer behind its correlation id.
func exchange(rw io.ReadWriter, key, version int16, clientID string, flexible bool, body []byte) ([]byte, error) {
	request := make([]byte, 4, 64+len(clientID)+len(body))
	request = binary.BigEndian.AppendUint16(request, uint16(key))
	request = binary.BigEndian.AppendUint16(request, uint16(version))
	request = binary.BigEndian.AppendUint32(request, rawCorrelation)
	request = binary.BigEndian.AppendUint16(request, uint16(len(clientID)))
	request = append(request, clientID...)
	if flexible {
		request = append(request, 0) // no tagged fields
	}
	request = append(request, body...)
	binary.BigEndian.PutUint32(request, uint32(len(request)-4))
	if _, err := rw.Write(request); err != nil {
		return nil, err
	}

	var size [4]byte
	if _, err := io.ReadFull(rw, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 4 || n > maxAnswer {
		return nil, fmt.Errorf("%w of %d bytes", errAnswer, n)
	}
	answer := make([]byte, n)
	if _, err := io.ReadFull(rw, answer); err != nil {
		return nil, err
	}
	if got := binary.BigEndian.Uint32(answer); got != rawCorrelation {
		return nil, fmt.Errorf("%w: correlation id %d", errAnswer, got)
	}
	return answer[4:], nil
}

// reader takes Kafka's primitive types off an answer. After the first fault it yields zeros; the caller asks err once.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) take(n int) []byte {
	if r.err != nil || n > len(r.rest) {
		r.err = errAnswer
		return make([]byte, min(n, 16))
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) int8() int8   { return int8(r.take(1)[0]) }
func (r *reader) int16() int16 { return int16(binary.BigEndian.Uint16(r.take(2))) }
func (r *reader) int32() int32 { return int32(binary.BigEndian.Uint32(r.take(4))) }
func (r *reader) int64() int64 { return int64(binary.BigEndian.Uint64(r.take(8))) }

func (r *reader) uvarint() int {
	n, width := binary.Uvarint(r.rest)
	if r.err != nil || width <= 0 || n > maxAnswer {
		r.err = errAnswer
		return 0
	}
	r.rest = r.rest[width:]
	return int(n)
}

// count is the length of a compact array, at most as many elements as there are bytes left.
func (r *reader) count() int {
	n := max(r.uvarint()-1, 0)
	if n > len(r.rest) {
		r.err = errAnswer
		return 0
	}
	return n
}

// text is a compact string; null is "".
func (r *reader) text() string {
	n := r.uvarint() - 1
	if r.err != nil || n <= 0 {
		return ""
	}
	if n > len(r.rest) {
		r.err = errAnswer
		return ""
	}
	return string(r.take(n))
}

func (r *reader) int32s() []int32 {
	values := make([]int32, r.count())
	for i := range values {
		values[i] = r.int32()
	}
	return values
}

func (r *reader) tags() {
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		r.uvarint() // which
		r.take(r.uvarint())
	}
}
