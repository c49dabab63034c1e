package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// session is the identity that batches are stamped with. The zero session is none.
type session struct {
	open  bool
	id    int64 // producer id; -1 for a broker that gives none out
	epoch int16
}

const (
	transactionTimeout = time.Minute // of the empty transaction; the broker aborts one that a crash left open
	coordinatorTries   = 200         // with coordinatorPause between, then the whole procedure starts over
	coordinatorPause   = 20 * time.Millisecond

	// doubtTime is how long a request without an answer may still be on its way to the coordinator.
	doubtTime = 2 * time.Minute
)

// begin opens the next session: of the transactional id, one epoch on, or an anonymous one.
func (p *Producer) begin(ctx context.Context) (session, error) {
	if !p.o.transactional() {
		return p.beginAnonymous(ctx)
	}
	// The first time -1 takes the id over from whoever holds it. After that we name what we hold, so that the coordinator
	// refuses us once somebody else took over, and a zombie cannot come back.
	held := session{id: -1, epoch: -1}
	if p.session.open {
		held = p.session
	}
	var next session
	err := p.coordinate(ctx, func(ctx context.Context) error {
		answer, err := p.cluster.client.InitProducerID(ctx, &kafkago.InitProducerIDRequest{
			TransactionalID:      p.o.TransactionalID,
			TransactionTimeoutMs: int(transactionTimeout.Milliseconds()),
			ProducerID:           int(held.id),
			ProducerEpoch:        int(held.epoch),
		})
		if err != nil {
			return err
		}
		next = session{open: true, id: int64(answer.Producer.ProducerID), epoch: int16(answer.Producer.ProducerEpoch)}
		return answer.Error
	})
	switch code := codeOf(err); {
	case err == nil:
		return next, nil
	case held.id < 0:
		if code == 0 {
			p.doubt = time.Now()
		}
	case code == kafkago.ProducerFenced || code == kafkago.InvalidProducerEpoch:
		// Unless it was we ourselves: a takeover of ours that got no answer and reached the coordinator after the one that
		// did. With what we hold named a repeated request is recognised; a takeover is not.
		if time.Since(p.doubt) > doubtTime {
			return session{}, &FencedError{TransactionalID: p.o.TransactionalID, Err: err}
		}
		p.session, p.doubt = session{}, time.Time{}
	case code == kafkago.InvalidProducerIDMapping:
		p.session = session{} // the coordinator has forgotten the id we hold and gives out a new one
	}
	return session{}, fmt.Errorf("take transactional id %q: %w", p.o.TransactionalID, err)
}

// mark carries the epoch of s into every partition by an empty transaction.
func (p *Producer) mark(ctx context.Context, s session, partitions int) error {
	add := make([]kafkago.AddPartitionToTxn, partitions)
	for i := range add {
		add[i].Partition = i
	}
	err := p.coordinate(ctx, func(ctx context.Context) error {
		answer, err := p.cluster.client.AddPartitionsToTxn(ctx, &kafkago.AddPartitionsToTxnRequest{
			TransactionalID: p.o.TransactionalID,
			ProducerID:      int(s.id),
			ProducerEpoch:   int(s.epoch),
			Topics:          map[string][]kafkago.AddPartitionToTxn{p.o.Topic: add},
		})
		if err != nil {
			return err
		}
		return additionFault(answer.Topics[p.o.Topic])
	})
	if err != nil {
		return fmt.Errorf("begin the fencing transaction: %w", err)
	}
	err = p.coordinate(ctx, func(ctx context.Context) error {
		answer, err := p.cluster.client.EndTxn(ctx, &kafkago.EndTxnRequest{
			TransactionalID: p.o.TransactionalID,
			ProducerID:      int(s.id),
			ProducerEpoch:   int(s.epoch),
			Committed:       true,
		})
		if err != nil {
			return err
		}
		return answer.Error
	})
	if err != nil {
		return fmt.Errorf("end the fencing transaction: %w", err)
	}
	return nil
}

const operationNotAttempted = kafkago.Error(55) // another partition of the request has the real fault

func additionFault(partitions []kafkago.AddPartitionToTxnPartition) error {
	var fault error
	for _, partition := range partitions {
		if partition.Error != nil && (fault == nil || errors.Is(fault, operationNotAttempted)) {
			fault = partition.Error
		}
	}
	return fault
}

// coordinate repeats a request to the transaction coordinator while it answers that it is starting, moving (14, 15, 16)
// or still at the transaction before (51). A lost answer is not repeated here: the procedure starts over.
func (p *Producer) coordinate(ctx context.Context, request func(context.Context) error) error {
	for try := 1; ; try++ {
		err := request(ctx)
		switch codeOf(err) {
		case kafkago.GroupLoadInProgress, kafkago.GroupCoordinatorNotAvailable, kafkago.NotCoordinatorForGroup,
			kafkago.ConcurrentTransactions:
		default:
			return err
		}
		if try == coordinatorTries {
			return fmt.Errorf("the transaction coordinator is not ready (do all partitions of the topic and of "+
				"__transaction_state have a leader and enough replicas in sync?): %w", err)
		}
		if err := pause(ctx, coordinatorPause); err != nil {
			return err
		}
	}
}

// beginAnonymous opens a session without a transactional id, so that at least the resends of this process are not written
// twice. Brokers that deny even that (31, before 2.8) get batches without a producer.
func (p *Producer) beginAnonymous(ctx context.Context) (session, error) {
	answer, err := p.cluster.roundTrip(ctx, &anonymousRequest{clientID: p.o.ClientID})
	if err != nil {
		return session{}, fmt.Errorf("ask for a producer id: %w", err)
	}
	a := answer.(*anonymousAnswer)
	switch a.err {
	case 0:
		return session{open: true, id: a.id, epoch: a.epoch}, nil
	case kafkago.ClusterAuthorizationFailed:
		return session{open: true, id: -1, epoch: -1}, nil
	}
	return session{}, fmt.Errorf("ask for a producer id: %w", a.err)
}

// anonymousRequest is InitProducerID of version 1 with a null transactional id.
type anonymousRequest struct{ clientID string }

type anonymousAnswer struct {
	err   kafkago.Error
	id    int64
	epoch int16
}

func (*anonymousRequest) ApiKey() protocol.ApiKey { return protocol.InitProducerId }
func (*anonymousAnswer) ApiKey() protocol.ApiKey  { return protocol.InitProducerId }

// Required makes kafka-go call RawExchange.
func (*anonymousRequest) Required(map[protocol.ApiKey]int16) bool { return true }

// RawExchange sends the request and reads its answer.
func (m *anonymousRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	body := binary.BigEndian.AppendUint32([]byte{0xff, 0xff}, uint32(transactionTimeout.Milliseconds()))
	answer, err := exchange(rw, int16(protocol.InitProducerId), 1, m.clientID, false, body)
	if err != nil {
		return nil, err
	}
	r := &reader{rest: answer}
	r.int32() // throttle
	a := &anonymousAnswer{err: kafkago.Error(r.int16()), id: r.int64(), epoch: r.int16()}
	return a, r.err
}
