package kafka

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go/compress"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"muster/evaluator"
	"muster/pipeline/event"
)

func pointers(events []event.Event) []*event.Event {
	list := make([]*event.Event, len(events))
	for i := range events {
		list[i] = &events[i]
	}
	return list
}

// TestBatchBytes holds one batch of two records against its bytes, taken apart field by field.
func TestBatchBytes(t *testing.T) {
	t.Parallel()
	events := []event.Event{
		{Sequence: 7, Type: event.Entered, Environment: "e", Audience: "a", Version: 1, User: "u", Cause: event.CauseChange, EntryCount: 1},
		{Sequence: 8, Type: event.Exited, Environment: "e", Audience: "a", Version: 1, User: "u", Cause: event.CauseTimer, EntryCount: 1},
	}
	count, got := newEncoder("/muster/e", nil).encode(pointers(events), 1<<20, stamp{
		session: session{id: 0x0102030405060708, epoch: 0x0a0b}, base: 0x0c0d0e0f, millis: 0x1112131415161718,
	})
	record := func(delta byte, e *event.Event, kind, sequence string) string {
		var b strings.Builder
		text := func(s string) {
			b.Write(binary.AppendVarint(nil, int64(len(s))))
			b.WriteString(s)
		}
		b.WriteString("\x00\x00" + string(delta))
		text("u")
		text(string(e.AppendJSON(nil)))
		b.WriteString("\x10") // 8 headers
		for _, s := range []string{"ce_specversion", "1.0", "ce_source", "/muster/e", "content-type", "application/json",
			"ce_id", e.ID(), "ce_type", kind, "ce_subject", "a", "ce_time", "2000-01-01T00:00:00.000000Z",
			"muster_sequence", sequence} {
			text(s)
		}
		return string(binary.AppendVarint(nil, int64(b.Len()))) + b.String()
	}
	records := record(0, &events[0], "audience.entered", "7") + record(2, &events[1], "audience.exited", "8")
	checked, _ := hex.DecodeString("0000" + "00000001" + // attributes, last offset delta
		"1112131415161718" + "1112131415161718" + // first and max timestamp
		"0102030405060708" + "0a0b" + "0c0d0e0f" + "00000002") // producer id, epoch, base sequence, count
	checked = append(checked, records...)
	want := binary.BigEndian.AppendUint32(nil, uint32(21+len(checked))) // size
	want = append(want, make([]byte, 8)...)                             // base offset
	want = binary.BigEndian.AppendUint32(want, uint32(9+len(checked)))  // batch length
	want = append(want, 0xff, 0xff, 0xff, 0xff, 2)                      // leader epoch, magic
	want = binary.BigEndian.AppendUint32(want, crc32.Checksum(checked, crc32.MakeTable(crc32.Castagnoli)))
	want = append(want, checked...)
	if count != 2 || !bytes.Equal(got, want) {
		t.Errorf("%d events\ngot  %x\nwant %x", count, got, want)
	}
}

func TestBatchLimit(t *testing.T) {
	t.Parallel()
	events := pointers(makeEvents(1, 100))
	e := newEncoder("/muster/test", nil)
	whole, _ := e.encode(events, 1<<20, stamp{})
	size := batchHeader + len(e.records)
	if whole != 100 {
		t.Fatalf("%d of 100 events fit into a megabyte", whole)
	}
	if n, _ := e.encode(events, size, stamp{}); n != 100 {
		t.Errorf("%d of 100 fit into exactly their size", n)
	}
	if n, _ := e.encode(events, size-1, stamp{}); n != 99 {
		t.Errorf("%d of 100 fit into one byte less", n)
	}
	if n, _ := e.encode(events, 1, stamp{}); n != 1 {
		t.Errorf("%d fit into nothing, want the one that must go alone", n)
	}
}

func TestBaseSequenceWraps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		base  int32
		count int
		want  int32
	}{{0, 5, 5}, {2147483647, 1, 0}, {2147483640, 10, 2}, {2147483646, 1, 2147483647}} {
		if got := nextBase(c.base, c.count); got != c.want {
			t.Errorf("after %d records from %d comes %d, want %d", c.count, c.base, got, c.want)
		}
	}
}

func TestEncodingAllocates(t *testing.T) {
	events := pointers(makeEvents(1, 1000))
	e := newEncoder("/muster/test", nil)
	perEvent := testing.AllocsPerRun(20, func() { e.encode(events, 1<<20, stamp{}) }) / float64(len(events))
	if perEvent > 1.01 { // the id, which is a string
		t.Errorf("%v allocations for each event, want 1", perEvent)
	}
}

// FuzzBatch reads what the encoder writes with franz-go's reader, for every codec.
func FuzzBatch(f *testing.F) {
	f.Add("u_1", "", "trial-ending", uint64(1), int64(0), uint8(3), uint8(0), uint16(500))
	f.Add("é\x00\"", "tenant", "a", uint64(1<<63), int64(-1), uint8(9), uint8(4), uint16(1))
	f.Fuzz(func(t *testing.T, user, tenant, audience string, sequence uint64, at int64, n, codec uint8, limit uint16) {
		events := make([]event.Event, 1+n%50)
		for i := range events {
			events[i] = event.Event{
				Sequence: sequence + uint64(i), Type: event.Entered, Environment: "test", Audience: audience, Version: 1,
				User: user, Tenant: tenant, OccurredAt: evaluator.Instant(at), Cause: event.CauseChange, EntryCount: uint64(i),
			}
		}
		compression := compress.Compression(codec % 5)
		s := stamp{session: session{id: 42, epoch: 7}, base: 11, millis: 1_700_000_000_000}
		count, request := newEncoder("/muster/test", compression.Codec()).encode(pointers(events), int(limit), s)
		if count < 1 || count > len(events) || len(request)-4 != int(binary.BigEndian.Uint32(request)) {
			t.Fatalf("%d of %d events in %d bytes", count, len(events), len(request))
		}
		var b kmsg.RecordBatch
		if err := b.ReadFrom(request[4:]); err != nil {
			t.Fatal(err)
		}
		if uint32(b.CRC) != crc32.Checksum(request[4+21:], crc32.MakeTable(crc32.Castagnoli)) || b.Magic != 2 ||
			int(b.Length) != len(request)-4-12 || b.ProducerID != 42 || b.ProducerEpoch != 7 || b.FirstSequence != 11 ||
			int(b.NumRecords) != count || int(b.LastOffsetDelta) != count-1 || b.Attributes&7 != int16(compression) {
			t.Fatalf("%+v", b)
		}
		records, err := kfake.BatchRecords(b)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range records {
			e := &events[i]
			if string(r.Key) != user || !bytes.Equal(r.Value, e.AppendJSON(nil)) || int(r.OffsetDelta) != i {
				t.Fatalf("record %d is %+v", i, r)
			}
		}
	})
}
