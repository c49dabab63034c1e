package pipeline_test

import (
	"testing"

	"muster/pipeline/event"
)

// A changed primary key brings the new row without what is TOASTed and did not change. That is in the state under the old
// key only.
func TestMovedUserKeepsWhatTheLogLeavesOut(t *testing.T) {
	t.Parallel()
	move := func(from, to string) event.Change {
		c := upsert(to, "", 0)
		c.OldUser, c.Row = from, row("", "", 0)[:0].AppendText([]byte(to)).AppendUnchanged().AppendNull()
		return c
	}
	unchanged := func(id string) event.Change {
		c := move("", id)
		c.OldUser = ""
		return c
	}
	moved := []string{
		"1 a pro audience.entered snapshot@864000000000 n=1",
		"2 a pro audience.exited delete@950400000000 n=1",
		"3 b pro audience.entered change@950400000000 n=1 trigger",
	}
	for name, log := range map[string]func(s *script) ([]string, event.LSN){
		"from the state": func(s *script) ([]string, event.LSN) { return moved, s.commit(11*day, move("a", "b")) },
		"from a transaction just before": func(s *script) ([]string, event.LSN) {
			s.commit(11*day, upsert("a", "free", 0))
			s.commit(11*day, upsert("a", "pro", 0))
			return []string{
				"1 a pro audience.entered snapshot@864000000000 n=1",
				"2 a pro audience.exited change@950400000000 n=1",
				"3 a pro audience.entered change@950400000000 n=2 trigger",
				"4 a pro audience.exited delete@950400000000 n=2",
				"5 b pro audience.entered change@950400000000 n=1 trigger",
			}, s.commit(11*day, move("a", "b"))
		},
		"from the same transaction": func(s *script) ([]string, event.LSN) {
			return moved, s.commit(11*day, upsert("a", "free", 0), upsert("a", "pro", 0), unchanged("a"), move("a", "c"), unchanged("c"), move("c", "b"))
		},
		"of a large transaction": func(s *script) ([]string, event.LSN) {
			return moved, s.parts(11*day, []event.Change{upsert("a", "free", 0), upsert("a", "pro", 0)}, []event.Change{unchanged("a"), move("a", "c")},
				[]event.Change{unchanged("c"), move("c", "b")})
		},
		"of a large transaction, from the state": func(s *script) ([]string, event.LSN) {
			return moved, s.parts(11*day, []event.Change{move("a", "b")}, nil)
		},
		"to a key that somebody else had": func(s *script) ([]string, event.LSN) {
			s.commit(11*day, upsert("b", "free", 0))
			return []string{ // b is the first that the transaction touches
				"1 a pro audience.entered snapshot@864000000000 n=1",
				"2 b pro audience.entered change@950400000000 n=1 trigger",
				"3 a pro audience.exited delete@950400000000 n=1",
			}, s.commit(11*day, remove("b"), move("a", "b"))
		},
		"and back": func(s *script) ([]string, event.LSN) {
			s.commit(11*day, move("a", "b"), move("b", "a"), unchanged("a"))
			return moved, s.commit(11*day, move("a", "b"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScript()
			s.snapshot = []event.SnapshotChunk{
				{Consistent: 1000, Time: 10 * day, Schema: schema, Definitions: []event.Definition{pro}},
				{Consistent: 1000, Time: 10 * day, Schema: schema, Users: []event.SnapshotUser{{ID: "a", Row: row("a", "pro", 0)}}, Last: true},
			}
			r := newRig(t, s)
			r.start()
			want, last := log(s)
			r.reach(last)
			r.halt()
			r.expect(want...)
		})
	}
}
