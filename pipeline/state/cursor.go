package state

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// Cursor is how far a sink has come through the outbox.
type Cursor struct {
	Delivered uint64 // every event up to this sequence is in the sink
	Begun     uint64 // the last event of the batch that was being delivered; a restart resends just that batch
}

// Cursor returns the cursor of a sink; the zero Cursor when it has none.
func (v *View) Cursor(sink string) (Cursor, error) {
	data, err := v.get(namedKey(prefixCursor, sink))
	if err != nil || data == nil {
		return Cursor{}, err
	}
	in := reader{rest: data}
	c := Cursor{Delivered: in.uvarint(), Begun: in.uvarint()}
	if in.err != nil {
		return Cursor{}, fmt.Errorf("read cursor of %s: %w", sink, in.err)
	}
	return c, nil
}

// SetCursor writes the cursor of a sink. A cursor that is lost in a crash costs a repeated delivery, which sinks
// recognise; durable is for what must be known again afterwards.
func (s *Store) SetCursor(sink string, c Cursor, durable bool) error {
	opts := pebble.NoSync
	if durable {
		opts = pebble.Sync
	}
	if err := s.db.Set(namedKey(prefixCursor, sink), c.append(nil), opts); err != nil {
		return fmt.Errorf("write cursor of %s: %w", sink, err)
	}
	return nil
}

// SetCursor writes the cursor of a sink as part of the batch.
func (b *Batch) SetCursor(sink string, c Cursor) error {
	b.value = c.append(b.value[:0])
	return b.set(namedKey(prefixCursor, sink), b.value)
}

func (c Cursor) append(dst []byte) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(dst, c.Delivered), c.Begun)
}

// Memo returns what was last kept under a name with SetMemo; nil when nothing was.
func (v *View) Memo(name string) ([]byte, error) { return v.get(namedKey(prefixMeta, "memo/"+name)) }

// SetMemo durably keeps a few bytes for a part of the worker that has to remember something of its own.
func (s *Store) SetMemo(name string, value []byte) error {
	return s.setSync(namedKey(prefixMeta, "memo/"+name), value)
}
