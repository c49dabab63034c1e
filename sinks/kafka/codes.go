package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// verdict says what an error means for the request that met it.
type verdict uint8

const (
	done      verdict = iota
	unwritten         // certainly without effect; the same request may be sent again
	unknown           // may have taken effect, now or later
	stale             // without effect, and the session is no longer good
	tooLarge          // the batch is larger than the topic allows
	denied            // a permission is missing
	rejected          // will be refused every time
)

// verdicts of the codes that matter here. A code that is not listed is unknown: fencing again is right after any of them.
var verdicts = map[kafkago.Error]verdict{
	kafkago.DuplicateSequenceNumber: done, // the broker has this very batch

	kafkago.UnknownTopicOrPartition:      unwritten,
	kafkago.LeaderNotAvailable:           unwritten,
	kafkago.NotLeaderForPartition:        unwritten,
	kafkago.BrokerNotAvailable:           unwritten,
	kafkago.ReplicaNotAvailable:          unwritten,
	kafkago.NotEnoughReplicas:            unwritten,
	kafkago.GroupLoadInProgress:          unwritten, // 14, as the transaction coordinator says it too
	kafkago.GroupCoordinatorNotAvailable: unwritten, // 15
	kafkago.NotCoordinatorForGroup:       unwritten, // 16
	kafkago.NotController:                unwritten,
	kafkago.ConcurrentTransactions:       unwritten,
	kafkago.FencedLeaderEpoch:            unwritten,
	kafkago.UnknownLeaderEpoch:           unwritten,
	kafkago.OffsetNotAvailable:           unwritten,
	kafkago.ThrottlingQuotaExceeded:      unwritten,
	kafkago.InvalidMessage:               unwritten, // damaged on the way: the CRC did not match

	kafkago.OutOfOrderSequenceNumber:     stale,
	kafkago.InvalidProducerEpoch:         stale,
	kafkago.InvalidTransactionState:      stale,
	kafkago.InvalidProducerIDMapping:     stale,
	kafkago.TransactionCoordinatorFenced: stale,
	kafkago.UnknownProducerId:            stale,
	kafkago.ProducerFenced:               stale,

	kafkago.MessageSizeTooLarge: tooLarge,
	kafkago.RecordListTooLarge:  tooLarge,

	kafkago.TopicAuthorizationFailed:           denied,
	kafkago.GroupAuthorizationFailed:           denied,
	kafkago.ClusterAuthorizationFailed:         denied,
	kafkago.TransactionalIDAuthorizationFailed: denied,
	kafkago.SASLAuthenticationFailed:           denied,
	kafkago.UnsupportedSASLMechanism:           denied,
	kafkago.IllegalSASLState:                   denied,

	kafkago.InvalidTopic:                rejected,
	kafkago.InvalidTimestamp:            rejected,
	kafkago.UnsupportedVersion:          rejected,
	kafkago.InvalidPartitionNumber:      rejected,
	kafkago.InvalidReplicationFactor:    rejected,
	kafkago.InvalidReplicaAssignment:    rejected,
	kafkago.InvalidConfiguration:        rejected,
	kafkago.InvalidRequest:              rejected,
	kafkago.InvalidRequiredAcks:         rejected,
	kafkago.InvalidTransactionTimeout:   rejected,
	kafkago.UnsupportedForMessageFormat: rejected,
	kafkago.PolicyViolation:             rejected,
	kafkago.UnsupportedCompressionType:  rejected,
	kafkago.InvalidRecord:               rejected,
}

// judge classifies an error of a request.
func judge(err error) verdict {
	if err == nil {
		return done
	}
	if code := codeOf(err); code != 0 {
		if v, listed := verdicts[code]; listed {
			return v
		}
		return unknown
	}
	if unsent(err) {
		return unwritten
	}
	return unknown
}

// codeOf returns the broker's error code in err, or 0.
func codeOf(err error) kafkago.Error {
	var code kafkago.Error
	if errors.As(err, &code) {
		return code
	}
	return 0
}

// unsent reports errors of kafka-go from before a request left: no route in its view of the cluster, or no connection.
func unsent(err error) bool {
	for _, route := range []error{protocol.ErrNoTopic, protocol.ErrNoPartition, protocol.ErrNoLeader} {
		if errors.Is(err, route) {
			return true
		}
	}
	var dial *net.OpError
	return errors.As(err, &dial) && dial.Op == "dial"
}

// terminal turns err into the typed error it means, when trying again would not help, else returns nil.
func (p *Producer) terminal(doing string, err error) error {
	if isTerminal(err) {
		return err
	}
	switch judge(err) {
	case denied:
		return &DeniedError{Doing: doing, Resource: p.resource(codeOf(err)), Err: err}
	case rejected:
		return &RejectedError{Doing: doing, Err: err}
	}
	return nil
}

// isTerminal reports whether err is one of this package's terminal errors already.
func isTerminal(err error) bool {
	var repairable interface{ Repair() string }
	return errors.As(err, &repairable)
}

// resource names what a denial is about in the words of kafka-acls.sh.
func (p *Producer) resource(code kafkago.Error) string {
	switch code {
	case kafkago.TopicAuthorizationFailed:
		return fmt.Sprintf("--operation Read --operation Write --operation Describe --topic %s", p.o.Topic)
	case kafkago.TransactionalIDAuthorizationFailed:
		return fmt.Sprintf("--operation Write --operation Describe --transactional-id %s (or set kafka.transactional_id: off, "+
			"which gives up exactly-once)", p.o.TransactionalID)
	case kafkago.ClusterAuthorizationFailed:
		return "--operation Create --operation IdempotentWrite --cluster"
	}
	return ""
}

// kindOf names an error for a metric: a code's title, or how the request failed.
func kindOf(err error) string {
	var timeout net.Error
	switch code := codeOf(err); {
	case err == nil:
		return ""
	case code != 0 && code.Title() != "":
		return strings.ReplaceAll(strings.ToLower(code.Title()), " ", "_")
	case code != 0:
		return "code_" + strconv.Itoa(int(code))
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &timeout):
		return "connection"
	case isTerminal(err):
		return "terminal"
	}
	return "other"
}
