package clickhouse

import (
	"strings"
	"testing"
	"time"
)

func checkResults(t *testing.T, s *Sink) map[string]CheckResult {
	t.Helper()
	results := map[string]CheckResult{}
	for _, result := range s.Check(deadline(t)) {
		if result.Status != OK && result.Repair == "" {
			t.Errorf("%v names no repair", result)
		}
		results[result.Name] = result
	}
	return results
}

func TestCheck(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	s := newSink(t, options)
	results := checkResults(t, s)
	if got := results["clickhouse schema"]; got.Status != OK || !strings.Contains(got.Detail, "none yet") {
		t.Errorf("without a schema: %v", got)
	}
	if got := query(t, s.session, "SELECT count() AS x FROM system.databases WHERE name = '"+options.Database+"'"); got != "0" {
		t.Error("Check has made the database")
	}

	recovered(t, options)
	results = checkResults(t, s)
	if got := results["clickhouse server"]; got.Status != OK || !strings.HasPrefix(got.Detail, "version ") {
		t.Errorf("server: %v", got)
	}
	if got, ok := results["clickhouse privileges"]; ok && got.Status != OK { // the embedded engine may not know
		t.Errorf("privileges: %v", got)
	}
	if got := results["clickhouse schema"]; got.Status != OK || !strings.Contains(got.Detail, "version 6") {
		t.Errorf("schema: %v", got)
	}
	if got, ok := results["clickhouse ttl"]; ok {
		t.Errorf("ttl: %v", got)
	}

	options.TTL = 24 * time.Hour
	if got := checkResults(t, newSink(t, options))["clickhouse ttl"]; got.Status != Warns || !strings.Contains(got.Detail, "deletes") {
		t.Errorf("a TTL that is new: %v", got)
	}
	exec(t, s.session, "ALTER TABLE "+s.names.table(eventsTable)+" DROP COLUMN cause")
	if got := checkResults(t, s)["clickhouse schema"]; got.Status != Fails || !strings.Contains(got.Detail, "no column cause") {
		t.Errorf("an altered table: %v", got)
	}
	exec(t, s.session, "INSERT INTO "+s.names.table(migrationsTable)+" (version, name) SELECT 1000, 'from the future'")
	if got := checkResults(t, s)["clickhouse schema"]; got.Status != Fails || !strings.Contains(got.Detail, "version 1000") {
		t.Errorf("a newer schema: %v", got)
	}
}

func TestCheckOfAServerThatIsAway(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	options.Addr = []string{"127.0.0.1:1"}
	results := newSink(t, options).Check(deadline(t))
	if len(results) != 1 || results[0].Status != Fails || !strings.Contains(results[0].Repair, "clickhouse.addr") {
		t.Errorf("results are %v, want one that fails", results)
	}
}

func TestCheckOfACluster(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	options.Addr = []string{shared.Addr(), shared.Addr()}
	if got := checkResults(t, newSink(t, options))["clickhouse cluster"]; got.Status != Warns {
		t.Errorf("several servers and no cluster: %v", got)
	}
	options.Cluster = "nowhere"
	if got := checkResults(t, newSink(t, options))["clickhouse cluster"]; got.Status != Fails || !strings.Contains(got.Detail, `no cluster "nowhere"`) {
		t.Errorf("an unknown cluster: %v", got)
	}
}
