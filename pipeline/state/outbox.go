package state

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"muster/pipeline/event"
)

// Outbox appends to dst the events with sequences from first through last, in order, stopping early when they have
// taken maxBytes in the outbox; at least one is read when there is one.
func (v *View) Outbox(dst []event.Event, first, last uint64, maxBytes int) ([]event.Event, error) {
	size := 0
	err := v.walk(outboxKey(nil, first), outboxKey(nil, last+1), func(key, value []byte) (bool, error) {
		e, err := decodeEvent(value)
		if err != nil {
			return false, err
		}
		dst = append(dst, e)
		size += len(key) + len(value)
		return size < maxBytes, nil
	})
	return dst, err
}

// FirstInOutbox returns the sequence of the oldest event in the outbox, 0 when it is empty.
func (v *View) FirstInOutbox() (sequence uint64, err error) {
	err = v.walk([]byte{prefixOutbox}, []byte{prefixOutbox + 1}, func(_, value []byte) (bool, error) {
		e, err := decodeEvent(value)
		sequence = e.Sequence
		return false, err
	})
	return sequence, err
}

// OutboxSize counts the events in the outbox and the bytes they take. It reads all of them; the owner keeps count
// afterwards.
func (v *View) OutboxSize() (events uint64, bytes int64, err error) {
	err = v.walk([]byte{prefixOutbox}, []byte{prefixOutbox + 1}, func(key, value []byte) (bool, error) {
		events++
		bytes += int64(len(key) + len(value))
		return true, nil
	})
	return events, bytes, err
}

// Discard removes the events up to and including sequence, which every sink has taken, and returns how many there were
// and the bytes they took. It need not be durable: what comes back after a crash is discarded again.
func (s *Store) Discard(sequence uint64) (events, bytes int64, err error) {
	lower, upper := outboxKey(nil, s.discarded+1), outboxKey(nil, sequence+1)
	err = s.walk(lower, upper, func(key, value []byte) (bool, error) {
		events++
		bytes += int64(len(key) + len(value))
		return true, nil
	})
	if err != nil || events == 0 {
		return 0, 0, err
	}
	if err := s.db.DeleteRange(lower, upper, pebble.NoSync); err != nil {
		return 0, 0, fmt.Errorf("discard delivered events: %w", err)
	}
	s.discarded = sequence
	return events, bytes, nil
}
