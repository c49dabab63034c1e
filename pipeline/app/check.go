package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"muster/config"
	"muster/connectors/postgres"
	"muster/pipeline/state"
	"muster/sinks/clickhouse"
	"muster/sinks/kafka"
)

// Finding is the outcome of one check of a prerequisite.
type Finding struct {
	Part   string `json:"part"` // postgres, kafka, clickhouse, state or audiences
	Name   string `json:"name"`
	Status string `json:"status"` // ok, warn or fail
	Detail string `json:"detail"`
	Repair string `json:"repair,omitempty"` // the command or step that mends it
}

// Check looks at everything a worker needs and changes nothing. One fault does not hide the next.
func Check(ctx context.Context, c *config.Config) []Finding {
	quiet := slog.New(slog.DiscardHandler)
	var findings []Finding
	add := func(part, name, status, detail, repair string) {
		findings = append(findings, Finding{part, name, status, detail, repair})
	}
	for _, r := range postgres.Check(ctx, sourceOptions(c, quiet)) {
		add("postgres", r.Name, string(r.Status), r.Detail, r.Repair)
	}
	if c.Kafka.Enabled {
		o, err := KafkaOptions(c, quiet)
		if err != nil {
			add("kafka", "configuration", "fail", err.Error(), "correct the section kafka of the configuration")
		} else {
			for _, r := range checkKafka(ctx, o) {
				add("kafka", strings.TrimPrefix(r.Name, "kafka "), strings.TrimSuffix(r.Status, "s"), r.Detail, r.Repair)
			}
		}
	}
	if c.ClickHouse.Enabled {
		for _, r := range checkClickHouse(ctx, c, quiet) {
			add("clickhouse", strings.TrimPrefix(r.Name, "clickhouse "), strings.TrimSuffix(string(r.Status), "s"), r.Detail, r.Repair)
		}
	}
	findings = append(findings, checkState(ctx, c, quiet), checkAudiences(c))
	return findings
}

func checkClickHouse(ctx context.Context, c *config.Config, log *slog.Logger) []clickhouse.CheckResult {
	o, err := ClickHouseOptions(c, log)
	if err == nil {
		var sink *clickhouse.Sink
		if sink, err = clickhouse.New(o); err == nil {
			defer func() { _ = sink.Close() }()
			return sink.Check(ctx)
		}
	}
	return []clickhouse.CheckResult{{Name: "configuration", Status: clickhouse.Fails, Detail: err.Error(), Repair: "correct the section clickhouse of the configuration"}}
}

func checkKafka(ctx context.Context, o kafka.Options) []kafka.CheckResult {
	producer, err := kafka.New(o)
	if err != nil {
		return []kafka.CheckResult{{Name: "configuration", Status: kafka.StatusFails, Detail: err.Error(), Repair: "correct the section kafka of the configuration"}}
	}
	defer func() { _ = producer.Close() }()
	return producer.Check(ctx)
}

// checkState tells whether the state directory can be used and is that of the database configured.
func checkState(ctx context.Context, c *config.Config, log *slog.Logger) Finding {
	f := Finding{Part: "state", Name: "directory", Status: "ok"}
	if _, err := os.Stat(c.State.Dir); errors.Is(err, os.ErrNotExist) {
		return checkNewState(f, c.State.Dir)
	}
	store, err := state.Open(c.State.Dir, state.Options{Logger: log})
	if errors.Is(err, state.ErrLocked) {
		f.Status, f.Detail = "warn", "in use by another process, most likely the running worker; what it holds was not looked at"
		return f
	}
	if err != nil {
		f.Status, f.Detail, f.Repair = "fail", err.Error(), "let state.dir name a folder this user may write"
		return f
	}
	defer func() { _ = store.Close() }()
	was, exists, err := store.Identity()
	switch {
	case err != nil:
		f.Status, f.Detail, f.Repair = "fail", err.Error(), "muster rebuild -c FILE"
		return f
	case !exists:
		f.Detail = c.State.Dir + " is empty; the first run fills it from a snapshot"
		return f
	}
	source, err := NewSource(c, log)
	if err != nil {
		f.Status, f.Detail = "fail", err.Error()
		return f
	}
	defer func() { _ = source.Close(ctx) }()
	now, err := source.Identity(ctx)
	if err != nil {
		f.Status, f.Detail = "warn", "could not be compared with the database: "+err.Error()
		return f
	}
	head, err := store.Head()
	if err == nil {
		err = resumable(was, identityOf(c, now), head, now, c)
	}
	if err != nil {
		f.Status, f.Detail, f.Repair = "fail", err.Error(), "another state.dir, or muster rebuild -c FILE"
		return f
	}
	f.Detail = fmt.Sprintf("%s goes on from %s, event %d", c.State.Dir, head.Position, head.Sequence)
	return f
}

// checkNewState tells whether a directory that does not exist can be made, by looking at the nearest parent that does.
func checkNewState(f Finding, dir string) Finding {
	parent := filepath.Dir(filepath.Clean(dir))
	for {
		info, err := os.Stat(parent)
		if errors.Is(err, os.ErrNotExist) && parent != filepath.Dir(parent) {
			parent = filepath.Dir(parent)
			continue
		}
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is no folder", parent)
		}
		if err == nil {
			var probe *os.File
			if probe, err = os.CreateTemp(parent, ".muster-check-*"); err == nil {
				err = errors.Join(probe.Close(), os.Remove(probe.Name()))
			}
		}
		if err != nil {
			f.Status, f.Detail, f.Repair = "fail", fmt.Sprintf("%s cannot be made: %v", dir, err), "let state.dir name a folder this user may write"
			return f
		}
		f.Detail = dir + " will be made at the first run and filled from a snapshot"
		return f
	}
}

// checkAudiences tells whether the definitions of audiences.dir are sound.
func checkAudiences(c *config.Config) Finding {
	f := Finding{Part: "audiences", Name: "definitions", Status: "ok", Detail: "come by the API and the command line"}
	if c.Audiences.Dir == "" {
		return f
	}
	files, err := ReadDirectory(c.Audiences.Dir)
	if err == nil {
		err = checkFiles(files)
	}
	if err != nil {
		f.Status, f.Detail, f.Repair = "fail", err.Error(), "correct the definitions; muster audience validate --dir "+c.Audiences.Dir
		return f
	}
	f.Detail = fmt.Sprintf("%d in %s", len(files), c.Audiences.Dir)
	return f
}
