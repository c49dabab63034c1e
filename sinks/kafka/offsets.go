package kafka

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// limit is where a partition's log begins and ends: the first offset, and the high watermark.
type limit struct{ first, end int64 }

// The instants that ListOffsets takes for the ends of the log.
const (
	latest   = -1
	earliest = -2
)

// limits returns the limits of every partition by two requests for each broker. kafka-go's own ListOffsets makes two for
// each partition, all at once, each over a connection of its own.
func (p *Producer) limits(ctx context.Context, found view) ([]limit, error) {
	led := make(map[int32][]int32)
	for _, partition := range found.partitions {
		if partition.leader < 0 {
			return nil, fmt.Errorf("list offsets of partition %d: %w", partition.number, kafkago.LeaderNotAvailable)
		}
		led[partition.leader] = append(led[partition.leader], partition.number)
	}
	limits := make([]limit, len(found.partitions))
	for leader, partitions := range led {
		for _, at := range [...]int64{latest, earliest} {
			request := &offsetsRequest{clientID: p.o.ClientID, topic: p.o.Topic, leader: leader, partitions: partitions, at: at}
			answer, err := p.cluster.roundTrip(ctx, request)
			if err != nil {
				return nil, fmt.Errorf("list offsets: %w", err)
			}
			for _, offset := range answer.(*offsetsAnswer).offsets {
				switch {
				case offset.err != 0:
					return nil, fmt.Errorf("list offsets of partition %d: %w", offset.partition, offset.err)
				case int(offset.partition) >= len(limits) || offset.partition < 0:
					return nil, fmt.Errorf("list offsets: %w: partition %d", errAnswer, offset.partition)
				case at == latest:
					limits[offset.partition].end = offset.offset
				default:
					limits[offset.partition].first = offset.offset
				}
			}
		}
	}
	return limits, nil
}

// offsetsRequest is ListOffsets of version 1 to one leader.
type offsetsRequest struct {
	clientID   string
	topic      string
	leader     int32
	partitions []int32
	at         int64
}

type offsetsAnswer struct{ offsets []partitionOffset }

type partitionOffset struct {
	partition int32
	err       kafkago.Error
	offset    int64
}

func (*offsetsRequest) ApiKey() protocol.ApiKey { return protocol.ListOffsets }
func (*offsetsAnswer) ApiKey() protocol.ApiKey  { return protocol.ListOffsets }

// Broker makes kafka-go send the request to the leader.
func (m *offsetsRequest) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	if broker, known := cluster.Brokers[m.leader]; known {
		return broker, nil
	}
	return protocol.Broker{}, protocol.NewErrNoLeader(m.topic, m.partitions[0])
}

// Required makes kafka-go call RawExchange.
func (*offsetsRequest) Required(map[protocol.ApiKey]int16) bool { return true }

// RawExchange sends the request and reads its answer.
func (m *offsetsRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	order := binary.BigEndian
	body := order.AppendUint32(nil, 0xffff_ffff) // a client, no replica
	body = order.AppendUint32(body, 1)
	body = order.AppendUint16(body, uint16(len(m.topic)))
	body = append(body, m.topic...)
	body = order.AppendUint32(body, uint32(len(m.partitions)))
	for _, partition := range m.partitions {
		body = order.AppendUint32(body, uint32(partition))
		body = order.AppendUint64(body, uint64(m.at))
	}
	answer, err := exchange(rw, int16(protocol.ListOffsets), 1, m.clientID, false, body)
	if err != nil {
		return nil, err
	}
	offsets, err := decodeOffsets(answer)
	if err != nil {
		return nil, fmt.Errorf("list offsets: %w", err)
	}
	if len(offsets) != len(m.partitions) {
		return nil, fmt.Errorf("list offsets: %w: %d partitions for %d", errAnswer, len(offsets), len(m.partitions))
	}
	return &offsetsAnswer{offsets: offsets}, nil
}

func decodeOffsets(answer []byte) ([]partitionOffset, error) {
	var offsets []partitionOffset
	r := &reader{rest: answer}
	for topics := r.int32(); topics > 0 && r.err == nil; topics-- {
		r.take(int(max(r.int16(), 0))) // name
		for partitions := r.int32(); partitions > 0 && r.err == nil; partitions-- {
			offset := partitionOffset{partition: r.int32(), err: kafkago.Error(r.int16())}
			r.int64() // timestamp
			offset.offset = r.int64()
			offsets = append(offsets, offset)
		}
	}
	return offsets, r.err
}
