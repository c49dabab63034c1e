// Package kafka publishes membership events to one Kafka topic, each exactly once in the log, also for consumers that
// read uncommitted, also across crashes, ambiguous errors and two workers started by mistake.
//
// # Guarantees
//
//   - Deliver returns nil only when every event is acknowledged by all in-sync replicas.
//   - A user's events are in one partition (murmur2 of the user id, as Java's default partitioner does) and in the order
//     of their sequence.
//   - An event is written once. What is already in the log is found by reading the tail of each partition and skipped.
//   - A worker that was replaced by a newer one with the same transactional id cannot write any more.
//   - Nothing is skipped silently: a record that the broker refuses stops the sink with an error that names the event.
//
// The limits: without a transactional id (Off), or when the last events of a partition have fallen to retention, delivery
// is at least once, with stable ids.
//
// # How
//
// kafka-go has no idempotent producer, so this package encodes the batches itself and stamps them with a producer id,
// an epoch and sequence numbers, over kafka-go's raw produce request, one request in flight for each partition. The broker
// orders and deduplicates those. What no producer can know by itself is whether a request that got no answer was
// written, or will be: it may still be on its way. So after every start and every such error:
//
//	         +--------------------------------------------------------------------------------+
//	         |                                                                                |
//	         v                                                                                |
//	topic: metadata, create, compare with what was recorded                                   |
//	         |                                                                                |
//	fence:   InitProducerID        same producer id, epoch + 1                                |
//	         |                                                                                |
//	         an empty transaction  its marker carries the epoch into every partition:         |
//	         |                     from there on the log refuses all older epochs             |
//	         |                                                                                |
//	tails:   wait for the marker, then read backwards to the last muster_sequence             |
//	         |                                                                                |
//	produce: plain idempotent batches of the events behind it ---- no answer, 45, 47, 59 -----+
//	         |
//	         acknowledged
//
// The marker is what makes the tail final. While it is not below the high watermark a delayed request of an older epoch
// can still be appended before it; once it is, none can. See DESIGN.md for what was considered and rejected.
//
// The first fence of a process takes the transactional id over from whoever holds it (producer id and epoch -1 in the
// request). Each later one says which producer id and epoch it continues, and the coordinator refuses it when somebody
// has taken over since: that is FencedError, and how a zombie learns that it is one.
//
// # Topic
//
// The topic's id and partition count belong to the worker's state (TopicState). When the topic grows, the events that may
// have been written under the old count are finished under it, the new count is recorded together with the sequence from
// which it applies, and only then used, so that a user's events never overtake each other. A topic that shrank, vanished or
// was created anew stops the sink.
//
// # Callers
//
// Recover takes the topic over from whichever worker has it, so it must not be called before this worker holds what makes
// it the one that should: Postgres's replication slot.
//
// Recover, Deliver and Check are called by one goroutine at a time; the other methods may be called from any. Close comes
// after the last call has returned, or with its context cancelled. The package starts no goroutine
// that outlives a call, apart from those of kafka-go's connections, which end with Close.
package kafka
