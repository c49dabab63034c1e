package pipeline_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"muster/evaluator"
	"muster/pipeline/event"
)

// BenchmarkChanges measures changes through the whole pipeline, from decoded transactions to durable state and a sink
// that takes everything, without Postgres and the network: one change a transaction, a hundred thousand users, four audiences.
func BenchmarkChanges(b *testing.B) {
	s := newScript()
	const users = 100_000
	chunk := event.SnapshotChunk{Consistent: 1000, Time: 10 * day, Schema: schema, Definitions: []event.Definition{pro, recent, both, invited}}
	s.snapshot = []event.SnapshotChunk{chunk}
	for i := 0; i < users; i += 1000 {
		c := event.SnapshotChunk{Consistent: 1000, Time: 10 * day, Schema: schema, Last: i+1000 >= users}
		for j := i; j < i+1000; j++ {
			id := fmt.Sprintf("user_%08d", j)
			c.Users = append(c.Users, event.SnapshotUser{ID: id, Row: row(id, "free", 9*day)})
			c.Through = id
		}
		s.snapshot = append(s.snapshot, c)
	}
	plans := []string{"free", "pro", "team"}
	random := rand.New(rand.NewPCG(1, 2))
	var last event.LSN
	for i := range b.N {
		id := fmt.Sprintf("user_%08d", random.IntN(users))
		last = s.commit(10*day+evaluator.Instant(i), upsert(id, plans[random.IntN(3)], 10*day-evaluator.Instant(random.IntN(int(day)))))
	}
	s.chunk = 500
	r := newRig(b, s)
	r.dir = b.TempDir()
	r.start()
	r.reach(1000)
	for r.Status().SnapshotRows < users {
	}
	b.ResetTimer()
	r.reach(last)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "changes/s")
	r.halt()
	b.ReportMetric(float64(len(r.sink.all()))/float64(b.N), "events/change")
}
