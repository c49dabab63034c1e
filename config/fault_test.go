package config

import (
	"errors"
	"strings"
	"testing"
)

// A case is a configuration over the least one (or instead of it) and every fault that it must have, in order.
type faultCase struct {
	name  string
	text  string
	env   []string
	alone bool // text is the whole file
	want  []string
}

func (c faultCase) run(t *testing.T) {
	t.Parallel()
	text := c.text
	if !c.alone {
		// Before the least one, so that lines count from the text's own.
		text += "\n" + least
	}
	_, err := load("muster.yaml", []byte(text), c.env)
	if len(c.want) == 0 {
		if err != nil {
			t.Fatalf("unexpected: %v", err)
		}
		return
	}
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("err = %v, want Faults", err)
	}
	var got []string
	for _, f := range faults {
		got = append(got, f.Error())
	}
	for i := range max(len(got), len(c.want)) {
		switch {
		case i >= len(c.want):
			t.Errorf("unexpected: %s", got[i])
		case i >= len(got):
			t.Errorf("missing: %s", c.want[i])
		case !strings.HasPrefix(got[i], c.want[i]):
			t.Errorf("got  %s\nwant %s...", got[i], c.want[i])
		}
	}
}

func TestFaultsOfForm(t *testing.T) {
	t.Parallel()
	for _, c := range []faultCase{
		{name: "all at once", alone: true, text: `postgres:
  dns: x
  slot: 5
  heartbeat: 10
  users:
    tabel: x
    columns: a
kafka:
  brokers: [a, 5]
  create_topic: yes
topic: x
log: {level: trace}
`, want: []string{
			`muster.yaml:1:1: postgres.dsn: is required: set it here, in MUSTER_POSTGRES_DSN, or name a file`,
			`muster.yaml:2:3: postgres.dns: unknown key; did you mean dsn?`,
			`muster.yaml:3:9: postgres.slot: must be a string, not a number; put it in quotes`,
			`muster.yaml:4:14: postgres.heartbeat: must be a duration such as 10s, not a number`,
			`muster.yaml:6:5: postgres.users.tabel: unknown key; did you mean table?`,
			`muster.yaml:7:14: postgres.users.columns: must be a list of strings, such as [a, b], not a string`,
			`muster.yaml:9:13: kafka.brokers[0]: "a" is no address: write host:port, such as a:9092`,
			`muster.yaml:9:16: kafka.brokers[1]: must be a string, not a number; put it in quotes`,
			`muster.yaml:10:17: kafka.create_topic: must be true or false, not a string`,
			`muster.yaml:11:1: topic: unknown key; did you mean kafka.topic?`,
			`muster.yaml:12:14: log.level: "trace" is not one of debug, info, warn, error`,
			`muster.yaml: clickhouse.addr: is required: set it in the file or in MUSTER_CLICKHOUSE_ADDR`,
		}},
		{name: "nothing", alone: true, want: []string{
			"muster.yaml: postgres.dsn: is required",
			"muster.yaml: kafka.brokers: is required",
			"muster.yaml: clickhouse.addr: is required",
		}},
		{name: "only comments", alone: true, text: "# kafka:\n", want: []string{
			"muster.yaml: postgres.dsn", "muster.yaml: kafka.brokers", "muster.yaml: clickhouse.addr",
		}},
		{name: "no YAML", alone: true, text: "kafka:\n  brokers: [a:1", want: []string{
			"muster.yaml:2:12: is not valid YAML: ",
		}},
		{name: "a list", alone: true, text: "- a\n- b\n", want: []string{
			"muster.yaml:1:1: must be a section with keys of its own, not a list",
		}},
		{name: "a word", alone: true, text: "kafka", want: []string{
			"muster.yaml:1:1: must be a section with keys of its own, not a string",
		}},
		{name: "two documents", alone: true, text: "log:\n---\nlog:\n", want: []string{
			"muster.yaml:3:1: a second document begins here",
		}},
		{name: "a key twice", text: "log:\n  level: info\n  level: debug", want: []string{
			"muster.yaml:3:3: log.level: is given twice",
		}},
		{name: "nothing similar", text: "log: {quux: 1}", want: []string{
			"muster.yaml:1:7: log.quux: unknown key; known here: format, level",
		}},
		{name: "hyphens for underscores", text: "outbox: {max-bytes: 1GB}", want: []string{
			"muster.yaml:1:10: outbox.max-bytes: unknown key; did you mean max_bytes?",
		}},
		{name: "anchors", text: "log: &a {level: info}\naudiences: *a", want: []string{
			"muster.yaml:1:6: log: anchors, aliases and tags are not read here",
			"muster.yaml:2:12: audiences: anchors, aliases and tags are not read here",
		}},
		{name: "a section for a value", text: "state: {dir: {a: b}}", want: []string{
			"muster.yaml:1:14: state.dir: must be a string, not a section",
		}},
		{name: "a value for a section", text: "state: here", want: []string{
			"muster.yaml:1:8: state: must be a section with keys of its own, not a string",
		}},
		{name: "fractions and huge numbers", text: "evaluator: {workers: 1.5}\noutbox: {max_bytes: 1e9}", want: []string{
			"muster.yaml:1:22: evaluator.workers: must be a whole number, not a number with a fraction",
			`muster.yaml:2:21: outbox.max_bytes: "1e9" is not a size`,
		}},
		{name: "an empty item", text: "environments: [development, ~]", want: []string{
			"muster.yaml:1:29: environments[1]: must be a string, not nothing",
		}},
		{name: "CRLF and letters beyond ASCII", text: "log:\r\n  # é\r\n  levl: info\r\n", want: []string{
			"muster.yaml:3:3: log.levl: unknown key; did you mean level?",
		}},
		{name: "masked properties", text: "http:\n  mask: [email, ' ']", want: []string{"muster.yaml:2:17: http.mask[1]: names no property"}},
		{name: "keys of the API", text: "http:\n  api_keys:\n  - {name: a, rule: read, key: 0123456789abcdef}\n  - 7", want: []string{
			`muster.yaml:3:5: http.api_keys[0].role: "" is not one of read, write, admin`,
			"muster.yaml:3:15: http.api_keys[0].rule: unknown key; did you mean role?",
			"muster.yaml:4:5: http.api_keys[1]: must be a section with keys of its own, not a number",
		}},
	} {
		t.Run(c.name, c.run)
	}
}

func TestFaultsOfContent(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 64)
	for _, c := range []faultCase{
		{name: "environment", text: "environment: Prod", want: []string{
			`muster.yaml:1:14: environment: "Prod" is no environment name`,
		}},
		{name: "environment not listed", text: "environment: prod\nenvironments: [dev, dev]", want: []string{
			`muster.yaml:1:14: environment: "prod" is not one of environments: dev, dev`,
			`muster.yaml:2:21: environments[1]: "dev" is listed twice`,
		}},
		{name: "postgres", text: "", env: []string{
			"MUSTER_POSTGRES_SLOT=Muster", "MUSTER_POSTGRES_PUBLICATION=" + long, "MUSTER_POSTGRES_SCHEMA=pg_x",
			"MUSTER_POSTGRES_HEARTBEAT=100ms", "MUSTER_POSTGRES_USERS_TABLE=a.b.c", "MUSTER_POSTGRES_USERS_ID=properties",
			"MUSTER_POSTGRES_USERS_COLUMNS=a,b,a", "MUSTER_POSTGRES_DSN=localhost",
		}, want: []string{
			"MUSTER_POSTGRES_DSN: postgres.dsn: is no connection string",
			"MUSTER_POSTGRES_HEARTBEAT: postgres.heartbeat: 100ms is not between 1s and 1h",
			"MUSTER_POSTGRES_PUBLICATION: postgres.publication: \"" + long + "\" is no identifier",
			"MUSTER_POSTGRES_SCHEMA: postgres.schema: \"pg_x\" is reserved",
			"MUSTER_POSTGRES_SLOT: postgres.slot: \"Muster\" is no slot name",
			"MUSTER_POSTGRES_USERS_COLUMNS: postgres.users.columns[2]: \"a\" is listed twice",
			"MUSTER_POSTGRES_USERS_ID: postgres.users.id: \"properties\" is the properties column, too",
			"MUSTER_POSTGRES_USERS_TABLE: postgres.users.table: \"a.b.c\" is no table name",
		}},
		{name: "a quoted table", env: []string{`MUSTER_POSTGRES_USERS_TABLE="App".users`}, want: []string{
			`MUSTER_POSTGRES_USERS_TABLE: postgres.users.table: "App".users has quotes; write the names as they are stored`,
		}},
		{name: "kafka", text: "", env: []string{
			"MUSTER_KAFKA_BROKERS=localhost,h:0,:9092,h:1,h:1", "MUSTER_KAFKA_TOPIC=a b", "MUSTER_KAFKA_PARTITIONS=0",
			"MUSTER_KAFKA_REPLICATION=0", "MUSTER_KAFKA_COMPRESSION=zst", "MUSTER_KAFKA_TLS_SERVER_NAME=x",
			"MUSTER_KAFKA_SASL_USERNAME=u", "MUSTER_KAFKA_TRANSACTIONAL_ID=" + strings.Repeat(long, 4),
		}, want: []string{
			`muster.yaml:3:1: kafka.tls.enabled: is false although TLS is configured`,
			`muster.yaml:3:1: kafka.sasl.mechanism: is missing beside the user name and password`,
			`MUSTER_KAFKA_BROKERS: kafka.brokers[0]: "localhost" is no address: write host:port, such as localhost:9092`,
			`MUSTER_KAFKA_BROKERS: kafka.brokers[1]: "h:0" lacks a host or a port`,
			`MUSTER_KAFKA_BROKERS: kafka.brokers[2]: ":9092" lacks a host or a port`,
			`MUSTER_KAFKA_BROKERS: kafka.brokers[4]: "h:1" is listed twice`,
			`MUSTER_KAFKA_COMPRESSION: kafka.compression: "zst" is not one of zstd, lz4, snappy, gzip, none; did you mean zstd?`,
			`MUSTER_KAFKA_PARTITIONS: kafka.partitions: 0 is not between 1 and 100000`,
			`MUSTER_KAFKA_REPLICATION: kafka.replication: 0 is neither a number of replicas nor -1`,
			`MUSTER_KAFKA_TOPIC: kafka.topic: "a b" is no topic name`,
			`MUSTER_KAFKA_TRANSACTIONAL_ID: kafka.transactional_id: is longer than 249 bytes`,
		}},
		{name: "sasl", env: []string{"MUSTER_KAFKA_SASL_MECHANISM=scram-sha-1"}, want: []string{
			`muster.yaml:3:1: kafka.sasl.username: is required`,
			`muster.yaml:3:1: kafka.sasl.password: is required`,
			`MUSTER_KAFKA_SASL_MECHANISM: kafka.sasl.mechanism: "scram-sha-1" is not one of plain, scram-sha-256`,
		}},
		{name: "clickhouse", env: []string{
			"MUSTER_CLICKHOUSE_ADDR=localhost", "MUSTER_CLICKHOUSE_TLS_ENABLED=true", "MUSTER_CLICKHOUSE_TTL=1h",
			"MUSTER_CLICKHOUSE_FLUSH_ROWS=0", "MUSTER_CLICKHOUSE_FLUSH_INTERVAL=2m",
			"MUSTER_CLICKHOUSE_TLS_CERT_FILE=nowhere.pem",
		}, want: []string{
			`muster.yaml:4:1: clickhouse.tls: cert_file and key_file belong together`,
			`MUSTER_CLICKHOUSE_ADDR: clickhouse.addr[0]: "localhost" is no address: write host:port, such as localhost:9440`,
			`MUSTER_CLICKHOUSE_FLUSH_INTERVAL: clickhouse.flush.interval: 2m is not between 1ms and 1m`,
			`MUSTER_CLICKHOUSE_FLUSH_ROWS: clickhouse.flush.rows: 0 is not between 1 and 1000000`,
			`MUSTER_CLICKHOUSE_TTL: clickhouse.ttl: 1h is no time to keep events: at least 1d`,
		}},
		{name: "no sink", text: "kafka: {enabled: false}\nclickhouse: {enabled: false}\npostgres: {dsn: postgres://h/d}",
			alone: true, want: []string{
				"muster.yaml:1:18: kafka.enabled: kafka and clickhouse are both off",
			}},
		{name: "open to everybody", text: "http: {listen: ':8470'}", want: []string{
			`muster.yaml:1:16: http.listen: ":8470" can be reached from other machines and there are no http.api_keys`,
		}},
		{name: "loopback by name", text: "http: {listen: 'localhost:0'}"},
		{name: "loopback of IPv6", text: "http: {listen: '[::1]:8470'}"},
		{name: "limits", text: "http: {listen: 8470x, limits: {body: 1B, import: 1TB, requests_per_second: -1}}\n" +
			"outbox: {max_bytes: 1MB}\nevaluator: {workers: 0}\nstate: {dir: x, checkpoint: {dir: x, interval: 0s}}", want: []string{
			`muster.yaml:1:16: http.listen: "8470x" is no address`,
			`muster.yaml:1:38: http.limits.body: 1B is not between 1KB and 1GB`,
			`muster.yaml:1:50: http.limits.import: 1TB is not between 1KB and 10GB`,
			`muster.yaml:1:76: http.limits.requests_per_second: -1 is not between 0 and 1000000`,
			`muster.yaml:2:21: outbox.max_bytes: 1MB is not between 64MiB and 1024TiB`,
			`muster.yaml:3:22: evaluator.workers: 0 is not between 1 and 1024`,
			`muster.yaml:4:35: state.checkpoint.dir: must be another folder than state.dir`,
			`muster.yaml:4:48: state.checkpoint.interval: 0s is not between 1s and 366d`,
		}},
		{name: "keys", text: `http:
  api_keys:
    - {name: short, role: admin, key: tooshort}
    - {name: none, role: read}
    - {name: both, role: read, key: 0123456789abcdef, sha256: ab}
    - {name: hash, role: read, sha256: 00AA}
    - {name: one, role: read, key: an-old-and-good-key}
    - {name: one, role: read, key: another-good-enough-key}
    - {name: same, role: write, key: an-old-and-good-key}
`, want: []string{
			"muster.yaml:3:39: http.api_keys[0].key: is shorter than 16 characters",
			"muster.yaml:4:7: http.api_keys[1]: has no key; give one of key, key_file and sha256",
			"muster.yaml:5:63: http.api_keys[2].sha256: is given beside key",
			"muster.yaml:6:40: http.api_keys[3].sha256: is no SHA-256",
			`muster.yaml:8:14: http.api_keys[5].name: "one" is the name of another key`,
			`muster.yaml:9:7: http.api_keys[6]: is the same key as "one"`,
		}},
	} {
		t.Run(c.name, c.run)
	}
}
