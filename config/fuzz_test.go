package config

import (
	"errors"
	"strings"
	"testing"
)

// FuzzLoad holds Load to what it promises for any text: it ends, it reports faults as Faults, each with a message, and
// what it accepts is valid, which is to say it is accepted again.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", least, "# only\n", "- a", "a: [", "kafka: {brokers: [a:1, b:2]}", "log: &x {level: debug}\naudiences: *x\n<<: *x",
		"http: {api_keys: [{name: a, role: read, key: 0123456789abcdef}, 7, ~]}", "a: 1\n---\nb: 2", "? [a]\n: b", "log: |\n x",
		"clickhouse: {ttl: 400d, flush: {interval: 1h}}\noutbox: {max_bytes: 9223372036854775807B}", "environments: !!str x",
		"postgres:\n  dsn: 'host=h password=''x'''\n  users: {table: '\"a\"\".\".b'}", "kafka: {partitions: 0x10, replication: .inf}",
	} {
		f.Add(seed, "MUSTER_KAFKA_TOPIC=x")
		f.Add(seed, "MUSTER_HTTP_API_KEYS="+seed)
	}
	f.Fuzz(func(t *testing.T, text, variable string) {
		if strings.Contains(text+variable, "_file") || strings.Contains(text+variable, "_FILE") {
			t.Skip("would read files of this machine")
		}
		environ := []string{
			variable, "MUSTER_POSTGRES_DSN=postgres://h/d", "MUSTER_KAFKA_BROKERS=a:1", "MUSTER_CLICKHOUSE_ADDR=c:3",
		}
		c, err := load("muster.yaml", []byte(text), environ)
		var faults Faults
		switch {
		case err == nil:
			_ = prints(t, c)
			if _, again := load("muster.yaml", []byte(text), environ); again != nil {
				t.Fatalf("refused the second time: %v", again)
			}
		case !errors.As(err, &faults) || len(faults) == 0 || c != nil:
			t.Fatalf("config %v, err %T %v", c, err, err)
		}
		for _, fault := range faults {
			if fault.Message == "" || !fault.Origin.Given() {
				t.Fatalf("a fault without message or place: %+v", fault)
			}
		}
	})
}

// FuzzDSN holds the redacted form to not showing the password, and to not panicking.
func FuzzDSN(f *testing.F) {
	for _, seed := range []string{
		"postgres://u:%s@h/d", "postgres://h/d?password=%s", "host=h password=%s", "host=h password='%s'", "postgres:%s",
	} {
		f.Add(strings.ReplaceAll(seed, "%s", hidden))
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d DSN
		err := d.UnmarshalText([]byte(text))
		if err != nil && text != "" && len(text) > 8 && strings.Contains(err.Error(), text) {
			t.Fatalf("quoted: %v", err)
		}
		if shown := d.String(); strings.Count(text, hidden) == 1 && strings.Contains(shown, ":"+hidden+"@") {
			t.Fatalf("%q shows as %q", text, shown)
		}
	})
}
