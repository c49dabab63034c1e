package pipeline_test

import (
	"errors"
	"testing"

	"muster/pipeline/event"
)

var errAway = event.Unreachable(errors.New("connection reset by peer"))

// TestFirstSnapshotOutlivesItsSource: a source that goes away in the middle is asked again, for what is not in the state.
func TestFirstSnapshotOutlivesItsSource(t *testing.T) {
	t.Parallel()
	definitions := event.SnapshotChunk{Consistent: 1000, Time: 10 * day, Schema: schema, Definitions: []event.Definition{pro, invited}}
	members := event.SnapshotChunk{Consistent: 1000, Time: 10 * day, Schema: schema, Members: []event.Member{{Audience: "invited", User: "a"}}}
	a := event.SnapshotChunk{Consistent: 1000, Time: 10 * day, Schema: schema, Users: []event.SnapshotUser{{ID: "a", Row: row("a", "pro", 0)}}, Through: "a"}
	b := event.SnapshotChunk{Consistent: 1000, Time: 10 * day, Schema: schema, After: "a", Through: "b", Last: true,
		Users: []event.SnapshotUser{{ID: "b", Row: row("b", "pro", 0)}}}
	attempts := [][]event.SnapshotChunk{{}, {definitions}, {members}, {members, a}, {b}}
	want := []event.SnapshotResume{{}, {}, {Started: true}, {Started: true}, {Started: true, Members: true, AfterKey: "a"}}
	s := newScript()
	n := 0
	s.read = func(resume event.SnapshotResume) ([]event.SnapshotChunk, error) {
		if resume != want[n] {
			t.Errorf("attempt %d: %+v, want %+v", n+1, resume, want[n])
		}
		n++
		if n < len(attempts) {
			return attempts[n-1], errAway
		}
		return attempts[n-1], nil
	}
	r := newRig(t, s)
	r.start()
	r.reach(1000)
	last := s.commit(10*day+1, upsert("b", "free", 0))
	r.reach(last)
	r.halt()
	r.expect(
		"1 a invited audience.entered snapshot@864000000000 n=1",
		"2 a pro audience.entered snapshot@864000000000 n=1",
		"3 b pro audience.entered snapshot@864000000000 n=1",
		"4 b pro audience.exited change@864000000001 n=1",
	)
}

// TestReadingAgainOutlivesItsSource begins such a reading anew: what it read before is of an earlier moment than the rest.
func TestReadingAgainOutlivesItsSource(t *testing.T) {
	t.Parallel()
	rewritten := *schema
	rewritten.Rewrites = 1
	s := newScript()
	s.snapshot = []event.SnapshotChunk{{Consistent: 1000, Time: 10 * day, Schema: schema, Definitions: []event.Definition{pro}, Last: true,
		Users: []event.SnapshotUser{{ID: "a", Row: row("a", "free", 0)}, {ID: "b", Row: row("b", "pro", 0)}}}}
	again := []event.SnapshotChunk{
		{Consistent: 1150, Time: 11 * day, Schema: &rewritten, Users: []event.SnapshotUser{{ID: "a", Row: row("a", "pro", 0)}}, Through: "a"},
		{Consistent: 1150, Time: 11 * day, Schema: &rewritten, After: "a", Last: true},
	}
	first := s.snapshot
	readings := 0
	s.read = func(resume event.SnapshotResume) ([]event.SnapshotChunk, error) {
		switch readings++; {
		case !resume.Started:
			return first, nil
		case resume.AfterKey != "":
			t.Errorf("it went on behind %q", resume.AfterKey)
			return again, nil
		case readings < 4:
			return again[:readings-2], errAway
		}
		return again, nil
	}
	r := newRig(t, s)
	r.start()
	r.reach(1000)
	change := upsert("c", "pro", 0)
	change.Schema = &rewritten
	r.reach(s.commit(10*day+1, change))
	last := s.commit(11*day+1, remove("a"))
	r.reach(last)
	r.halt()
	if readings != 4 {
		t.Errorf("%d readings", readings)
	}
	r.expect(
		"1 b pro audience.entered snapshot@864000000000 n=1",
		"2 a pro audience.entered definition@864000000001 n=1",
		"3 b pro audience.exited delete@864000000001 n=1",
		"4 a pro audience.exited delete@950400000001 n=1",
	)
}
