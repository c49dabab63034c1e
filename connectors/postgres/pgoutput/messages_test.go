package pgoutput

import (
	"context"
	"encoding/binary"
	"fmt"

	"muster/evaluator"
	"muster/pipeline/event"
)

// The messages of the protocol, written by hand, so that a test can say what a server would.

var config = Config{UsersSchema: "public", UsersTable: "users", ID: "id", Properties: "properties", ControlSchema: "muster", Environment: "test"}

const usersOID, membersOID, otherOID = 1001, 1002, 1003

func text(b []byte, s string) []byte { return append(append(b, s...), 0) }

func begin(commit event.LSN, at evaluator.Instant) []byte {
	b := binary.BigEndian.AppendUint64([]byte{'B'}, uint64(commit))
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	return binary.BigEndian.AppendUint32(b, 7)
}

func commit(at, end event.LSN) []byte {
	b := binary.BigEndian.AppendUint64([]byte{'C', 0}, uint64(at))
	b = binary.BigEndian.AppendUint64(b, uint64(end))
	return binary.BigEndian.AppendUint64(b, 0)
}

func relationMessage(oid uint32, namespace, name string, identity byte, columns ...string) []byte {
	b := binary.BigEndian.AppendUint32([]byte{'R'}, oid)
	b = append(text(text(b, namespace), name), identity)
	b = binary.BigEndian.AppendUint16(b, uint16(len(columns)))
	for i, name := range columns {
		key := byte(0)
		if i == 0 {
			key = 1
		}
		b = text(append(b, key), name)
		b = binary.BigEndian.AppendUint32(b, 25)
		b = binary.BigEndian.AppendUint32(b, 0xffffffff)
	}
	return b
}

func usersRelation() []byte { return relationMessage(usersOID, "public", "users", 'd', "id", "plan") }

// values writes a tuple: nil is NULL.
func values(b []byte, fields ...any) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(len(fields)))
	for _, field := range fields {
		switch f := field.(type) {
		case nil:
			b = append(b, 'n')
		case string:
			b = binary.BigEndian.AppendUint32(append(b, 't'), uint32(len(f)))
			b = append(b, f...)
		default:
			b = append(b, 'u')
		}
	}
	return b
}

func insert(oid uint32, fields ...any) []byte {
	return values(append(binary.BigEndian.AppendUint32([]byte{'I'}, oid), 'N'), fields...)
}

func deletion(oid uint32, fields ...any) []byte {
	return values(append(binary.BigEndian.AppendUint32([]byte{'D'}, oid), 'K'), fields...)
}

func truncation(oids ...uint32) []byte {
	b := binary.BigEndian.AppendUint32([]byte{'T'}, uint32(len(oids)))
	b = append(b, 0)
	for _, oid := range oids {
		b = binary.BigEndian.AppendUint32(b, oid)
	}
	return b
}

func logical(prefix, content string) []byte {
	b := binary.BigEndian.AppendUint64([]byte{'M', 1}, 0)
	b = binary.BigEndian.AppendUint32(text(b, prefix), uint32(len(content)))
	return append(b, content...)
}

// noCatalog answers no question.
type noCatalog struct{}

func (noCatalog) Types(context.Context, []uint32) ([]Type, error) { return nil, nil }
func (noCatalog) Table(context.Context, uint32) (Shape, error)    { return Shape{}, nil }

func decodeAll(d *Decoder, messages ...[]byte) error {
	for i, message := range messages {
		if err := d.Decode(context.Background(), message); err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
	}
	return nil
}
