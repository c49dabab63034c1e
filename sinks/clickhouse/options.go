package clickhouse

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
)

// Options say where ClickHouse is and how to use it. Environment and Addr are required.
type Options struct {
	Environment string   // of the events; the part of the tables that History reads
	Addr        []string // host:port of the native protocol; the first that answers is used
	Database    string   // default "muster"; made if absent
	Username    string   // default "default"
	Password    string   // never logged, never part of an error
	Cluster     string   // makes every table Replicated and all DDL ON CLUSTER; "" is a single server
	TLS         *tls.Config

	// TTL is how long events are kept, counted from occurred_at; 0 is for ever. Members of today and memberships at any
	// instant within the TTL stay exact. Whole seconds.
	TTL time.Duration

	FlushRows     int           // preferred rows of a batch, default 50,000, at most 1,000,000
	FlushInterval time.Duration // longest wait for a batch to fill, default 500ms

	// RequestTimeout bounds one attempt at an insert, default one minute. When it is over the outcome is unknown, and the
	// insert is repeated.
	RequestTimeout time.Duration

	Logger  *slog.Logger      // default: discards
	Observe func(Observation) // called after every request; optional
}

// Observation is one request to ClickHouse, for metrics.
type Observation struct {
	Rows    int           // sent
	Elapsed time.Duration // of this attempt
	Kind    Kind          // of the failure; "" is success
}

const (
	defaultDatabase       = "muster"
	defaultUsername       = "default"
	defaultFlushRows      = 50_000
	defaultFlushInterval  = 500 * time.Millisecond
	defaultRequestTimeout = time.Minute
	dialTimeout           = 10 * time.Second

	// A block larger than this would be cut by the server into several, and an insert of several blocks is not atomic
	// (max_insert_block_size is 1,048,449 rows at the least).
	maxBlockRows = 1_000_000
)

// withDefaults returns a validated copy. It reports every fault.
func (o Options) withDefaults() (Options, error) {
	if o.Database == "" {
		o.Database = defaultDatabase
	}
	if o.Username == "" {
		o.Username = defaultUsername
	}
	if o.FlushRows == 0 {
		o.FlushRows = defaultFlushRows
	}
	if o.FlushInterval == 0 {
		o.FlushInterval = defaultFlushInterval
	}
	if o.RequestTimeout == 0 {
		o.RequestTimeout = defaultRequestTimeout
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, o.validate()
}

func (o Options) validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if o.Environment == "" {
		fault("environment: must be given")
	}
	if len(o.Addr) == 0 {
		fault("clickhouse.addr: at least one host:port must be given")
	}
	for _, addr := range o.Addr {
		if _, port, err := net.SplitHostPort(addr); err != nil || port == "" {
			fault("clickhouse.addr: %q is not host:port", addr)
		}
	}
	if o.TTL < 0 || o.TTL%time.Second != 0 {
		fault("clickhouse.ttl: %s must be whole seconds, and 0 or more", o.TTL)
	}
	if o.FlushRows < 1 || o.FlushRows > maxBlockRows {
		fault("clickhouse.flush.rows: %d is not within 1 and %d", o.FlushRows, maxBlockRows)
	}
	if o.FlushInterval < 0 {
		fault("clickhouse.flush.interval: %s is negative", o.FlushInterval)
	}
	if o.RequestTimeout < 0 {
		fault("clickhouse request timeout: %s is negative", o.RequestTimeout)
	}
	return errors.Join(faults...)
}

// String leaves the password out, so that options may be printed with any verb but %#v, which GoString covers.
func (o Options) String() string {
	return fmt.Sprintf("clickhouse %v, database %s, user %s", o.Addr, o.Database, o.Username)
}

// GoString is String, for the password's sake.
func (o Options) GoString() string { return o.String() }

// LogValue is String, for the password's sake.
func (o Options) LogValue() slog.Value { return slog.StringValue(o.String()) }
