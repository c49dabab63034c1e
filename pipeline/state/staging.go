package state

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"muster/evaluator"
	"muster/pipeline/event"
)

// StagedChange is one change of a large transaction, set aside until the whole transaction is here.
type StagedChange struct {
	Ordinal  uint32
	Op       event.Op // Upsert, Delete, MemberAdd, MemberRemove
	Schema   uint32   // of Tuple
	Tuple    evaluator.Tuple
	Audience evaluator.AudienceID
	Tenant   string
	AddedAt  evaluator.Instant
}

// Stage sets a change of user aside. Changes of one user come back in the order of their ordinals.
func (b *Batch) Stage(user string, c StagedChange) error {
	b.key = stagedKey(b.key[:0], user, c.Ordinal)
	v := append(b.value[:0], byte(c.Op))
	switch c.Op {
	case event.Upsert:
		v = binary.AppendUvarint(v, uint64(c.Schema))
		v = appendBytes(v, []byte(c.Tuple))
	case event.MemberAdd, event.MemberRemove:
		v = binary.AppendUvarint(v, uint64(c.Audience))
		v = appendBytes(v, c.Tenant)
		v = binary.AppendVarint(v, int64(c.AddedAt))
	}
	b.value = v
	return b.set(b.key, v)
}

// Staged calls visit with every staged change of the users after the given one, by user and ordinal, until it returns
// false. The change's tuple is a copy.
func (v *View) Staged(afterUser string, visit func(user string, c StagedChange) (bool, error)) error {
	lower := []byte{prefixStaged}
	if afterUser != "" {
		lower = append(append(lower, afterUser...), 1) // ids are followed by a zero byte
	}
	return v.walk(lower, []byte{prefixStaged + 1}, func(key, value []byte) (bool, error) {
		if len(key) < 6 {
			return false, ErrCorrupt
		}
		user := string(key[1 : len(key)-5])
		c, err := decodeStaged(value)
		if err != nil {
			return false, err
		}
		c.Ordinal = binary.BigEndian.Uint32(key[len(key)-4:])
		return visit(user, c)
	})
}

// StagedOf calls visit with every staged change of one user, by ordinal.
func (v *View) StagedOf(user string, visit func(c StagedChange) error) error {
	lower := append(append([]byte{prefixStaged}, user...), 0)
	upper := append(append([]byte{prefixStaged}, user...), 1)
	return v.walk(lower, upper, func(key, value []byte) (bool, error) {
		if len(key) != len(lower)+4 { // another user, whose id goes on with a zero byte
			return true, nil
		}
		c, err := decodeStaged(value)
		if err != nil {
			return false, err
		}
		c.Ordinal = binary.BigEndian.Uint32(key[len(key)-4:])
		return true, visit(c)
	})
}

// ClearStaged empties the staging area as part of the batch.
func (b *Batch) ClearStaged() error {
	if err := b.batch.DeleteRange([]byte{prefixStaged}, []byte{prefixStaged + 1}, nil); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return nil
}

// CommitStaged writes a batch of staged changes. Nothing refers to them yet, so it need not wait for the disk: the
// batch that begins to apply them does.
func (b *Batch) CommitStaged() error {
	if err := b.finish(); err != nil {
		return errors.Join(err, b.batch.Close())
	}
	if err := b.store.db.Apply(b.batch, pebble.NoSync); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	return b.batch.Close()
}

func decodeStaged(value []byte) (StagedChange, error) {
	in := reader{rest: value}
	c := StagedChange{Op: event.Op(in.byte())}
	switch c.Op {
	case event.Upsert:
		c.Schema = uint32(in.uvarint())
		c.Tuple = append(evaluator.Tuple(nil), in.bytes()...)
	case event.MemberAdd, event.MemberRemove:
		c.Audience = evaluator.AudienceID(in.uvarint())
		c.Tenant = in.string()
		c.AddedAt = evaluator.Instant(in.varint())
	}
	return c, in.err
}

func stagedKey(dst []byte, user string, ordinal uint32) []byte {
	dst = append(append(dst, prefixStaged), user...)
	dst = append(dst, 0)
	return binary.BigEndian.AppendUint32(dst, ordinal)
}
