package event

import (
	"strings"

	"muster/evaluator"
)

// SnapshotChunk is a part of the source as one snapshot saw it. A snapshot comes as chunks in this order: definitions,
// static members, users in ascending order of their ids. A snapshot that was resumed has users only.
type SnapshotChunk struct {
	// Consistent is the position the chunk is true at: it holds the effect of every transaction whose Commit is <=
	// Consistent and of no other. Streaming after the first chunk's Consistent therefore misses nothing. It is also what
	// may be acknowledged once the whole snapshot is durable. Chunks of one snapshot share it; those of a resumed snapshot
	// have a later one, and a change of one of their users at or before it is already in the chunk.
	Consistent LSN
	Time       evaluator.Instant // the source's clock, read under the snapshot

	Definitions []Definition // the latest version of each audience, archived ones included
	Members     []Member
	Schema      *evaluator.Schema // of Users; in every chunk, also those without
	Users       []SnapshotUser    // every user with an id greater than After and at most Through, in Order

	Order   KeyOrder
	After   string // id that Users begin behind; "" in the first chunk of users
	Through string // id that Users end with; the resume point when the chunk is durable

	Rows  int64 // users emitted so far by this call, this chunk's included
	Total int64 // estimate of all users of the table, for progress
	Last  bool  // nothing follows
}

// SnapshotUser is one row of the users table.
type SnapshotUser struct {
	ID  string
	Row evaluator.Tuple
}

// SnapshotResume says where an interrupted snapshot goes on. The zero value begins a new one.
type SnapshotResume struct {
	Started  bool   // definitions were emitted and are durable: the slot must still be the one of then
	Members  bool   // so were all static members
	AfterKey string // Through of the last durable chunk; "" when it held no users
}

// KeyOrder is the order in which a snapshot reads ids, chosen so that it can be computed from the ids alone: what lies
// between After and Through of a chunk is decided without asking the database.
type KeyOrder uint8

const (
	OrderBytes   KeyOrder = iota // by the bytes of the id's text
	OrderInteger                 // by value; ids are decimal integers
)

// Compare returns a negative number when a comes before b, 0 when they are equal, else a positive one.
func (o KeyOrder) Compare(a, b string) int {
	if o != OrderInteger {
		return strings.Compare(a, b)
	}
	negativeA, negativeB := strings.HasPrefix(a, "-"), strings.HasPrefix(b, "-")
	switch {
	case negativeA && negativeB:
		return compareMagnitude(b[1:], a[1:])
	case negativeA:
		return -1
	case negativeB:
		return 1
	}
	return compareMagnitude(a, b)
}

// compareMagnitude compares decimal digits without sign and leading zeros, as Postgres prints integers.
func compareMagnitude(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
