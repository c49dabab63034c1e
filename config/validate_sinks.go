package config

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// topicForm is what Kafka itself takes as the name of a topic, but for "." and "..".
var topicForm = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// mechanisms are the SASL mechanisms spoken.
var mechanisms = []string{"plain", "scram-sha-256", "scram-sha-512"}

func (v *validator) kafka(c Kafka) {
	if !c.Enabled && !v.config.ClickHouse.Enabled {
		v.wrong("kafka.enabled", "kafka and clickhouse are both off, so events would go nowhere; enable one of them")
	}
	if !c.Enabled {
		return
	}
	if v.required("kafka.brokers", len(c.Brokers) > 0) {
		v.addresses("kafka.brokers", c.Brokers, 9092)
	}
	if !topicForm.MatchString(c.Topic) || c.Topic == "." || c.Topic == ".." {
		v.wrong("kafka.topic", "%q is no topic name: 1 to 249 letters, digits, '.', '_' and '-'", c.Topic)
	}
	within(v, "kafka.partitions", c.Partitions, 1, 100_000, showInt)
	if c.Replication != BrokerDefault && (c.Replication < 1 || c.Replication > math.MaxInt16) {
		v.wrong("kafka.replication", "%d is neither a number of replicas nor -1, the broker's default", c.Replication)
	}
	v.oneOf("kafka.compression", c.Compression, "zstd", "lz4", "snappy", "gzip", "none")
	if len(c.TransactionalID) > 249 {
		v.wrong("kafka.transactional_id", "is longer than 249 bytes")
	}
	v.tls("kafka.tls", c.TLS)
	v.sasl(c.SASL)
}

func (v *validator) sasl(c SASL) {
	if c.Mechanism == "" {
		if c.Username != "" || !c.Password.Empty() {
			v.wrong("kafka.sasl.mechanism", "is missing beside the user name and password: one of %s",
				strings.Join(mechanisms, ", "))
		}
		return
	}
	v.oneOf("kafka.sasl.mechanism", c.Mechanism, mechanisms...)
	v.required("kafka.sasl.username", c.Username != "")
	if c.Password.Empty() {
		v.wrong("kafka.sasl.password", "is required: set it in MUSTER_KAFKA_SASL_PASSWORD or name a file that holds it "+
			"in password_file")
	}
}

func (v *validator) clickhouse(c ClickHouse) {
	if !c.Enabled {
		return
	}
	if v.required("clickhouse.addr", len(c.Addr) > 0) {
		port := 9000
		if c.TLS.Enabled {
			port = 9440
		}
		v.addresses("clickhouse.addr", c.Addr, port)
	}
	v.identifier("clickhouse.database", c.Database)
	v.required("clickhouse.username", c.Username != "")
	if c.Cluster != "" {
		v.identifier("clickhouse.cluster", c.Cluster)
	}
	if c.TTL != 0 && (c.TTL < day || c.TTL%time.Second != 0) {
		v.wrong("clickhouse.ttl", "%s is no time to keep events: at least 1d, in whole seconds; 0s keeps them for ever",
			formatDuration(c.TTL))
	}
	v.tls("clickhouse.tls", c.TLS)
	within(v, "clickhouse.flush.rows", c.Flush.Rows, 1, 1_000_000, showInt)
	within(v, "clickhouse.flush.interval", c.Flush.Interval, time.Millisecond, time.Minute, showDuration)
}

func (v *validator) addresses(key string, list []string, usual int) {
	for i, address := range list {
		item := fmt.Sprintf("%s[%d]", key, i)
		host, port, err := splitAddress(address)
		switch {
		case err != nil:
			v.wrong(item, "%q is no address: write host:port, such as %s", address, example(address, usual))
		case host == "" || port == 0:
			v.wrong(item, "%q lacks a host or a port: write host:port, such as localhost:%d", address, usual)
		case slices.Index(list, address) < i:
			v.wrong(item, "%q is listed twice", address)
		}
	}
}

// example shows how a bare host would be written, else the usual address.
func example(address string, port int) string {
	if strings.ContainsAny(address, ":/[] ") || address == "" {
		address = "localhost"
	}
	return address + ":" + strconv.Itoa(port)
}

func (v *validator) tls(key string, c TLS) {
	if !c.Enabled {
		if c.CAFile != "" || c.CertFile != "" || c.KeyFile != "" || c.ServerName != "" || c.InsecureSkipVerify {
			v.wrong(key+".enabled", "is false although TLS is configured; set it to true, or remove the rest")
		}
		return
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		v.wrong(key, "cert_file and key_file belong together; give both or none")
	}
	if _, err := c.Config(); err != nil {
		v.wrong(key, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
}
