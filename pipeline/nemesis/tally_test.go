package nemesis

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tally counts the harm done, by the names of faults.
type tally map[string]int

// kinds are what the long run is to have had enough of.
var kinds = []struct {
	name   string
	counts map[string]int // how many of it each fault is
}{
	{"SIGKILLs of the worker", map[string]int{"worker killed": 1, "worker killed and away": 1, "worker killed while it starts": 2, "worker killed in its snapshot": 1}},
	{"Postgres restarts and crashes", map[string]int{"postgres restarted": 1, "postgres crashed": 1, "postgres crashed in the snapshot": 1}},
	{"ClickHouse outages", map[string]int{"clickhouse killed": 1, "clickhouse out of reach": 1}},
	{"Kafka outages and cut connections", map[string]int{"kafka out of reach": 1, "kafka connection cut": 1, "kafka closes connections": 1}},
	{"disks that refuse to write", map[string]int{"disk refuses to write": 1}},
}

func (t tally) add(o tally) {
	for name, n := range o {
		t[name] += n
	}
}

// String is a table: each fault, and then the kinds.
func (t tally) String() string {
	var b strings.Builder
	all := 0
	for _, name := range slices.Sorted(maps.Keys(t)) {
		fmt.Fprintf(&b, "%6d %s\n", t[name], name)
		all += t[name]
	}
	fmt.Fprintf(&b, "%6d in all, of them\n", all)
	for _, k := range kinds {
		n := 0
		for name, each := range k.counts {
			n += each * t[name]
		}
		fmt.Fprintf(&b, "%6d %s\n", n, k.name)
	}
	return b.String()
}
