package plain

import (
	"fmt"
	"testing"

	"muster/evaluator"
)

// BenchmarkDiff judges one change of a row by a thousand audiences of three conditions, a third of them by the clock.
func BenchmarkDiff(b *testing.B) {
	var definitions []*evaluator.Definition
	for i := range 1_000 {
		last := onPath("recipient.at", "is_timestamp_before", fmt.Sprintf(`"%d days ago"`, i%30), "")
		if i%3 > 0 {
			last = onPath("recipient.tags", "contains", fmt.Sprintf(`"tag%d"`, i%50), "")
		}
		definitions = append(definitions, dynamic(b, fmt.Sprintf("a%d", i),
			onPath("recipient.n", "greater_than", fmt.Sprint(i%100), "")+`,`+on("equal_to", fmt.Sprintf(`"v%d"`, i%20))+`,`+last))
	}
	j := compiled(b, definitions...)
	before := &evaluator.Input{User: "u1", Now: instant(b, now), Row: rowOf(b, columns{"n": "50", "properties": `{"p":"v3"}`, "at": "2026-06-10", "tags": "{tag3}"})}
	after := &evaluator.Input{User: "u1", Now: instant(b, now), Row: rowOf(b, columns{"n": "51", "properties": `{"p":"v4"}`, "at": "2026-06-10", "tags": "{tag4}"})}
	var diff evaluator.Diff
	b.ReportAllocs()
	for b.Loop() {
		j.Diff(before, after, &diff)
	}
	b.ReportMetric(float64(len(diff.Changes)), "changes/op")
}
