package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// other returns a text for the setting that is valid as a form and differs from its value, and what it means.
func other(t *testing.T, s setting) (text string, value any) {
	t.Helper()
	switch was := s.value.Interface().(type) {
	case string:
		return was + "-x", was + "-x"
	case bool:
		return fmt.Sprint(!was), !was
	case int:
		return fmt.Sprint(was + 1), was + 1
	case time.Duration:
		return (was + time.Second).String(), was + time.Second
	case Size:
		return fmt.Sprintf("%dB", int64(was)+1), was + 1
	case []string:
		return "x, y", []string{"x", "y"}
	case Secret:
		return "a,b", NewSecret("a,b")
	case DSN:
		return "postgres://x/y?a=b,c", NewDSN("postgres://x/y?a=b,c")
	case []APIKey:
		return "[{name: x, role: read, sha256: abc}]", []APIKey{{Name: "x", Role: "read", SHA256: "abc"}}
	}
	t.Fatalf("%s: a type of setting that this test does not know: %s", s.key, s.value.Type())
	return "", nil
}

func TestEveryValueHasAVariable(t *testing.T) {
	t.Parallel()
	for i, s := range leaves(Default()) {
		t.Run(s.key, func(t *testing.T) {
			t.Parallel()
			text, want := other(t, s)
			l := &loader{config: Default(), files: map[string]secretFile{}, resolved: map[string]bool{}}
			l.config.origins = map[string]Origin{}
			l.variables([]string{"PATH=/bin", s.variable() + "=" + text})
			if len(l.faults) > 0 {
				t.Fatal(l.faults)
			}
			got := leaves(l.config)[i]
			if !reflect.DeepEqual(got.value.Interface(), want) {
				t.Errorf("%s=%s: got %v, want %v", s.variable(), text, got.value, want)
			}
			if o := l.config.Origin(s.key); o.String() != s.variable() {
				t.Errorf("origin = %s, want %s", o, s.variable())
			}
		})
	}
}

func TestVariablesAloneConfigureAWorker(t *testing.T) {
	t.Parallel()
	c, err := Load("", []string{
		"MUSTER_POSTGRES_DSN=postgres://h/d", "MUSTER_KAFKA_BROKERS=a:1,b:2", "MUSTER_CLICKHOUSE_ADDR=c:3",
		"MUSTER_LOG_LEVEL=debug",
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Kafka.Brokers) != 2 || c.Log.Level != "debug" {
		t.Errorf("got %+v", c)
	}
}

func TestVariables(t *testing.T) {
	t.Parallel()
	for _, c := range []faultCase{
		{name: "misspelt", env: []string{"MUSTER_KAFKA_TOPIK=x", "MUSTER_POSTGRES_QUUX_NOTHING_OF_THE_KIND=x"}, want: []string{
			"MUSTER_KAFKA_TOPIK: is no setting; did you mean MUSTER_KAFKA_TOPIC?",
			"MUSTER_POSTGRES_QUUX_NOTHING_OF_THE_KIND: is no setting; REFERENCE.md lists the variables",
		}},
		{name: "of somebody else", env: []string{"MUSTER_PG_BIN=x", "MUSTER_CACHE=x", "OTHER_KAFKA_TOPIK=x", "=", "x"}},
		{name: "service links", env: []string{
			"MUSTER_KAFKA_SERVICE_HOST=10.0.0.1", "MUSTER_KAFKA_SERVICE_PORT=9092", "MUSTER_KAFKA_SERVICE_PORT_CLIENTS=9092",
			"MUSTER_KAFKA_PORT=tcp://10.0.0.1:9092", "MUSTER_KAFKA_PORT_9092_TCP=x", "MUSTER_KAFKA_PORT_9092_TCP_ADDR=x",
		}},
		{name: "empty is not set", env: []string{"MUSTER_KAFKA_TOPIC=", "MUSTER_KAFKA_PARTITIONS="}},
		{name: "of the wrong type", env: []string{
			"MUSTER_KAFKA_PARTITIONS=many", "MUSTER_KAFKA_CREATE_TOPIC=yes", "MUSTER_POSTGRES_HEARTBEAT=10",
			"MUSTER_OUTBOX_MAX_BYTES=1 2", "MUSTER_ENVIRONMENTS=a,,b",
		}, want: []string{
			"MUSTER_ENVIRONMENTS: environments: has an empty item",
			`MUSTER_KAFKA_CREATE_TOPIC: kafka.create_topic: "yes" is neither true nor false`,
			`MUSTER_KAFKA_PARTITIONS: kafka.partitions: "many" is not a whole number`,
			`MUSTER_OUTBOX_MAX_BYTES: outbox.max_bytes: "1 2" is not a size`,
			`MUSTER_POSTGRES_HEARTBEAT: postgres.heartbeat: "10" is not a duration`,
		}},
		{name: "keys of the API", env: []string{"MUSTER_HTTP_API_KEYS=[{name: x, role: king, key: 0123456789abcdef}]"}, want: []string{
			`MUSTER_HTTP_API_KEYS:1:18: http.api_keys[0].role: "king" is not one of read, write, admin`,
		}},
		{name: "keys that are no YAML", env: []string{"MUSTER_HTTP_API_KEYS=[{"}, want: []string{
			`MUSTER_HTTP_API_KEYS:1:2: http.api_keys: is not valid YAML`,
		}},
		{name: "over a list of the file", text: "http:\n  api_keys:\n    - {name: bad, key_file: /nowhere}",
			env: []string{"MUSTER_HTTP_API_KEYS=[{name: x, role: read, key: 0123456789abcdef}]"}},
	} {
		t.Run(c.name, c.run)
	}
}

func TestVariableNames(t *testing.T) {
	t.Parallel()
	seen := make(map[string]string)
	for _, s := range leaves(Default()) {
		for _, name := range []string{s.variable(), s.variable() + "_FILE"} {
			if before, ok := seen[name]; ok {
				t.Errorf("%s means both %s and %s", name, before, s.key)
			}
			if s.secret() || !strings.HasSuffix(name, "_FILE") {
				seen[name] = s.key
			}
		}
		if serviceLink.MatchString(s.variable()) {
			t.Errorf("%s looks like a service link of Kubernetes and would be set by it", s.variable())
		}
	}
	if seen["MUSTER_POSTGRES_USERS_TABLE"] != "postgres.users.table" {
		t.Errorf("MUSTER_POSTGRES_USERS_TABLE means %q", seen["MUSTER_POSTGRES_USERS_TABLE"])
	}
}
