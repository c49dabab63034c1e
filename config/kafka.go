package config

// BrokerDefault, as kafka.replication, leaves the number of replicas to the broker.
const BrokerDefault = -1

// TransactionalIDOff, as kafka.transactional_id, writes without fencing, for brokers that forbid transactional ids.
const TransactionalIDOff = "off"

// Kafka is the sink that events are published to.
type Kafka struct {
	// Publish to Kafka. At least one of Kafka and ClickHouse must be enabled.
	Enabled bool `yaml:"enabled"`
	// Bootstrap brokers, `host:port` each. Required while enabled.
	Brokers []string `yaml:"brokers"`
	// The topic of membership events.
	Topic string `yaml:"topic"`
	// Partitions of the topic when Muster creates it, 1 to 100000. An existing topic keeps its own.
	Partitions int `yaml:"partitions"`
	// Replicas of the topic when Muster creates it; -1 is the broker's default.
	Replication int `yaml:"replication"`
	// Create the topic when it is absent. `false`: its absence is an error.
	CreateTopic bool `yaml:"create_topic"`
	// The id of a topic that may take the place of the one events went to so far, after that was deleted and created anew.
	// The error that stops the worker then names the id. It is of no effect once the topic is taken up.
	AcceptTopic string `yaml:"accept_topic"`
	// `zstd`, `lz4`, `snappy`, `gzip` or `none`.
	Compression string `yaml:"compression"`
	// The transactional id that fences older workers, unique in the cluster for each environment. `off` where the broker
	// forbids transactional ids: delivery is then at least once.
	TransactionalID string `yaml:"transactional_id" default:"muster-<environment>"`

	TLS  TLS  `yaml:"tls"`
	SASL SASL `yaml:"sasl"`
}

// SASL authenticates to Kafka.
type SASL struct {
	// `plain`, `scram-sha-256` or `scram-sha-512`. Empty: no authentication.
	Mechanism string `yaml:"mechanism"`
	// User name, required with a mechanism.
	Username string `yaml:"username"`
	// Password, required with a mechanism.
	Password Secret `yaml:"password"`
}
