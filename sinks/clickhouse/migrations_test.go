package clickhouse

import (
	"strings"
	"testing"
)

func TestMigrationsAreNumberedAndRepeatable(t *testing.T) {
	t.Parallel()
	list, err := newNames(Options{Database: "odd`name"}).migrations()
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range list {
		if m.version != uint32(i)+1 || m.name == "" || len(m.statements) == 0 {
			t.Errorf("migration %d is %d %q with %d statements", i+1, m.version, m.name, len(m.statements))
		}
		for _, statement := range m.statements {
			if !strings.Contains(statement, "IF NOT EXISTS `odd\\`name`.") && !strings.Contains(statement, "OR REPLACE") {
				t.Errorf("migration %d may not be repeated, or not in a database of this name:\n%s", m.version, statement)
			}
			if strings.Contains(statement, "CLUSTER") || strings.Contains(statement, "Replicated") || strings.Contains(statement, "{{") {
				t.Errorf("migration %d is not for a single server:\n%s", m.version, statement)
			}
		}
	}
}

// A cluster cannot be had in a test. What can be tested is that every object is made on all of it and every table replicated.
func TestMigrationsForACluster(t *testing.T) {
	t.Parallel()
	list, err := newNames(Options{Database: "muster", Cluster: "main"}).migrations()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		for _, statement := range m.statements {
			if !strings.Contains(statement, " ON CLUSTER `main`") {
				t.Errorf("migration %d is not for the cluster:\n%s", m.version, statement)
			}
			if strings.Contains(statement, "CREATE TABLE") && !strings.Contains(statement, "ENGINE = Replicated") {
				t.Errorf("migration %d makes a table that is not replicated:\n%s", m.version, statement)
			}
		}
	}
}
