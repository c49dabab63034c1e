package pipeline

import (
	"testing"

	"muster/pipeline/event"
	"muster/pipeline/state"
)

// TestSpareSubjectRemembersNothing lends a subject out twice: of its first user nothing must be left.
func TestSpareSubjectRemembersNothing(t *testing.T) {
	t.Parallel()
	var p spares
	s := p.take("a")
	s.stored, s.encoded, s.flip = []byte{1}, []byte{1}, 7
	s.touches = append(s.touches, touch{op: event.Delete})
	s.events = append(s.events, pending{audience: 1})
	s.recorded = append(s.recorded, recording{audience: 1})
	s.record = state.Record{Present: true, Flip: 7, Memberships: make([]state.Membership, 1), Recorded: make([]state.Recorded, 1), Waits: make([]state.Wait, 1)}
	p.give([]*subject{s})
	again := p.take("b")
	if again != s {
		t.Fatal("it was not kept")
	}
	r := again.record
	if again.user != "b" || again.stored != nil || again.encoded != nil || again.flip != 0 || r.Present || r.Flip != 0 ||
		len(again.touches)+len(again.events)+len(again.recorded)+len(r.Memberships)+len(r.Recorded)+len(r.Waits) > 0 {
		t.Fatalf("of the user before there is %+v", again)
	}
	if cap(again.events) == 0 || again.events[:1][0].audience != 0 {
		t.Error("the memory of its events is not kept, or not emptied")
	}
}

// TestSparesAreBounded gives back more subjects, and larger ones, than are worth their memory.
func TestSparesAreBounded(t *testing.T) {
	t.Parallel()
	var p spares
	large := &subject{record: state.Record{Memberships: make([]state.Membership, spareItems+1)}}
	many := []*subject{large}
	for range spareSubjects {
		many = append(many, &subject{})
	}
	p.give(many)
	p.give(many)
	if len(p.subjects) != spareSubjects {
		t.Errorf("%d are kept", len(p.subjects))
	}
	if cap(large.record.Memberships) != 0 {
		t.Errorf("memory of %d memberships is kept", cap(large.record.Memberships))
	}
}
