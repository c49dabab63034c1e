package pipeline

import (
	"context"

	"muster/evaluator"
	"muster/pipeline/event"
)

// Source is the log of one database.
type Source interface {
	// Stream sends every transaction whose commit LSN lies after the given one, in commit order, until ctx ends or
	// the source is beyond repair. It reconnects by itself. Each send is what could be read without waiting.
	Stream(ctx context.Context, after event.LSN, out chan<- []event.Transaction) error
	// Acknowledge says that everything up to this end of a commit record is durable here.
	Acknowledge(end event.LSN)
	// Tick makes the source commit an empty transaction if its clock has passed due, and returns its clock.
	Tick(ctx context.Context, due evaluator.Instant) (evaluator.Instant, error)
}

// Snapshotter reads the source's tables as of one consistent point, from which a Stream can go on.
type Snapshotter interface {
	Snapshot(ctx context.Context, resume event.SnapshotResume, emit func(context.Context, event.SnapshotChunk) error) error
}

// Follower is a Source that tells when rows of the users table changed without a word in the log.
type Follower interface {
	// Follow says, before Stream, in which schema the rows are known here, and as of which commit. Schemas of changes after
	// that have another count of Rewrites if rows of that schema cannot be turned into theirs. Up to that commit their rows
	// are known here already, and their schemas mean nothing.
	Follow(schema *evaluator.Schema, asOf event.LSN)
}

// Sink is somewhere events go. Deliver is called with ascending sequences by one goroutine.
type Sink interface {
	Name() string
	// Recover makes the sink ready, however long that takes: it connects, creates what it needs and finds out what it
	// already holds. It returns early only when ctx ends or nothing but an operator can help.
	Recover(ctx context.Context) error
	// Deliver returns nil when the sink holds every one of the events once. It retries what may pass by itself.
	Deliver(ctx context.Context, events []event.Event) error
}

// Judge decides who is in which dynamic audience. It is used by one goroutine at a time.
type Judge interface {
	Diff(before, after *evaluator.Input, out *evaluator.Diff)
	Match(in *evaluator.Input, out *evaluator.Match)
}

// Compiler turns a set of audiences into a factory of judges, one for each worker of the pool. It is called by one
// goroutine and may build on what it compiled before.
type Compiler interface {
	Compile(audiences []evaluator.Audience, schema *evaluator.Schema) (func() Judge, error)
}

// Observer hears what the pipeline did. Its methods are called on the hot path and must not block.
type Observer interface {
	Committed(*Commit)
	Delivered(*Delivery)
	Failed(*Failure)
}
