package app

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheGuideNamesEveryMetric holds the table of the operator's guide to what a worker that has done some of everything
// exports, both ways.
func TestTheGuideNamesEveryMetric(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../deploy/guide/OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(guide), "| metric | kind | |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if !found {
		t.Fatal("the guide has no table of metrics")
	}
	documented := make(map[string]string) // its kind
	for _, row := range strings.Split(table, "\n") {
		cells := strings.Split(row, " | ")
		for _, name := range regexp.MustCompile(`muster_[a-z_]+`).FindAllString(cells[0], -1) {
			documented[name] = cells[1]
		}
	}
	s := serve(t, "")
	s.commit("pro", plan("pro"))
	exec(t, s.db, `INSERT INTO users (id, plan) VALUES ('u1', 'pro')`)
	exported := make(map[string]string)
	s.eventually("something of every kind to have happened", func() bool {
		clear(exported)
		for _, m := range regexp.MustCompile(`(?m)^# TYPE (muster_\w+) (\w+)$`).FindAllStringSubmatch(s.want(200, "GET", "/metrics", "").text, -1) {
			exported[m[1]] = m[2]
		}
		for _, name := range []string{"muster_end_to_end_seconds", "muster_events_total", "muster_audience_members", "muster_source_changes_total", "muster_slot_retained_bytes", "muster_slot_status"} {
			if exported[name] == "" {
				return false
			}
		}
		return true
	})
	exported["muster_sink_errors_total"] = "counter" // there was no fault
	exported["muster_snapshot_rows_total"] = "gauge" // untyped there, since its name is a counter's
	for _, name := range slices.Sorted(maps.Keys(exported)) {
		if documented[name] != exported[name] {
			t.Errorf("%s is a %s; the guide says it is a %q", name, exported[name], documented[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(documented)) {
		if exported[name] == "" {
			t.Errorf("the guide has %s, and the worker does not", name)
		}
	}
	for _, name := range regexp.MustCompile(`\bmuster_[a-z_]+\b`).FindAllString(string(guide), -1) {
		if exported[name] == "" {
			t.Errorf("the guide speaks of %s, and the worker has no such metric", name)
		}
	}
}
