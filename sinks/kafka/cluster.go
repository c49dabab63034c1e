package kafka

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// cluster is the brokers as one topic's producer sees them: kafka-go's client over connections that can all be closed.
type cluster struct {
	topic     string
	timeout   time.Duration
	dialer    *dialer
	transport *kafkago.Transport
	client    *kafkago.Client

	mu      sync.Mutex
	resetAt time.Time

	asked    bool // whether topicIDs is known
	topicIDs bool // whether the brokers name topics by id (2.8 and later)
}

func newCluster(o *options) (*cluster, error) {
	mechanism, err := o.SASL.mechanism()
	if err != nil {
		return nil, err
	}
	d := newDialer()
	transport := &kafkago.Transport{
		Dial:           d.dial,
		DialTimeout:    min(10*time.Second, o.RequestTimeout),
		ClientID:       o.ClientID,
		TLS:            o.TLS,
		SASL:           mechanism,
		MetadataTTL:    5 * time.Second,
		MetadataTopics: []string{o.Topic},
	}
	client := &kafkago.Client{Addr: kafkago.TCP(o.Brokers...), Timeout: o.RequestTimeout, Transport: transport}
	return &cluster{topic: o.Topic, timeout: o.RequestTimeout, dialer: d, transport: transport, client: client}, nil
}

func (s *SASL) mechanism() (sasl.Mechanism, error) {
	if s == nil {
		return nil, nil
	}
	switch s.Mechanism {
	case "plain":
		return plain.Mechanism{Username: s.Username, Password: s.Password}, nil
	case "scram-sha-256":
		return scram.Mechanism(scram.SHA256, s.Username, s.Password)
	case "scram-sha-512":
		return scram.Mechanism(scram.SHA512, s.Username, s.Password)
	}
	return nil, fmt.Errorf("unknown SASL mechanism %q: choose plain, scram-sha-256 or scram-sha-512", s.Mechanism)
}

// roundTrip sends a message that kafka-go's client has no method for.
func (c *cluster) roundTrip(ctx context.Context, m protocol.Message) (protocol.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return c.transport.RoundTrip(ctx, c.client.Addr, m)
}

// produce sends one batch. When it returns an error that is not a broker's code, request may still be read by a connection
// and must not be written to again.
func (c *cluster) produce(ctx context.Context, partition int, request []byte) (*kafkago.ProduceResponse, error) {
	response, err := c.client.RawProduce(ctx, &kafkago.RawProduceRequest{
		Topic:        c.topic,
		Partition:    partition,
		RequiredAcks: kafkago.RequireAll,
		RawRecords:   protocol.RawRecordSet{Reader: bytes.NewReader(request)},
	})
	if err != nil {
		return nil, err
	}
	return response, response.Error
}

// reset makes the next request see the cluster afresh: kafka-go keeps its view of leaders for seconds, whatever the
// brokers answer, and idle connections that a restarted broker no longer knows. Requests under way are not disturbed.
func (c *cluster) reset() { c.resetSince(time.Now()) }

// resetSince is reset after a fault of a request that began at start. When all partitions meet the same fault at once, as
// with a broker that goes away, the view is dropped once.
func (c *cluster) resetSince(start time.Time) {
	c.mu.Lock()
	fresh := c.resetAt.After(start)
	if !fresh {
		c.resetAt = time.Now()
	}
	c.mu.Unlock()
	if !fresh {
		c.transport.CloseIdleConnections()
	}
}

func (c *cluster) close() {
	c.transport.CloseIdleConnections()
	c.dialer.close()
}
