package config

import (
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// least is the least configuration that works, in the form that the README shows.
const least = `postgres: {dsn: "postgres://muster:s3cret@localhost/app"}
kafka: {brokers: [localhost:9092]}
clickhouse: {addr: [localhost:9000]}
`

func TestLeastConfigurationIsTheDefaultsAndThreeAddresses(t *testing.T) {
	t.Parallel()
	got, err := load("", []byte(least), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Postgres.DSN = NewDSN("postgres://muster:s3cret@localhost/app")
	want.Kafka.Brokers = []string{"localhost:9092"}
	want.Kafka.TransactionalID = "muster-development"
	want.ClickHouse.Addr = []string{"localhost:9000"}
	want.origins = got.origins
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestLoadReadsEveryKind(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, `
environment: staging
environments: [dev, staging]
postgres:
  dsn: postgres://localhost/app   # a plain scalar with colons
  create: false
  heartbeat: 1m30s
  users: {table: My App.users, columns: [id, plan]}
kafka: {brokers: [a:1, "b:2", '[::1]:3'], partitions: 12, transactional_id: off}
clickhouse:
  addr:
    - localhost:9000
  ttl: 400d
outbox: {max_bytes: 512MB}
http:
  listen: 0.0.0.0:8470
  api_keys:
    - {name: ci, role: read, key: 0123456789abcdef}
    - name: people
      role: admin
      sha256: 3465f6e6975baa864ca957f0914ecda9bf7eb601ac31ac20a5dc3d329279a843
log:
`)
	check := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	check("environments", c.Environments, []string{"dev", "staging"})
	check("dsn", c.Postgres.DSN.Reveal(), "postgres://localhost/app")
	check("create", c.Postgres.Create, false)
	check("heartbeat", c.Postgres.Heartbeat, 90*time.Second)
	check("columns", c.Postgres.Users.Columns, []string{"id", "plan"})
	check("brokers", c.Kafka.Brokers, []string{"a:1", "b:2", "[::1]:3"})
	check("partitions", c.Kafka.Partitions, 12)
	check("transactional id", c.Kafka.TransactionalID, TransactionalIDOff)
	check("ttl", c.ClickHouse.TTL, 400*day)
	check("max bytes", c.Outbox.MaxBytes, 512*Megabyte)
	check("first key", c.HTTP.APIKeys[0].Key.Reveal(), "0123456789abcdef")
	check("hash of the first", c.HTTP.APIKeys[0].Hash(), sha256.Sum256([]byte("0123456789abcdef")))
	check("hash of the second", c.HTTP.APIKeys[1].Hash(), sha256.Sum256([]byte("fedcba9876543210")))
	check("an empty section", c.Log, Default().Log)
	schema, table := c.Postgres.Users.Name()
	check("schema and table", schema+"/"+table, "My App/users")
}

func TestEnvironmentsFollowAnEnvironmentOfOnesOwn(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, least+"environment: eu-west\n")
	if !reflect.DeepEqual(c.Environments, []string{"eu-west"}) {
		t.Errorf("environments = %v", c.Environments)
	}
	if c.Kafka.TransactionalID != "muster-eu-west" {
		t.Errorf("transactional id = %q", c.Kafka.TransactionalID)
	}
}

func TestOneSinkIsEnough(t *testing.T) {
	t.Parallel()
	mustLoad(t, "postgres: {dsn: postgres://h/d}\nkafka: {enabled: false}\nclickhouse: {addr: [h:9000]}\n")
	mustLoad(t, "postgres: {dsn: postgres://h/d}\nkafka: {brokers: [h:9092]}\nclickhouse: {enabled: false}\n")
}

func TestOriginTellsWhereAValueComesFrom(t *testing.T) {
	t.Parallel()
	c, err := load("muster.yaml", []byte(least), []string{"MUSTER_KAFKA_TOPIC=events"})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"postgres.dsn":  "muster.yaml:1:17",
		"kafka.brokers": "muster.yaml:2:9",
		"kafka.topic":   "MUSTER_KAFKA_TOPIC",
		"log.level":     "default",
	} {
		if got := c.Origin(key).String(); got != want {
			t.Errorf("origin of %s = %s, want %s", key, got, want)
		}
	}
}

func TestPathsOfTheFileAreRelativeToItsFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := write(t, dir, "muster.yaml", least+"audiences: {dir: definitions}\n")
	c, err := Load(path, []string{"MUSTER_STATE_CHECKPOINT_DIR=copies"})
	if err != nil {
		t.Fatal(err)
	}
	if want := filepath.Join(dir, "definitions"); c.Audiences.Dir != want {
		t.Errorf("audiences.dir = %s, want %s", c.Audiences.Dir, want)
	}
	if want := filepath.Join(dir, "muster-state"); c.State.Dir != want {
		t.Errorf("state.dir = %s, want %s", c.State.Dir, want)
	}
	if c.State.Checkpoint.Dir != "copies" {
		t.Errorf("checkpoint dir = %s, want it relative to the working folder", c.State.Checkpoint.Dir)
	}
}

func TestLoadSaysWhichFileIsMissing(t *testing.T) {
	t.Parallel()
	_, err := Load(filepath.Join(t.TempDir(), "absent.yaml"), nil)
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "absent.yaml") {
		t.Errorf("err = %v", err)
	}
}

func TestLoadRefusesWhatIsNoTextFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, path := range map[string]string{
		"folder":    dir,
		"binary":    write(t, dir, "binary", "a\x00b"),
		"too large": write(t, dir, "large", strings.Repeat("#\n", maxFile)),
	} {
		if _, err := Load(path, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestDefaultIsACopy(t *testing.T) {
	t.Parallel()
	a := mustLoad(t, least+"environments: [x, development]\n")
	a.Environments[0] = "changed"
	if got := Default().Environments[0]; got != "development" {
		t.Errorf("the defaults changed with a loaded configuration: %s", got)
	}
}

func mustLoad(t *testing.T, text string, environ ...string) *Config {
	t.Helper()
	c, err := load("", []byte(text), environ)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
