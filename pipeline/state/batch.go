package state

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"muster/evaluator"
	"muster/pipeline/event"
)

// Batch collects writes that become visible, and durable, together or not at all.
type Batch struct {
	store  *Store
	batch  *pebble.Batch
	key    []byte
	value  []byte
	sorted *sorted

	earliest evaluator.Instant // timer it sets; NoInstant when none
}

// batchKept is how much memory of a batch is kept for the next one.
const batchKept = 4 << 20

// NewBatch returns an empty batch.
func (s *Store) NewBatch() *Batch {
	return &Batch{store: s, batch: s.db.NewBatch(pebble.WithMaxRetainedSizeBytes(batchKept)), sorted: s.spare.Get().(*sorted)}
}

// Apply makes the batch visible to every reader and starts writing it to disk. The caller must call Wait, also to
// release the batch. Batches reach the disk in the order of Apply.
func (b *Batch) Apply() error {
	if err := b.finish(); err != nil {
		return errors.Join(err, b.batch.Close())
	}
	if err := b.store.db.ApplyNoSyncWait(b.batch, pebble.Sync); err != nil {
		return errors.Join(fmt.Errorf("write state: %w", err), b.batch.Close())
	}
	b.store.earliest.note(b.earliest)
	return nil
}

// finish writes what was kept back to be put in order.
func (b *Batch) finish() error {
	err := b.sorted.write(b)
	b.earliest = b.sorted.earliest()
	b.release()
	return err
}

// release gives back what a batch borrowed. One that failed to be written is discarded after that.
func (b *Batch) release() {
	if b.sorted == nil {
		return
	}
	b.sorted.reset()
	b.store.spare.Put(b.sorted)
	b.sorted = nil
}

// Wait returns when the applied batch is on disk.
func (b *Batch) Wait() error {
	if err := b.batch.SyncWait(); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return b.batch.Close()
}

// Discard releases a batch that was not applied.
func (b *Batch) Discard() error {
	b.release()
	return b.batch.Close()
}

// Size is the number of bytes collected.
func (b *Batch) Size() int { return b.batch.Len() + b.sorted.size }

func (b *Batch) set(key, value []byte) error {
	if err := b.batch.Set(key, value, nil); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

func (b *Batch) delete(key []byte) error {
	if err := b.batch.Delete(key, nil); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

// SetHead writes where the state stands after this batch.
func (b *Batch) SetHead(h Head) error {
	b.value = h.append(b.value[:0])
	return b.set(namedKey(prefixMeta, metaHead), b.value)
}

// SetRecord writes the record of user as encoded by Record.Append; nil removes it.
func (b *Batch) SetRecord(user string, encoded []byte) error {
	b.key = userKey(b.key[:0], user)
	if encoded == nil {
		return b.delete(b.key)
	}
	return b.set(b.key, encoded)
}

// MoveTimer replaces the timer of user, at most once in a batch; NoInstant is none, on either side.
func (b *Batch) MoveTimer(user string, from, to evaluator.Instant) error {
	if from == to {
		return nil
	}
	if from != evaluator.NoInstant {
		b.sorted.timer(timerMove{from, user, false})
	}
	if to != evaluator.NoInstant {
		b.sorted.timer(timerMove{to, user, true})
	}
	return nil
}

// SetMember notes in the index of members whether user, with tenant, is in the audience.
func (b *Batch) SetMember(audience evaluator.AudienceID, user, tenant string, in bool) error {
	return b.setIndex(prefixMember, audience, user, tenant, in)
}

// SetRecorded notes in the index of static members whether user, with tenant, is recorded for the audience.
func (b *Batch) SetRecorded(audience evaluator.AudienceID, user, tenant string, recorded bool) error {
	return b.setIndex(prefixRecorded, audience, user, tenant, recorded)
}

func (b *Batch) setIndex(prefix byte, audience evaluator.AudienceID, user, tenant string, present bool) error {
	b.sorted.index(indexMove{prefix, present, audience, user, tenant, len(b.sorted.indexes)})
	return nil
}

// Publish puts an event into the outbox under its sequence and returns the bytes it takes there.
func (b *Batch) Publish(e *event.Event) (int, error) {
	b.key = outboxKey(b.key[:0], e.Sequence)
	b.value = appendEvent(b.value[:0], e)
	return len(b.key) + len(b.value), b.set(b.key, b.value)
}

// SetSize notes how many members an audience has.
func (b *Batch) SetSize(audience evaluator.AudienceID, members int64) error {
	b.key = numberedKey(b.key[:0], prefixSize, uint32(audience))
	b.value = binary.AppendVarint(b.value[:0], members)
	return b.set(b.key, b.value)
}
