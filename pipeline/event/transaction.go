package event

import "muster/evaluator"

// Op is what a Change does.
type Op uint8

const (
	Upsert          Op = iota // a user was inserted or updated: User, Schema, Row; OldUser when the key changed
	Delete                    // a user was deleted: User
	Truncate                  // the users table was emptied
	MemberAdd                 // a static member was recorded: Member
	MemberRemove              // a static member was removed: Member
	MembersTruncate           // the table of static members was emptied
	Define                    // a version of an audience was committed or the audience archived: Definition
	Token                     // a transactional message of ours that a waiting reader looks for: Token
)

// Transaction is one committed transaction, or a part of a large one.
type Transaction struct {
	Commit  LSN               // of the commit record: its Position
	End     LSN               // of the end of the commit record: what may be acknowledged when it is durable
	Time    evaluator.Instant // commit time by the source's clock; not monotonic in log order
	Changes []Change          // in the order they were made; empty for ticks and heartbeats
	More    bool              // further parts of the same transaction follow
	Bytes   int               // of the log, as received
}

// Change is one row change in a transaction.
type Change struct {
	Op         Op
	User       string            // the user's id, as text
	OldUser    string            // the id before, when an update changed it, else ""
	Schema     *evaluator.Schema // of Row; the same pointer until the table's shape changes
	Row        evaluator.Tuple   // may hold unchanged markers; owned by the receiver
	Member     *Member
	Definition *Definition
	Token      string
}

// Member is one static membership as recorded, whether its user exists or not.
type Member struct {
	Audience string
	User     string
	Tenant   string // "" is none
	AddedAt  evaluator.Instant
}

// Definition is one committed version of an audience in the worker's environment.
type Definition struct {
	Audience string
	Version  uint32 // from 1
	SHA      string // of the canonical definition
	Document []byte // JSON
	Archived bool   // the audience ends with this version; Document is that of the version before
}
