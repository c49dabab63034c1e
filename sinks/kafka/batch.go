package kafka

import (
	"encoding/binary"
	"hash/crc32"
	"strconv"

	"github.com/segmentio/kafka-go/compress"

	"muster/pipeline/event"
)

// Names of the record headers: CloudEvents 1.0, Kafka binding, binary mode, and the sequence.
const (
	headerVersion     = "ce_specversion"
	headerID          = "ce_id"
	headerType        = "ce_type"
	headerSource      = "ce_source"
	headerSubject     = "ce_subject" // the audience's key: a consumer can filter without reading the value
	headerTime        = "ce_time"
	headerContentType = "content-type"
	headerSequence    = "muster_sequence" // in decimal
	headerCount       = 8
)

// Offsets in a produce request's record set: an int32 size and one record batch of format 2.
const (
	sizePrefix     = 4
	atBatchLength  = sizePrefix + 8
	atLeaderEpoch  = sizePrefix + 12
	atMagic        = sizePrefix + 16
	atCRC          = sizePrefix + 17
	atAttributes   = sizePrefix + 21
	atLastDelta    = sizePrefix + 23
	atFirstTime    = sizePrefix + 27
	atMaxTime      = sizePrefix + 35
	atProducerID   = sizePrefix + 43
	atEpoch        = sizePrefix + 51
	atBaseSequence = sizePrefix + 53
	atCount        = sizePrefix + 57
	batchHeader    = sizePrefix + 61
	batchOverhead  = sizePrefix + 12 // of the request beyond what batchLength counts
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encoder makes record batches out of events. It keeps its memory between batches and is not safe for concurrent use.
type encoder struct {
	codec compress.Codec // nil is none
	fixed []byte         // the headers that every record has alike

	records []byte // of the batch, uncompressed
	record  []byte // one, without its length
	value   []byte
	request []byte
}

func newEncoder(source string, codec compress.Codec) *encoder {
	e := &encoder{codec: codec}
	e.fixed = appendHeader(e.fixed, headerVersion, "1.0")
	e.fixed = appendHeader(e.fixed, headerSource, source)
	e.fixed = appendHeader(e.fixed, headerContentType, "application/json")
	return e
}

// stamp is what makes a batch idempotent, and the time it is dated with.
type stamp struct {
	session session
	base    int32 // sequence number of the first record in this partition and epoch
	millis  int64
}

// encode makes a batch of the first of events, at least one and as many as take no more than limit bytes before
// compression, and returns their number. The request is valid until the next call; forget gives it away.
func (e *encoder) encode(events []*event.Event, limit int, s stamp) (count int, request []byte) {
	e.records = e.records[:0]
	for _, ev := range events {
		before := len(e.records)
		e.append(ev, count)
		if count > 0 && batchHeader+len(e.records) > limit {
			e.records = e.records[:before]
			break
		}
		count++
	}
	return count, e.seal(count, s)
}

// append appends one record. Its time is the batch's.
func (e *encoder) append(ev *event.Event, delta int) {
	id := ev.ID()
	e.value = ev.AppendJSONAs(e.value[:0], id)

	r := append(e.record[:0], 0, 0) // no attributes; time delta 0
	r = binary.AppendVarint(r, int64(delta))
	r = appendText(r, ev.User)
	r = appendText(r, e.value)
	r = binary.AppendVarint(r, headerCount)
	r = append(r, e.fixed...)
	r = appendHeader(r, headerID, id)
	r = appendHeader(r, headerType, ev.Type.String())
	r = appendHeader(r, headerSubject, ev.Audience)
	var digits [32]byte
	r = appendHeader(r, headerTime, event.AppendInstant(digits[:0], ev.OccurredAt))
	r = appendHeader(r, headerSequence, strconv.AppendUint(digits[:0], ev.Sequence, 10))
	e.record = r

	e.records = binary.AppendVarint(e.records, int64(len(r)))
	e.records = append(e.records, r...)
}

// seal puts the batch's header before the records, which alone are compressed.
func (e *encoder) seal(count int, s stamp) []byte {
	if cap(e.request) < batchHeader {
		e.request = make([]byte, 0, batchHeader+len(e.records))
	}
	b := e.request[:batchHeader]
	attributes := uint16(0)
	if e.codec == nil {
		b = append(b, e.records...)
	} else {
		attributes = uint16(e.codec.Code())
		b = compressInto(b, e.codec, e.records)
	}
	order := binary.BigEndian
	order.PutUint32(b, uint32(len(b)-sizePrefix))
	order.PutUint64(b[sizePrefix:], 0) // base offset: the broker's to give
	order.PutUint32(b[atBatchLength:], uint32(len(b)-batchOverhead))
	order.PutUint32(b[atLeaderEpoch:], 0xffff_ffff) // -1: the broker's too
	b[atMagic] = 2
	order.PutUint16(b[atAttributes:], attributes)
	order.PutUint32(b[atLastDelta:], uint32(count-1))
	order.PutUint64(b[atFirstTime:], uint64(s.millis))
	order.PutUint64(b[atMaxTime:], uint64(s.millis))
	order.PutUint64(b[atProducerID:], uint64(s.session.id))
	order.PutUint16(b[atEpoch:], uint16(s.session.epoch))
	order.PutUint32(b[atBaseSequence:], uint32(s.base))
	order.PutUint32(b[atCount:], uint32(count))
	order.PutUint32(b[atCRC:], crc32.Checksum(b[atAttributes:], castagnoli))
	e.request = b
	return b
}

// forget leaves the last request to whoever may still be reading it.
func (e *encoder) forget() { e.request = nil }

// compressInto appends the compressed records to b. The codecs only fail when their writer does, and this one cannot.
func compressInto(b []byte, codec compress.Codec, records []byte) []byte {
	out := sliceWriter{b}
	w := codec.NewWriter(&out)
	_, err := w.Write(records)
	if closeErr := w.Close(); err != nil || closeErr != nil {
		panic("kafka: compressing in memory failed")
	}
	return out.b
}

type sliceWriter struct{ b []byte }

func (w *sliceWriter) Write(p []byte) (int, error) {
	w.b = append(w.b, p...)
	return len(p), nil
}

func appendText[T string | []byte](b []byte, text T) []byte {
	b = binary.AppendVarint(b, int64(len(text)))
	return append(b, text...)
}

func appendHeader[T string | []byte](b []byte, key string, value T) []byte {
	return appendText(appendText(b, key), value)
}
