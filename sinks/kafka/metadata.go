package kafka

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// view is the topic as the brokers describe it at this moment.
type view struct {
	id         string        // "" when the brokers have no topic ids
	err        kafkago.Error // of the topic, 0 when it is there
	partitions []partitionView
	operations int32 // bits of what this client may do with it, or noOperations
	brokers    int
}

type partitionView struct {
	number   int32
	leader   int32 // -1 is none
	replicas int
	inSync   int
}

const noOperations = -1 << 31 // the brokers do not say

// look asks the brokers about the topic, past kafka-go's cache wherever they can name it by id.
func (p *Producer) look(ctx context.Context) (v view, err error) {
	start := time.Now()
	defer func() { p.observe(RequestMetadata, start, err) }()
	c := p.cluster
	if !c.asked {
		if c.topicIDs, err = c.knowTopicIDs(ctx); err != nil {
			return view{}, fmt.Errorf("ask for API versions: %w", err)
		}
		c.asked = true
	}
	if !c.topicIDs {
		return c.lookByName(ctx)
	}
	answer, err := c.roundTrip(ctx, &metadataRequest{topic: c.topic, clientID: p.o.ClientID})
	if err != nil {
		return view{}, fmt.Errorf("look up topic %q: %w", c.topic, err)
	}
	return answer.(*metadataAnswer).view, nil
}

func (c *cluster) knowTopicIDs(ctx context.Context) (bool, error) {
	versions, err := c.client.ApiVersions(ctx, &kafkago.ApiVersionsRequest{})
	if err == nil {
		err = versions.Error
	}
	if err != nil {
		return false, err
	}
	for _, api := range versions.ApiKeys {
		if api.ApiKey == int(protocol.Metadata) {
			return api.MaxVersion >= metadataVersion, nil
		}
	}
	return false, nil
}

// lookByName is look for brokers before 2.8, through kafka-go's cache, which is seconds old at most.
func (c *cluster) lookByName(ctx context.Context) (view, error) {
	answer, err := c.client.Metadata(ctx, &kafkago.MetadataRequest{Topics: []string{c.topic}})
	if err != nil {
		return view{}, fmt.Errorf("look up topic %q: %w", c.topic, err)
	}
	v := view{operations: noOperations, brokers: len(answer.Brokers)}
	for _, topic := range answer.Topics {
		v.err = codeOf(topic.Error)
		for _, partition := range topic.Partitions {
			leader := int32(partition.Leader.ID)
			if partition.Leader.Host == "" {
				leader = -1
			}
			v.partitions = append(v.partitions, partitionView{
				number: int32(partition.ID), leader: leader, replicas: len(partition.Replicas), inSync: len(partition.Isr),
			})
		}
	}
	return v, nil
}

const metadataVersion = 10

// metadataRequest is Metadata of version 10 for one topic.
type metadataRequest struct{ topic, clientID string }

type metadataAnswer struct{ view view }

func (*metadataRequest) ApiKey() protocol.ApiKey { return protocol.Metadata }
func (*metadataAnswer) ApiKey() protocol.ApiKey  { return protocol.Metadata }

// Required makes kafka-go call RawExchange whatever versions the connection negotiated.
func (*metadataRequest) Required(map[protocol.ApiKey]int16) bool { return true }

// RawExchange sends the request and reads its answer.
func (m *metadataRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	body := []byte{2}                        // one topic
	body = append(body, make([]byte, 16)...) // named, not by id
	body = binary.AppendUvarint(body, uint64(len(m.topic))+1)
	body = append(body, m.topic...)
	body = append(body, 0, // tags of the topic
		0, 0, 1, // create it: no; operations of the cluster: no; of the topic: yes
		0) // tags
	answer, err := exchange(rw, int16(protocol.Metadata), metadataVersion, m.clientID, true, body)
	if err != nil {
		return nil, err
	}
	v, err := decodeMetadata(answer)
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	return &metadataAnswer{view: v}, nil
}

func decodeMetadata(answer []byte) (view, error) {
	r := &reader{rest: answer}
	r.tags()
	r.int32() // throttle
	v := view{err: kafkago.UnknownTopicOrPartition, operations: noOperations}
	v.brokers = r.count()
	for i := 0; i < v.brokers && r.err == nil; i++ {
		r.int32() // id
		r.text()  // host
		r.int32() // port
		r.text()  // rack
		r.tags()
	}
	r.text()  // cluster
	r.int32() // controller
	for topics := r.count(); topics > 0 && r.err == nil; topics-- {
		decodeTopic(r, &v)
	}
	r.int32() // operations of the cluster
	r.tags()
	return v, r.err
}

func decodeTopic(r *reader, v *view) {
	v.err = kafkago.Error(r.int16())
	r.text() // name
	v.id = topicID(r.take(16))
	r.int8() // internal
	for partitions := r.count(); partitions > 0 && r.err == nil; partitions-- {
		r.int16() // error, which the leader tells too
		partition := partitionView{number: r.int32(), leader: r.int32()}
		r.int32() // leader epoch
		partition.replicas, partition.inSync = len(r.int32s()), len(r.int32s())
		r.int32s() // offline
		r.tags()
		v.partitions = append(v.partitions, partition)
	}
	v.operations = r.int32()
	r.tags()
}

// topicID prints an id as Kafka's tools do: URL-safe base64 without padding. The zero id is "".
func topicID(id []byte) string {
	if [16]byte(id) == ([16]byte{}) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(id)
}
