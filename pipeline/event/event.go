package event

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"muster/evaluator"
)

// Type of a membership event.
type Type uint8

const (
	Entered Type = iota + 1
	Exited
)

// String is the type's published name.
func (t Type) String() string {
	if t == Entered {
		return "audience.entered"
	}
	return "audience.exited"
}

// Cause says what made a membership change.
type Cause uint8

const (
	CauseChange     Cause = iota + 1 // the user's row changed
	CauseTimer                       // time alone
	CauseStatic                      // a static member was added or removed
	CauseReference                   // an audience it refers to changed
	CauseDefinition                  // a new version of a definition, an archive, or a new shape of the users table
	CauseSnapshot                    // the first snapshot
	CauseRebuild                     // muster rebuild
	CauseDelete                      // the user is gone
	CauseIdentified                  // a recorded static member's user appeared
)

var causes = [...]string{"", "change", "timer", "static", "reference", "definition", "snapshot", "rebuild", "delete", "identified"}

// String is the cause's published name.
func (c Cause) String() string { return causes[c] }

// Event is one entry to or exit from an audience. Sequence and ID survive restarts and rebuilds.
type Event struct {
	Sequence    uint64 // the worker's own counter, from 1, without gaps within an environment
	Type        Type
	Environment string
	Audience    string
	Version     uint32 // of the definition that judged it
	User        string
	Tenant      string // "" is none
	OccurredAt  evaluator.Instant
	Cause       Cause
	Trigger     bool              // should start work
	EntryCount  uint64            // which entry of this (audience, user, tenant) it is, from 1; an exit repeats its entry's
	EnteredAt   evaluator.Instant // of the entry; an exit repeats it
	Position    Position
	CommittedAt evaluator.Instant // commit time of the transaction at Position, for latency; not published
	Properties  []byte            // the properties the definition includes, a JSON object; nil when there are none
}

// ID is derived from what the event is about and not from when or where it was made, so it is the same after a crash, a
// replay or a rebuild: the first 16 bytes of SHA-256 over the length-prefixed environment, audience, user, tenant and
// type, and the entry count, in the form of a UUID of version 8 (RFC 9562).
func (e *Event) ID() string {
	var buf [256]byte
	b := buf[:0]
	for _, s := range [...]string{e.Environment, e.Audience, e.User, e.Tenant, e.Type.String()} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = binary.BigEndian.AppendUint64(b, e.EntryCount)
	sum := sha256.Sum256(b)
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	var id [36]byte
	hex.Encode(id[0:8], sum[0:4])
	hex.Encode(id[9:13], sum[4:6])
	hex.Encode(id[14:18], sum[6:8])
	hex.Encode(id[19:23], sum[8:10])
	hex.Encode(id[24:36], sum[10:16])
	id[8], id[13], id[18], id[23] = '-', '-', '-', '-'
	return string(id[:])
}
