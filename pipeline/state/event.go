package state

import (
	"encoding/binary"

	"muster/evaluator"
	"muster/pipeline/event"
)

func appendEvent(dst []byte, e *event.Event) []byte {
	dst = binary.AppendUvarint(dst, e.Sequence)
	flags := byte(e.Type)
	if e.Trigger {
		flags |= 1 << 7
	}
	dst = append(dst, flags, byte(e.Cause))
	dst = appendBytes(dst, e.Environment)
	dst = appendBytes(dst, e.Audience)
	dst = binary.AppendUvarint(dst, uint64(e.Version))
	dst = appendBytes(dst, e.User)
	dst = appendBytes(dst, e.Tenant)
	dst = binary.AppendVarint(dst, int64(e.OccurredAt))
	dst = binary.AppendUvarint(dst, e.EntryCount)
	dst = binary.AppendVarint(dst, int64(e.EnteredAt))
	dst = binary.AppendUvarint(dst, uint64(e.Position.LSN))
	dst = binary.AppendUvarint(dst, uint64(e.Position.Index))
	dst = binary.AppendVarint(dst, int64(e.CommittedAt))
	return appendBytes(dst, e.Properties)
}

func decodeEvent(data []byte) (event.Event, error) {
	in := reader{rest: data}
	e := event.Event{Sequence: in.uvarint()}
	flags := in.byte()
	e.Type = event.Type(flags &^ (1 << 7))
	e.Trigger = flags&(1<<7) != 0
	e.Cause = event.Cause(in.byte())
	e.Environment = in.string()
	e.Audience = in.string()
	e.Version = uint32(in.uvarint())
	e.User = in.string()
	e.Tenant = in.string()
	e.OccurredAt = evaluator.Instant(in.varint())
	e.EntryCount = in.uvarint()
	e.EnteredAt = evaluator.Instant(in.varint())
	e.Position = event.Position{LSN: event.LSN(in.uvarint()), Index: uint32(in.uvarint())}
	e.CommittedAt = evaluator.Instant(in.varint())
	if p := in.bytes(); len(p) > 0 {
		e.Properties = append([]byte(nil), p...)
	}
	if len(in.rest) != 0 {
		in.fail()
	}
	return e, in.err
}
