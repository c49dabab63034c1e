package pipeline_test

import (
	"fmt"
	"slices"
	"testing"

	"muster/evaluator"
	"muster/pipeline/event"
)

var schema = &evaluator.Schema{
	Columns: []evaluator.Column{
		{Name: "id"}, {Name: "plan"}, {Name: "seen", Type: evaluator.ColumnType{Kind: evaluator.ColumnTimestamp}},
	},
	Properties: -1,
}

func row(id, plan string, seen evaluator.Instant) evaluator.Tuple {
	var t evaluator.Tuple
	return t.AppendText([]byte(id)).AppendText([]byte(plan)).AppendText([]byte(seen.Time().Format("2006-01-02 15:04:05.999999+00")))
}

func upsert(id, plan string, seen evaluator.Instant) event.Change {
	return event.Change{Op: event.Upsert, User: id, Schema: schema, Row: row(id, plan, seen)}
}

func remove(id string) event.Change { return event.Change{Op: event.Delete, User: id} }

func define(key string, version uint32, document string) event.Definition {
	d, err := evaluator.Decode([]byte(document), key)
	if err != nil {
		panic(err)
	}
	return event.Definition{Audience: key, Version: version, SHA: d.SHA(), Document: []byte(document)}
}

const (
	second = evaluator.Instant(1_000_000)
	day    = 86_400 * second
)

var (
	pro     = define("pro", 1, `{"type":"dynamic","segments":[{"conditions":[{"property":"recipient.plan","operator":"equal_to","argument":"pro"}]}]}`)
	recent  = define("recent", 1, `{"type":"dynamic","segments":[{"conditions":[{"property":"recipient.seen","operator":"is_timestamp_on_or_after","argument":"1 day ago"}]}]}`)
	both    = define("both", 1, `{"type":"dynamic","segments":[{"conditions":[{"operator":"is_audience_member","argument":"pro"},{"operator":"is_audience_member","argument":"recent"}]}]}`)
	invited = define("invited", 1, `{"type":"static"}`)
)

// told is an event as one line.
func told(e event.Event) string {
	tenant := ""
	if e.Tenant != "" {
		tenant = "/" + e.Tenant
	}
	trigger := ""
	if e.Trigger {
		trigger = " trigger"
	}
	return fmt.Sprintf("%d %s %s%s %s %s@%d n=%d%s", e.Sequence, e.User, e.Audience, tenant, e.Type, e.Cause, e.OccurredAt, e.EntryCount, trigger)
}

func (r *rig) expect(want ...string) {
	r.t.Helper()
	var have []string
	for _, e := range r.sink.all() {
		have = append(have, told(e))
	}
	if !slices.Equal(have, want) {
		r.t.Errorf("events:")
		for i := range max(len(have), len(want)) {
			var h, w string
			if i < len(have) {
				h = have[i]
			}
			if i < len(want) {
				w = want[i]
			}
			r.t.Errorf("  have %-60s want %s", h, w)
		}
	}
}

func TestOneChangeFromLogToSink(t *testing.T) {
	t.Parallel()
	s := newScript()
	s.snapshot = []event.SnapshotChunk{
		{Consistent: 1000, Time: 10 * day, Schema: schema, Definitions: []event.Definition{pro, recent, both, invited},
			Members: []event.Member{{Audience: "invited", User: "b", Tenant: "acme"}, {Audience: "invited", User: "ghost"}}},
		{Consistent: 1000, Time: 10 * day, Schema: schema, Users: []event.SnapshotUser{{ID: "a", Row: row("a", "pro", 10*day-5)}, {ID: "b", Row: row("b", "free", 0)}}, Last: true},
	}
	r := newRig(t, s)
	r.start()
	s.commit(10*day+1, upsert("b", "pro", 0))
	s.commit(10*day+2, upsert("b", "free", 0), upsert("b", "pro", 0)) // judged once: no flicker
	last := s.commit(11*day, upsert("c", "x", 11*day), upsert("ghost", "pro", 11*day))
	r.reach(last)
	r.halt()
	r.expect(
		"1 a pro audience.entered snapshot@864000000000 n=1",
		"2 a recent audience.entered snapshot@864000000000 n=1",
		"3 a both audience.entered snapshot@864000000000 n=1",
		"4 b invited/acme audience.entered snapshot@864000000000 n=1",
		"5 b pro audience.entered change@864000000001 n=1 trigger",
		"6 a recent audience.exited timer@950399999996 n=1",
		"7 a both audience.exited reference@950399999996 n=1",
		"8 c recent audience.entered change@950400000000 n=1 trigger",
		"9 ghost invited audience.entered identified@950400000000 n=1",
		"10 ghost pro audience.entered change@950400000000 n=1 trigger",
		"11 ghost recent audience.entered change@950400000000 n=1 trigger",
		"12 ghost both audience.entered reference@950400000000 n=1 trigger",
	)
}
