package config

import (
	"runtime"
	"time"
)

// Config is the whole configuration of a worker. The comment of a field is its text in REFERENCE.md.
type Config struct {
	// The environment whose audiences this worker evaluates. Lower-case letters, digits, `-` and `_`.
	Environment string `yaml:"environment"`
	// All environments of the deployment in promotion order; `environment` must be one of them. When it is not given and
	// `environment` is not one of the default ones, it is that one alone.
	Environments []string `yaml:"environments"`

	Postgres   Postgres   `yaml:"postgres"`
	State      State      `yaml:"state"`
	Evaluator  Evaluator  `yaml:"evaluator"`
	Kafka      Kafka      `yaml:"kafka"`
	ClickHouse ClickHouse `yaml:"clickhouse"`
	HTTP       HTTP       `yaml:"http"`
	Outbox     Outbox     `yaml:"outbox"`
	Audiences  Audiences  `yaml:"audiences"`
	Log        Log        `yaml:"log"`

	origins map[string]Origin
}

// State is where the worker keeps its embedded state.
type State struct {
	// The folder of the worker's state. It belongs to one worker and one database.
	Dir string `yaml:"dir" path:"true"`

	Checkpoint Checkpoint `yaml:"checkpoint"`
}

// Checkpoint is a copy of the state, for the day its disk is lost.
type Checkpoint struct {
	// A folder that receives a copy of the state each interval, `<UTC time>` each; the last two are kept. On the state's own file
	// system files are linked, not copied. Empty: none are made.
	Dir string `yaml:"dir" path:"true"`
	// The time between two checkpoints, at least 1s.
	Interval time.Duration `yaml:"interval"`
}

// Evaluator sizes the pool that judges changes.
type Evaluator struct {
	// How many users are judged at the same time, 1 to 1024. Default: the number of cores.
	Workers int `yaml:"workers" default:"<cores>"`
}

// Outbox bounds the queue between the state and the sinks.
type Outbox struct {
	// The size at which events that a sink has not taken yet stop the reading from Postgres, at least 64MiB. A sink that is
	// away for hours fills it; Postgres keeps its log meanwhile, so mind `max_slot_wal_keep_size` there.
	MaxBytes Size `yaml:"max_bytes"`
}

// Audiences points to definitions kept as files.
type Audiences struct {
	// A folder of definitions, `<key>/audience.json` (or `.yaml`), that are pushed and committed at start where they differ
	// from the committed ones. Empty: definitions come by the API and the command line only.
	Dir string `yaml:"dir" path:"true"`
}

// Log shapes the worker's own log on stderr.
type Log struct {
	// The least level that is written: `debug`, `info`, `warn` or `error`.
	Level string `yaml:"level"`
	// `text`, `json`, or `auto`: text on a terminal, JSON elsewhere.
	Format string `yaml:"format"`
}

// Default returns the configuration that holds where nothing else is said. It lacks what only the user knows, the
// addresses of Postgres, Kafka and ClickHouse, and so is not valid by itself.
func Default() *Config {
	return &Config{
		Environment:  "development",
		Environments: []string{"development", "production"},
		Postgres: Postgres{
			Slot:        "muster",
			Publication: "muster",
			Users:       Users{Table: "public.users", ID: "id", Properties: "properties"},
			Schema:      "muster",
			Create:      true,
			Identify:    true,
			Heartbeat:   10 * time.Second,
		},
		State:     State{Dir: "./muster-state", Checkpoint: Checkpoint{Interval: time.Hour}},
		Evaluator: Evaluator{Workers: min(runtime.GOMAXPROCS(0), maxWorkers)},
		Kafka: Kafka{
			Enabled:     true,
			Topic:       "muster.membership",
			Partitions:  8,
			Replication: BrokerDefault,
			CreateTopic: true,
			Compression: "zstd",
		},
		ClickHouse: ClickHouse{
			Enabled:  true,
			Database: "muster",
			Username: "default",
			Flush:    Flush{Rows: 50_000, Interval: 500 * time.Millisecond},
		},
		HTTP: HTTP{
			Listen: "127.0.0.1:8470",
			Limits: HTTPLimits{Body: 4 * Megabyte, Import: 10 * Megabyte},
		},
		Outbox: Outbox{MaxBytes: 8 * Gibibyte},
		Log:    Log{Level: "info", Format: "auto"},
	}
}
