package postgres_test

import (
	"testing"

	"muster/pipeline/event"
)

// TestRowsWrittenAnew tells what changes rows without a word in the log from what only gives the table other files. All of
// it happens before the stream begins, so that the catalog knows the last of the files when the first change is read.
func TestRowsWrittenAnew(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		anew uint32 // how often rows became others
		sql  []string
	}{
		{"truncate", 0, []string{`TRUNCATE users`}},
		{"truncate among writes", 0, []string{`INSERT INTO users VALUES ('2', 2)`, `TRUNCATE users`, `INSERT INTO users VALUES ('2', 3)`, `TRUNCATE users`}},
		{"truncate in a part of a transaction", 0, []string{`DO $$ BEGIN INSERT INTO users VALUES ('2', 2); BEGIN TRUNCATE users; EXCEPTION WHEN OTHERS THEN NULL; END; END $$`}},
		{"a truncate that is taken back", 0, []string{`DO $$ BEGIN BEGIN TRUNCATE users; RAISE 'no'; EXCEPTION WHEN OTHERS THEN NULL; END; UPDATE users SET a = 2; END $$`}},
		{"vacuum full", 0, []string{`VACUUM FULL users`}},
		{"cluster", 0, []string{`CLUSTER users USING users_pkey`}},
		{"analyze and a right", 0, []string{`ANALYZE users`, `GRANT SELECT ON users TO PUBLIC`}},
		{"other values of the same type", 1, []string{`ALTER TABLE users ALTER a TYPE int USING a + 1`}},
		{"other values, then a truncate", 1, []string{`ALTER TABLE users ALTER a TYPE int USING a + 1`, `INSERT INTO users VALUES ('2', 2)`, `TRUNCATE users`}},
		{"a column with a volatile default", 1, []string{`ALTER TABLE users ADD b float DEFAULT random()`}},
		{"another type", 1, []string{`ALTER TABLE users ALTER a TYPE text USING 'about ' || a`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db *database) {
				db.run(`CREATE TABLE users (id text PRIMARY KEY, a int)`)
				db.run(`INSERT INTO users VALUES ('1', 1)`)
				source := db.source()
				chunks := snapshot(t, source, event.SnapshotResume{})
				for _, sql := range c.sql {
					db.run(sql)
				}
				db.run(`INSERT INTO users VALUES ('last')`)
				db.mark("end")
				s := start(t, source, chunks[len(chunks)-1].Consistent)
				var last event.Change
				for _, transaction := range s.until("end") {
					for _, change := range transaction.Changes {
						if change.Op == event.Upsert {
							last = change
						}
					}
				}
				if last.User != "last" || last.Schema.Rewrites != c.anew {
					t.Errorf("user %q came with %d rewrites, want %d", last.User, last.Schema.Rewrites, c.anew)
				}
			})
		})
	}
}
