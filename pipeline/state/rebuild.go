package state

import (
	"fmt"

	"muster/evaluator"
)

// Member reports whether the record has a membership that has not ended.
func (r *Record) Member() bool {
	for i := range r.Memberships {
		if r.Memberships[i].In {
			return true
		}
	}
	return false
}

// Strip takes from the record what the source's tables say and leaves what was published: the memberships there are and
// were, and those that wait to settle. The definitions of a generation are to judge it next.
func (r *Record) Strip(generation uint64) {
	*r = Record{Flip: evaluator.NoInstant, Generation: generation, Memberships: r.Memberships, Recorded: r.Recorded[:0], Waits: r.Waits}
}

// ClearDerived removes, as part of the batch, everything that a rebuild makes anew: timers, shapes of the table,
// generations, staged changes and the indexes. Records, audiences, the outbox and the cursors stay.
func (b *Batch) ClearDerived() error {
	for _, prefix := range []byte{prefixTimer, prefixSchema, prefixEpoch, prefixStaged, prefixRecorded, prefixMember, prefixSize} {
		if err := b.clear(prefix); err != nil {
			return err
		}
	}
	return nil
}

// ClearOutbox removes, as part of the batch, every event that has not been discarded yet.
func (b *Batch) ClearOutbox() error { return b.clear(prefixOutbox) }

func (b *Batch) clear(prefix byte) error {
	if err := b.batch.DeleteRange([]byte{prefix}, []byte{prefix + 1}, nil); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}
