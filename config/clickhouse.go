package config

import "time"

// ClickHouse is the sink that keeps the membership history.
type ClickHouse struct {
	// Record in ClickHouse. At least one of Kafka and ClickHouse must be enabled.
	Enabled bool `yaml:"enabled"`
	// Servers, `host:port` of the native protocol each (9000, or 9440 with TLS). Required while enabled.
	Addr []string `yaml:"addr"`
	// The database of Muster's tables and views; created when absent.
	Database string `yaml:"database"`
	// User name.
	Username string `yaml:"username"`
	// Password.
	Password Secret `yaml:"password"`
	// The cluster on which tables are made, `ON CLUSTER` and replicated. Empty: a single server.
	Cluster string `yaml:"cluster"`
	// How long events are kept, at least 1d, such as `400d`. Empty or 0s: for ever.
	TTL time.Duration `yaml:"ttl"`

	TLS   TLS   `yaml:"tls"`
	Flush Flush `yaml:"flush"`
}

// Flush says when a batch is inserted: at whichever comes first.
type Flush struct {
	// The most rows in one insert, 1 to 1000000.
	Rows int `yaml:"rows"`
	// The longest that an event waits for its insert, 1ms to 1m.
	Interval time.Duration `yaml:"interval"`
}
