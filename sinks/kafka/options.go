package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/segmentio/kafka-go/compress"
	"github.com/segmentio/kafka-go/compress/zstd"
)

// Off as the transactional id goes without one, for brokers that forbid them: delivery is at least once, with stable ids.
const Off = "off"

// TopicState is what the worker must remember of the topic across restarts.
type TopicState struct {
	ID         string // of the topic, as Kafka prints it; "" where brokers are older than 2.8 and have none
	Partitions int    // the count that places users; 0 is not known yet
	Since      uint64 // every event with a smaller sequence was acknowledged under an earlier count or topic
}

// SASL is the login of the connections.
type SASL struct {
	Mechanism string // plain, scram-sha-256 or scram-sha-512
	Username  string
	Password  string
}

// Options of a Producer. Brokers, Topic, Environment and TransactionalID are required.
type Options struct {
	Brokers         []string // host:port to start from
	Topic           string
	Environment     string // becomes the ce_source /muster/<environment>, which tells whose sequence a record carries
	TransactionalID string // unique in the cluster to this environment (and shard), or Off

	CreateTopic bool // create the topic when it is absent
	Partitions  int  // of a topic that is created; 0 is the broker's default
	Replication int  // of a topic that is created; 0 is the broker's default

	Compression   string // zstd (default), lz4, snappy, gzip or none
	MaxBatchBytes int    // of records before compression; default 1,000,000, lowered to the topic's max.message.bytes

	RequestTimeout   time.Duration // for one request; default 30 s
	MetadataInterval time.Duration // between looks at the topic while delivering; default 5 s

	ClientID string // default muster
	TLS      *tls.Config
	SASL     *SASL

	Recorded TopicState // what Record was last given; zero on the first start
	// Record makes a new TopicState durable. It is called before the first event is written under that state, from within
	// Recover or Deliver. Nil keeps it in memory only.
	Record func(context.Context, TopicState) error
	// AcceptTopic is the id of a topic that may take the place of the recorded one: the operator's word after
	// TopicChangedError.
	AcceptTopic string

	Observe func(Observation) // called for every request and fault, from several goroutines; optional
	Logger  *slog.Logger      // default discards
}

// options are Options with defaults filled in and names resolved.
type options struct {
	Options
	source string
	codec  compress.Codec // nil is none
}

func (o Options) resolve() (options, error) {
	var faults []error
	for _, required := range []struct{ name, value string }{
		{"topic", o.Topic}, {"environment", o.Environment}, {"transactional id", o.TransactionalID},
	} {
		if required.value == "" {
			faults = append(faults, fmt.Errorf("no %s given", required.name))
		}
	}
	if len(o.Brokers) == 0 {
		faults = append(faults, errors.New("no brokers given"))
	}
	setDefault(&o.Compression, "zstd")
	setDefault(&o.MaxBatchBytes, 1_000_000)
	setDefault(&o.RequestTimeout, 30*time.Second)
	setDefault(&o.MetadataInterval, 5*time.Second)
	setDefault(&o.ClientID, "muster")
	if o.Observe == nil {
		o.Observe = func(Observation) {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Record == nil {
		o.Record = func(context.Context, TopicState) error { return nil }
	}
	var compression compress.Compression
	if err := compression.UnmarshalText([]byte(o.Compression)); err != nil {
		faults = append(faults, err)
	}
	if o.MaxBatchBytes < 1024 {
		faults = append(faults, fmt.Errorf("batches of at most %d bytes are too small, the least is 1024", o.MaxBatchBytes))
	}
	source := "/muster/" + url.PathEscape(o.Environment)
	return options{Options: o, source: source, codec: codecFor(compression)}, errors.Join(faults...)
}

// zstdFast makes these batches, which repeat themselves a lot, smaller than kafka-go's default level does (58 bytes an
// event against 62, of 623) in two thirds of the time.
var zstdFast = &zstd.Codec{Level: 1}

func codecFor(c compress.Compression) compress.Codec {
	if c == compress.Zstd {
		return zstdFast
	}
	return c.Codec()
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (o *options) transactional() bool { return o.TransactionalID != Off }
