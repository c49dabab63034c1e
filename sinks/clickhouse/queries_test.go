package clickhouse

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"muster/pipeline/event"
)

var sqlBlock = regexp.MustCompile("(?s)```sql\n(.*?)```")

// What the documentation shows works, and finds something where it should.
func TestDocumentedQueries(t *testing.T) {
	t.Parallel()
	s := recovered(t, optionsFor(t))
	in := entry(1041, "trial-ending", "u_42", 1, at("2026-01-10T00:00:00Z"))
	stays := entry(1042, "trial-ending", "u_42", 2, at("2026-01-14T00:00:00Z"))
	late := exit(1043, in, at("2026-01-12T00:00:00Z"))
	late.Sequence, in.Sequence, stays.Sequence = 1042, 1041, 1043
	late.Cause = event.CauseTimer
	paying := entry(1044, "paying-customers", "u_42", 1, at("2026-01-14T00:00:00Z"))
	paying.Cause = event.CauseDefinition
	redefined := entry(1045, "trial-ending", "u_43", 1, at("2026-01-14T00:00:00Z"))
	redefined.Cause = event.CauseDefinition
	deliver(t, s, in, late, stays, paying, redefined)
	definition := event.Definition{Audience: "trial-ending", Version: 1, SHA: "11", Document: []byte(`{}`)}
	if err := s.RecordDefinitions(deadline(t), Definition{definition, at("2026-01-01T00:00:00Z")}); err != nil {
		t.Fatal(err)
	}

	raw, err := os.ReadFile("QUERIES.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := sqlBlock.FindAllStringSubmatch(string(raw), -1)
	if len(blocks) < 10 {
		t.Fatalf("found only %d queries", len(blocks))
	}
	for _, block := range blocks {
		sql := strings.ReplaceAll(block[1], "muster.", s.names.Database+".")
		if got := query(t, s.session, "SELECT count() AS x FROM ("+sql+")"); got == "0" {
			t.Errorf("this finds nothing:\n%s", block[1])
		}
	}
}
