package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const hidden = "hunter2-hunter2"

// prints is everything a careless line of code could do with a value.
func prints(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&b, verb+"\n", v)
		fmt.Fprintf(&b, verb+"\n", struct{ inner any }{v})
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
		slog.New(h).Info("x", "value", v)
	}
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		out, err := marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(out)
	}
	return b.String()
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	t.Parallel()
	config := mustLoad(t, strings.ReplaceAll(least, "s3cret", hidden),
		"MUSTER_CLICKHOUSE_PASSWORD="+hidden, "MUSTER_KAFKA_SASL_PASSWORD="+hidden, "MUSTER_KAFKA_SASL_MECHANISM=plain",
		"MUSTER_KAFKA_SASL_USERNAME=u", "MUSTER_HTTP_API_KEYS=[{name: x, role: read, key: hunter2-hunter2-x}]")
	type unexported struct{ secret Secret }
	for name, v := range map[string]any{
		"secret":           NewSecret(hidden),
		"pointer":          config.Kafka.SASL.Password,
		"unexported field": unexported{NewSecret(hidden)}.secret,
		"dsn":              config.Postgres.DSN,
		"config":           config,
		"key":              config.HTTP.APIKeys,
	} {
		out := prints(t, v)
		hex := fmt.Sprintf("%x", hidden)
		if strings.Contains(out, hidden) || strings.Contains(strings.ToLower(out), hex) {
			t.Errorf("%s is printed:\n%s", name, out)
		}
		if !strings.Contains(out, Redacted) {
			t.Errorf("%s does not print as redacted:\n%s", name, out)
		}
	}
	if got := fmt.Sprintf("%+v %#v", unexported{NewSecret(hidden)}, unexported{NewSecret(hidden)}); strings.Contains(got, hidden) {
		t.Errorf("printed through an unexported field: %s", got)
	}
	if got := fmt.Sprint(Secret{}); got != "" {
		t.Errorf("an empty secret prints %q", got)
	}
}

func TestDSNShowsAllButPasswords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                      "",
		"postgres://h/d":                        "postgres://h/d",
		"postgres://u@h:5432/d?sslmode=require": "postgres://u@h:5432/d?sslmode=require",
		"postgres://u:p%40ss@h/d":               "postgres://u:[redacted]@h/d",
		"postgresql://u:p@h1,h2/d":              "postgresql://u:[redacted]@h1,h2/d",
		"postgres://h/d?password=p&user=u":      "postgres://h/d?password=[redacted]&user=u",
		"postgres://h/d?pass%77ord=p":           "postgres://h/d?pass%77ord=[redacted]",
		"host=h password=p dbname=d":            "host=h password=[redacted] dbname=d",
		`host = h password = 'p \' q' dbname=d`: "host=h password=[redacted] dbname=d",
		"postgres://u:p@[::1]:5432/d":           "postgres://u:[redacted]@[::1]:5432/d",
		"postgres://u:p@h:port/d":               Redacted,
		"no connection string p":                Redacted,
	} {
		if got := NewDSN(text).String(); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestFaultsOfSecretsDoNotQuoteThem(t *testing.T) {
	t.Parallel()
	for name, dsn := range map[string]string{
		"slash in the password":   "postgres://u:hunter2/hunter2@h/d",
		"percent in the password": "postgres://u:hunter2%zz@h/d",
		"no connection string":    "hunter2",
		"no URL":                  "postgres:hunter2",
	} {
		_, err := load("", nil, []string{"MUSTER_POSTGRES_DSN=" + dsn, "MUSTER_KAFKA_BROKERS=a:1", "MUSTER_CLICKHOUSE_ADDR=c:3"})
		if err == nil {
			t.Errorf("%s: no fault", name)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: quoted: %v", name, err)
		}
	}
	_, err := load("", []byte("clickhouse: {password: 4711}\nkafka: {sasl: {password: [hunter2]}}"), nil)
	if err == nil || strings.Contains(err.Error(), "4711") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("err = %v", err)
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "dsn", "postgres://u:p@h/d\n")
	write(t, dir, "password", "two\nlines\r\n")
	write(t, dir, "key", "0123456789abcdef")
	path := write(t, dir, "muster.yaml", `
postgres: {dsn_file: dsn}
kafka: {brokers: [a:1], sasl: {mechanism: plain, username: u, password_file: password}}
clickhouse: {addr: [c:3], password_file: missing}
http: {api_keys: [{name: x, role: read, key_file: key}]}
`)
	c, err := Load(path, []string{"MUSTER_CLICKHOUSE_PASSWORD_FILE=" + filepath.Join(dir, "key")})
	if err != nil {
		t.Fatal(err)
	}
	for what, pair := range map[string][2]string{
		"dsn":      {c.Postgres.DSN.Reveal(), "postgres://u:p@h/d"},
		"password": {c.Kafka.SASL.Password.Reveal(), "two\nlines"},
		"override": {c.ClickHouse.Password.Reveal(), "0123456789abcdef"},
		"key":      {c.HTTP.APIKeys[0].Key.Reveal(), "0123456789abcdef"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: got %q, want %q", what, pair[0], pair[1])
		}
	}
	if got, want := c.Origin("postgres.dsn").String(), path+":2:12"; got != want {
		t.Errorf("origin = %s, want %s", got, want)
	}
}

func TestFaultsOfSecretFiles(t *testing.T) {
	t.Parallel()
	empty := write(t, t.TempDir(), "empty", "\n")
	for _, c := range []faultCase{
		{name: "both", text: "clickhouse: {addr: [a:1], password: x, password_file: y}", alone: true, env: []string{
			"MUSTER_POSTGRES_DSN=postgres://h/d", "MUSTER_KAFKA_BROKERS=b:2",
		}, want: []string{"muster.yaml:1:40: clickhouse.password_file: is given beside password; keep one of the two"}},
		{name: "both variables", env: []string{"MUSTER_CLICKHOUSE_PASSWORD=x", "MUSTER_CLICKHOUSE_PASSWORD_FILE=y"}, want: []string{
			"MUSTER_CLICKHOUSE_PASSWORD_FILE: clickhouse.password: is given beside MUSTER_CLICKHOUSE_PASSWORD",
		}},
		{name: "absent", env: []string{"MUSTER_POSTGRES_DSN_FILE=nowhere/dsn"}, want: []string{
			"MUSTER_POSTGRES_DSN_FILE: postgres.dsn_file: open nowhere/dsn: no such file or directory",
		}},
		{name: "empty", env: []string{"MUSTER_POSTGRES_DSN_FILE=" + empty}, want: []string{
			"MUSTER_POSTGRES_DSN_FILE: postgres.dsn_file: " + empty + " is empty",
		}},
		{name: "no path", alone: true, text: "postgres: {dsn_file: [a]}\nkafka: {brokers: [a:1]}\nclickhouse: {addr: [a:1]}", want: []string{
			"muster.yaml:1:22: postgres.dsn_file: must be the path of a file",
		}},
		{name: "of something that is no secret", text: "log: {level_file: x}", want: []string{
			"muster.yaml:1:7: log.level_file: unknown key",
		}},
	} {
		t.Run(c.name, c.run)
	}
}
