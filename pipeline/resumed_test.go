package pipeline_test

import (
	"testing"

	"muster/pipeline/event"
)

// TestResumedSnapshotKnowsWhatItReadLater: what lies between the point that streaming begins at and the later point under
// which a snapshot was resumed is in the resumed chunks already, for the users of those chunks and for none other.
func TestResumedSnapshotKnowsWhatItReadLater(t *testing.T) {
	t.Parallel()
	s := newScript()
	first := event.SnapshotChunk{Consistent: 1000, Time: 10 * day, Schema: schema, Definitions: []event.Definition{pro},
		Users: []event.SnapshotUser{{ID: "a", Row: row("a", "free", 0)}}, Through: "a"}
	resumed := event.SnapshotChunk{Consistent: 1250, Time: 11 * day, Schema: schema, After: "a", Through: "m", Last: true,
		Users: []event.SnapshotUser{{ID: "b", Row: row("b", "pro", 0)}, {ID: "m", Row: row("m", "free", 0)}}}
	s.snapshot = []event.SnapshotChunk{first, resumed}
	s.commit(10*day+1, upsert("a", "pro", 0), upsert("b", "free", 0), upsert("z", "pro", 0)) // 1100: only a's is news
	s.commit(10*day+2, upsert("b", "pro", 0), remove("z"))                                   // 1200: all known
	last := s.commit(11*day+1, upsert("b", "free", 0), upsert("z", "pro", 0))                // 1300: all news
	r := newRig(t, s)
	r.start()
	r.reach(last)
	r.halt()
	r.expect(
		"1 b pro audience.entered snapshot@950400000000 n=1",
		"2 a pro audience.entered change@950400000000 n=1 trigger",
		"3 b pro audience.exited change@950400000001 n=1",
		"4 z pro audience.entered change@950400000001 n=1 trigger",
	)
}
