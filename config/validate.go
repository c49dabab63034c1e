package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxWorkers bounds evaluator.workers: each has a queue and scratch memory of its own.
const maxWorkers = 1024

// validate checks every value. A value that could not even be read has its fault already and is not judged again.
func (l *loader) validate() {
	v := &validator{loader: l, bad: make(map[string]bool)}
	for _, f := range l.faults {
		v.bad[strings.TrimSuffix(f.Key, "_file")] = true
	}
	c := l.config
	v.environments(c)
	v.postgres(c.Postgres)
	v.state(c)
	v.kafka(c.Kafka)
	v.clickhouse(c.ClickHouse)
	v.http(c.HTTP)
	v.log(c.Log)
}

type validator struct {
	*loader
	bad map[string]bool // keys that have a fault
}

// wrong records a fault of a key, unless the key or a section around it has one already.
func (v *validator) wrong(key, format string, args ...any) {
	for k := key; k != ""; k = parent(k) {
		if v.bad[k] {
			return
		}
	}
	v.bad[key] = true
	v.fault(v.whereIs(key), key, fmt.Sprintf(format, args...))
}

// whereIs is the place of the key, else of the nearest section around it that the file has, else of the file.
func (v *validator) whereIs(key string) Origin {
	for k := key; k != ""; k = parent(k) {
		if o := v.config.Origin(k); o.Given() {
			return o
		}
	}
	return Origin{File: v.path}
}

// parent is the section or list that the key is in, "" for none.
func parent(key string) string { return key[:max(0, strings.LastIndexAny(key, ".["))] }

// required reports whether the key has a value, and records a fault when not.
func (v *validator) required(key string, has bool) bool {
	if !has {
		v.wrong(key, "is required: set it in the file or in %s", variableName(key))
	}
	return has
}

func (v *validator) oneOf(key, value string, allowed ...string) {
	if slices.Contains(allowed, value) {
		return
	}
	hint := ""
	if near := nearest(value, allowed); near != "" {
		hint = "; did you mean " + near + "?"
	}
	v.wrong(key, "%q is not one of %s%s", value, strings.Join(allowed, ", "), hint)
}

// within checks both ends, inclusive; show makes them readable.
func within[T cmp.Ordered](v *validator, key string, value, low, high T, show func(T) string) {
	if value < low || value > high {
		v.wrong(key, "%s is not between %s and %s", show(value), show(low), show(high))
	}
}

func showInt(n int) string { return fmt.Sprint(n) }

func showSize(s Size) string { return s.String() }

func showDuration(d time.Duration) string { return formatDuration(d) }

var environmentForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)

func (v *validator) environments(c *Config) {
	const form = "%q is no environment name: up to 63 lower-case letters, digits, - and _, the first a letter or digit"
	if !environmentForm.MatchString(c.Environment) {
		v.wrong("environment", form, c.Environment)
	}
	if !c.Origin("environments").Given() {
		return // made from environment
	}
	for i, name := range c.Environments {
		key := fmt.Sprintf("environments[%d]", i)
		switch {
		case !environmentForm.MatchString(name):
			v.wrong(key, form, name)
		case slices.Index(c.Environments, name) < i:
			v.wrong(key, "%q is listed twice", name)
		}
	}
	if !slices.Contains(c.Environments, c.Environment) {
		v.wrong("environment", "%q is not one of environments: %s", c.Environment, strings.Join(c.Environments, ", "))
	}
}

func (v *validator) state(c *Config) {
	v.required("state.dir", c.State.Dir != "")
	if d := c.State.Checkpoint.Dir; d != "" && d == c.State.Dir {
		v.wrong("state.checkpoint.dir", "must be another folder than state.dir")
	}
	within(v, "state.checkpoint.interval", c.State.Checkpoint.Interval, time.Second, 366*day, showDuration)
	within(v, "evaluator.workers", c.Evaluator.Workers, 1, maxWorkers, showInt)
	within(v, "outbox.max_bytes", c.Outbox.MaxBytes, 64*Mebibyte, 1024*Tebibyte, showSize)
}

func (v *validator) log(c Log) {
	v.oneOf("log.level", c.Level, "debug", "info", "warn", "error")
	v.oneOf("log.format", c.Format, "auto", "text", "json")
}
