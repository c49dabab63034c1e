package pipeline

import (
	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// subject is one user while a batch is worked: what the transactions of the batch did to it, and what came of that.
// A subject is worked by one goroutine, from its record to its outcome.
type subject struct {
	user    string
	touches []touch // in log order

	record state.Record
	stored []byte // the record as stored, which record.Tuple may point into; nil when there was none
	flip   evaluator.Instant

	encoded  []byte // the record to store; nil removes it
	events   []pending
	recorded []recording
}

// touch is one change of a subject's user.
type touch struct {
	transaction int    // index in the batch
	ordinal     uint32 // of the change in its transaction
	change      *event.Change
	op          event.Op // Upsert, Delete, MemberAdd or MemberRemove: a changed key is a Delete and an Upsert
	audience    evaluator.AudienceID
}

// recording is a static member that came to be recorded, or no longer is.
type recording struct {
	audience evaluator.AudienceID
	tenant   string
	present  bool
}

// pending is an event that waits for its place among those of the other subjects.
type pending struct {
	event    event.Event
	audience evaluator.AudienceID
	order    order
}

// order is the place of an event in a batch. The outbox's order must not depend on how the log was cut into batches or
// on which worker was faster: it follows the log alone.
type order struct {
	rank    int               // 0: owed from before the batch; k+1: with the batch's transaction k
	instant evaluator.Instant // of a timer or a generation, which come before the changes of the transaction; else Infinity
	ordinal uint32            // of the change in its transaction
}

func (o order) compare(p order) int {
	switch {
	case o.rank != p.rank:
		return o.rank - p.rank
	case o.instant != p.instant:
		if o.instant < p.instant {
			return -1
		}
		return 1
	case o.ordinal != p.ordinal:
		return int(o.ordinal) - int(p.ordinal)
	}
	return 0
}
