package clickhouse

import (
	"testing"

	"muster/pipeline/event"
)

func TestRecordDefinitions(t *testing.T) {
	t.Parallel()
	s := recovered(t, optionsFor(t))
	one := Definition{event.Definition{Audience: "a", Version: 1, SHA: "11", Document: []byte(`{"key":"a"}`)}, at("2026-01-01T00:00:00Z")}
	two := Definition{event.Definition{Audience: "a", Version: 2, SHA: "22", Document: []byte(`{"key":"a","name":"A"}`)}, at("2026-01-02T00:00:00Z")}
	end := Definition{event.Definition{Audience: "a", Version: 3, SHA: "22", Document: two.Document, Archived: true}, at("2026-01-03T00:00:00Z")}
	later := one
	later.CommittedAt = at("2026-06-01T00:00:00Z")
	for _, definitions := range [][]Definition{{one, two}, {one, two, end}, {later}, nil} {
		if err := s.RecordDefinitions(deadline(t), definitions...); err != nil {
			t.Fatal(err)
		}
	}
	want := "[(1,'11','{\"key\":\"a\"}',false,'2026-01-01 00:00:00.000000')," +
		"(2,'22','{\"key\":\"a\",\"name\":\"A\"}',false,'2026-01-02 00:00:00.000000')," +
		"(3,'22','{\"key\":\"a\",\"name\":\"A\"}',true,'2026-01-03 00:00:00.000000')]"
	rows := "SELECT arraySort(groupArray((version, sha, document, archived, committed_at))) AS x FROM " +
		s.names.table("audience_definitions") + " WHERE environment = 'production' AND audience = 'a'"
	if got := query(t, s.session, rows); got != want {
		t.Errorf("definitions are %s, want %s", got, want)
	}
	exec(t, s.session, "OPTIMIZE TABLE "+s.names.table(definitionsTable)+" FINAL")
	if got := query(t, s.session, rows); got != want {
		t.Errorf("after merges definitions are %s, want %s", got, want)
	}
}
