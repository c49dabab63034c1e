package kafka

import (
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
)

// Every terminal error of this package is one of the types below. Each says what happened and what to do about it, the
// latter also by itself as Repair. All other errors of Recover and Deliver come from the context or from Options.Record.

// TopicChangedError is returned when the topic is not the one that events were published to before.
type TopicChangedError struct {
	Topic, Recorded, Found string // Recorded and Found are topic ids
}

func (e *TopicChangedError) Error() string {
	return fmt.Sprintf("kafka: topic %q was deleted and created anew: its id is %s, events so far went to %s; %s",
		e.Topic, e.Found, e.Recorded, e.Repair())
}

// Repair is what to do.
func (e *TopicChangedError) Repair() string {
	return fmt.Sprintf("restore the old topic, or let the worker go on in the new one, which holds none of the events "+
		"published so far, with kafka.accept_topic: %s", e.Found)
}

// TopicShrunkError is returned when the topic has fewer partitions than before.
type TopicShrunkError struct {
	Topic           string
	Recorded, Found int
}

func (e *TopicShrunkError) Error() string {
	return fmt.Sprintf("kafka: topic %q has %d partitions and had %d; %s", e.Topic, e.Found, e.Recorded, e.Repair())
}

// Repair is what to do.
func (e *TopicShrunkError) Repair() string {
	return fmt.Sprintf("Kafka never takes partitions away, so this is another topic: check kafka.brokers and kafka.topic, "+
		"or give it %d partitions: kafka-topics.sh --alter --topic %s --partitions %d", e.Recorded, e.Topic, e.Recorded)
}

// TopicMissingError is returned when the topic stays absent and may not be created.
type TopicMissingError struct {
	Topic    string
	Known    bool   // events went to it before
	Recorded string // its id then, "" when the brokers had none
}

func (e *TopicMissingError) Error() string {
	if e.Known {
		return fmt.Sprintf("kafka: topic %q is gone, events so far went to it (id %q); %s", e.Topic, e.Recorded, e.Repair())
	}
	return fmt.Sprintf("kafka: there is no topic %q; %s", e.Topic, e.Repair())
}

// Repair is what to do.
func (e *TopicMissingError) Repair() string {
	create := fmt.Sprintf("create it: kafka-topics.sh --create --topic %s", e.Topic)
	if e.Known {
		return create + ", and start the worker with kafka.accept_topic set to its id, which the next error names"
	}
	return create + ", or set kafka.create_topic: true"
}

// RecordTooLargeError is returned when the broker refuses a single event for its size. It is never skipped.
type RecordTooLargeError struct {
	Topic, ID, Audience, User string
	Sequence                  uint64
	Bytes                     int // of the batch that holds it alone, compressed
	Limit                     int // the topic's max.message.bytes, 0 when it is not known
}

func (e *RecordTooLargeError) Error() string {
	limit := "the limit"
	if e.Limit > 0 {
		limit = fmt.Sprintf("the limit of %d", e.Limit)
	}
	return fmt.Sprintf("kafka: event %d (id %s, audience %q, user %q) takes %d bytes, beyond %s of topic %q; %s",
		e.Sequence, e.ID, e.Audience, e.User, e.Bytes, limit, e.Topic, e.Repair())
}

// Repair is what to do.
func (e *RecordTooLargeError) Repair() string {
	return fmt.Sprintf("raise it: kafka-configs.sh --alter --entity-type topics --entity-name %s --add-config "+
		"max.message.bytes=%d, and leave large properties out of the \"include\" of audience %q",
		e.Topic, roomFor(e.Bytes), e.Audience)
}

func roomFor(bytes int) int {
	room := 1 << 20
	for room < bytes+bytes/4 {
		room *= 2
	}
	return room
}

// DeniedError is returned when the broker refuses an operation for want of a permission, or the login itself.
type DeniedError struct {
	Doing    string // what was being done
	Resource string // as kafka-acls.sh names it, "" for the login
	Err      error
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("kafka: %s: %v; %s", e.Doing, e.Err, e.Repair())
}

func (e *DeniedError) Unwrap() error { return e.Err }

// Repair is what to do.
func (e *DeniedError) Repair() string {
	if e.Resource == "" {
		return "check kafka.sasl and kafka.tls"
	}
	return "grant it: kafka-acls.sh --add --allow-principal User:<the worker's> " + e.Resource
}

// FencedError is returned when a newer worker has taken over the transactional id.
type FencedError struct {
	TransactionalID string
	Err             error
}

func (e *FencedError) Error() string {
	return fmt.Sprintf("kafka: another worker has taken over transactional id %q (%v); %s", e.TransactionalID, e.Err, e.Repair())
}

func (e *FencedError) Unwrap() error { return e.Err }

// Repair is what to do.
func (e *FencedError) Repair() string {
	return "run one worker for an environment: stop this one, or stop the other and start this one again; workers of " +
		"different environments or shards need different kafka.transactional_id"
}

// LogTruncatedError is returned when a partition's log ends before a record that was acknowledged.
type LogTruncatedError struct {
	Topic            string
	Partition        int
	End, Expected    int64  // log end offset as found, and the least it must be
	Last, LastBefore uint64 // last sequence in the log as found, and the last acknowledged
}

func (e *LogTruncatedError) Error() string {
	return fmt.Sprintf("kafka: topic %q partition %d lost acknowledged records: its log ends at offset %d, before %d; the last "+
		"event in it is %d and was %d; %s", e.Topic, e.Partition, e.End, e.Expected, e.Last, e.LastBefore, e.Repair())
}

// Repair is what to do.
func (e *LogTruncatedError) Repair() string {
	return fmt.Sprintf("find out why the broker lost data (unclean.leader.election.enable, min.insync.replicas, a disk); the "+
		"events after %d up to %d of that partition are in ClickHouse; start the worker again to go on without them",
		e.Last, e.LastBefore)
}

// HistoryError is returned when the topic holds, under a sequence, another event than the worker has.
type HistoryError struct {
	Topic         string
	Partition     int
	Sequence      uint64
	Found, Wanted string // ids
}

func (e *HistoryError) Error() string {
	return fmt.Sprintf("kafka: topic %q partition %d holds event %s as sequence %d, the worker's state holds %s: state and topic "+
		"come from different histories; %s", e.Topic, e.Partition, e.Found, e.Sequence, e.Wanted, e.Repair())
}

// Repair is what to do.
func (e *HistoryError) Repair() string {
	return "give the worker the state directory that this topic belongs to, or run muster rebuild, which goes on behind " +
		"the topic's last sequence; two environments must not share a name"
}

// RejectedError is returned when the broker refuses a request for a reason that trying again does not change.
type RejectedError struct {
	Doing string
	Err   error
}

func (e *RejectedError) Error() string {
	return fmt.Sprintf("kafka: %s: %v; %s", e.Doing, e.Err, e.Repair())
}

func (e *RejectedError) Unwrap() error { return e.Err }

// Repair is what to do.
func (e *RejectedError) Repair() string {
	switch codeOf(e.Err) {
	case kafkago.InvalidTimestamp:
		return "set this machine's clock: the broker refuses records dated too far from its own"
	case kafkago.UnsupportedCompressionType:
		return "choose another kafka.compression"
	case kafkago.UnsupportedVersion, kafkago.UnsupportedForMessageFormat:
		return "Muster needs Kafka 0.11 or later and topics in its message format, message.format.version 2"
	case kafkago.PolicyViolation:
		return "the cluster's policy forbids it: create the topic as the policy wants it, or have the policy changed"
	case kafkago.InvalidTopic:
		return "choose another kafka.topic: letters, digits, '.', '_' and '-', at most 249"
	case kafkago.InvalidReplicationFactor:
		return "set kafka.replication to no more than the number of brokers"
	case kafkago.InvalidPartitionNumber:
		return "set kafka.partitions to 1 or more"
	case kafkago.InvalidTransactionTimeout:
		return "raise transaction.max.timeout.ms of the brokers to a minute or more"
	}
	return "the broker's log says why"
}
