package postgres_test

import (
	"strings"
	"testing"

	"muster/connectors/postgres"
	"muster/evaluator"
	"muster/pipeline/event"
)

// filler is a text that Postgres stores out of line, without compressing it.
const filler = `(SELECT string_agg(md5(g::text), '') FROM generate_series(1, 400) AS g)`

func withoutProperties(o *postgres.Options) { o.Users.Properties = "" }

// shorten cuts long values, which would drown a failure's message.
func shorten(changes []event.Change) string {
	words := strings.Split(describe(changes), " ")
	for i, word := range words {
		if len(word) > 60 {
			words[i] = word[:8] + "..."
		}
	}
	return strings.Join(words, " ")
}

func TestUnchangedToastIsMarkedAndFilled(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(`CREATE TABLE users (id text PRIMARY KEY, big text, n int)`)
		db.run(`ALTER TABLE users ALTER big SET STORAGE EXTERNAL`)
		_, s := ready(db, withoutProperties)
		db.run(`INSERT INTO users VALUES ('a', ` + filler + `, 1)`)
		whole := s.changes(1)[0]
		db.run(`UPDATE users SET n = 2`)
		marked := s.changes(1)[0]
		if got, want := describeOne(marked), "upsert a id=a big=! n=2"; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		filled, err := marked.Row.FillUnchanged(whole.Row)
		if err != nil || len(fields(filled)[1]) != 32*400 {
			t.Errorf("filled: %v, %d bytes", err, len(fields(filled)[1]))
		}
		// With the whole old row in the log there is nothing to mark.
		db.run(`ALTER TABLE users REPLICA IDENTITY FULL`)
		db.run(`UPDATE users SET n = 3`)
		full := s.changes(1)[0]
		if got := fields(full.Row); len(got[1]) != 32*400 || got[2] != "3" || full.OldUser != "" {
			t.Errorf("under FULL: %d bytes, n=%s, old user %q", len(got[1]), got[2], full.OldUser)
		}
	})
}

func TestToastedKey(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(`CREATE TABLE users (id text PRIMARY KEY, n int)`)
		db.run(`ALTER TABLE users ALTER id SET STORAGE EXTERNAL`)
		_, s := ready(db, withoutProperties)
		key := strings.Repeat("key-", 600) // out of line, and still within an index entry
		db.run(`INSERT INTO users VALUES ($1, 1)`, key)
		db.run(`UPDATE users SET n = 2`)
		db.run(`UPDATE users SET id = 'b'`)
		db.run(`DELETE FROM users`)
		got := s.changes(4)
		if got[0].User != key || got[1].User != key || got[1].OldUser != "" {
			t.Errorf("insert and update: %s", shorten(got[:2]))
		}
		if got[2].User != "b" || got[2].OldUser != key || got[3].Op != event.Delete || got[3].User != "b" {
			t.Errorf("change of key and delete: %s", shorten(got[2:]))
		}
	})
}

func TestReplicaIdentities(t *testing.T) {
	const full, index = `ALTER TABLE users REPLICA IDENTITY FULL`, `ALTER TABLE users REPLICA IDENTITY USING INDEX users_key`
	for _, c := range []struct {
		name  string
		setup []string
	}{
		{"default", []string{`CREATE TABLE users (n int, id bigint PRIMARY KEY)`}},
		{"full without any key", []string{`CREATE TABLE users (n int, id bigint)`, full}},
		{"full with a primary key elsewhere", []string{`CREATE TABLE users (n int, id bigint, p serial PRIMARY KEY)`, full}},
		{"using index", []string{`CREATE TABLE users (n int PRIMARY KEY, id bigint NOT NULL)`, `CREATE UNIQUE INDEX users_key ON users (id)`, index}},
		{"composite primary key", []string{`CREATE TABLE users (n int DEFAULT 0, id bigint, PRIMARY KEY (n, id))`}},
		{"partitioned", []string{`CREATE TABLE users (n int, id bigint PRIMARY KEY) PARTITION BY RANGE (id)`,
			`CREATE TABLE users_low PARTITION OF users FOR VALUES FROM (0) TO (100)`, `CREATE TABLE users_high PARTITION OF users FOR VALUES FROM (100) TO (200)`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db *database) {
				for _, sql := range c.setup {
					db.run(sql)
				}
				_, s := ready(db, withoutProperties)
				db.run(`INSERT INTO users (n, id) VALUES (1, 7)`)
				db.run(`UPDATE users SET n = 2`)
				db.run(`UPDATE users SET id = 8`)
				db.run(`DELETE FROM users`)
				var got []string
				for _, change := range s.changes(4) {
					got = append(got, strings.Split(describeOne(change), " id=")[0])
				}
				want := "upsert 7 n=1; upsert 7 n=2; upsert 8 was 7 n=2; delete 8"
				if strings.Join(got, "; ") != want {
					t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), want)
				}
			})
		})
	}
}

func TestPartitionedTable(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(`CREATE TABLE users (id bigint PRIMARY KEY, n int) PARTITION BY RANGE (id)`)
		db.run(`CREATE TABLE users_low PARTITION OF users FOR VALUES FROM (0) TO (100)`)
		db.run(`INSERT INTO users VALUES (1, 1)`)
		source := db.source(withoutProperties)
		chunks := snapshot(t, source, event.SnapshotResume{})
		if got := strings.Join(users(chunks), "; "); got != "1 id=1 n=1" {
			t.Errorf("snapshot %s", got)
		}
		s := start(t, source, chunks[0].Consistent)
		db.run(`CREATE TABLE users_high (n int, dropped int, id bigint PRIMARY KEY)`) // other places, same names
		db.run(`ALTER TABLE users_high DROP dropped`)
		db.run(`ALTER TABLE users ATTACH PARTITION users_high FOR VALUES FROM (100) TO (200)`)
		db.run(`INSERT INTO users VALUES (101, 5)`)
		db.run(`UPDATE users SET id = 2 WHERE id = 101`) // to another partition: a delete and an insert
		db.run(`TRUNCATE users`)
		if got, want := describe(s.changes(4)), "upsert 101 id=101 n=5; delete 101; upsert 2 id=2 n=5; truncate"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestShapeChangesBetweenRows(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(`CREATE TABLE users (id text PRIMARY KEY, a int)`)
		_, s := ready(db)
		steps := []struct{ sql, want string }{
			{`INSERT INTO users VALUES ('1', 1)`, "upsert 1 id=1 a=1"},
			{`ALTER TABLE users ADD b text DEFAULT 'x'`, ""},
			{`INSERT INTO users VALUES ('2', 2)`, "upsert 2 id=2 a=2 b=x"},
			{`ALTER TABLE users RENAME a TO c`, ""},
			{`INSERT INTO users VALUES ('3', 3)`, "upsert 3 id=3 c=3 b=x"},
			{`ALTER TABLE users DROP c`, ""},
			{`INSERT INTO users VALUES ('4', 'y')`, "upsert 4 id=4 b=y"},
			{`ALTER TABLE users ALTER b DROP DEFAULT, ALTER b TYPE date USING NULL`, ""},
			{`INSERT INTO users VALUES ('5', '2026-02-03')`, "upsert 5 id=5 b=2026-02-03"},
			{`ALTER TABLE users ADD properties jsonb`, ""},
			{`INSERT INTO users VALUES ('6', NULL, '{"p": 1}')`, `upsert 6 id=6 b=~ properties={"p": 1}`},
			{`ALTER TABLE users ALTER id TYPE varchar`, ""},
			{`INSERT INTO users VALUES ('7')`, "upsert 7 id=7 b=~ properties=~"},
			{`INSERT INTO users VALUES ('8')`, "upsert 8 id=8 b=~ properties=~"},
		}
		var schemas []*evaluator.Schema
		for _, step := range steps {
			db.run(step.sql)
			if step.want == "" {
				continue
			}
			change := s.changes(1)[0]
			if got := describeOne(change); got != step.want {
				t.Fatalf("after %s\ngot  %s\nwant %s", step.sql, got, step.want)
			}
			schemas = append(schemas, change.Schema)
		}
		for i := 1; i < len(schemas); i++ {
			// varchar instead of text is no other shape.
			if same := schemas[i] == schemas[i-1]; same != (i >= 6) {
				t.Errorf("row %d: same schema as the row before: %t", i+1, same)
			}
		}
		if schemas[4].Properties != -1 || schemas[5].Properties != 2 {
			t.Errorf("properties at %d, then %d", schemas[4].Properties, schemas[5].Properties)
		}
		// All in one transaction.
		db.run(`DO $$ BEGIN INSERT INTO users VALUES ('9'); ALTER TABLE users ADD z bool; INSERT INTO users VALUES ('10', NULL, NULL, true); END $$`)
		if got, want := describe(s.changes(2)), "upsert 9 id=9 b=~ properties=~; upsert 10 id=10 b=~ properties=~ z=t"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestConfiguredColumnsOnly(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(`CREATE TABLE users (secret text, plan text, properties jsonb, id text PRIMARY KEY, other text)`)
		db.run(`INSERT INTO users VALUES ('s', 'pro', '{}', 'a', 'o')`)
		source := db.source(func(o *postgres.Options) { o.Users.Columns = []string{"plan"} })
		chunks := snapshot(t, source, event.SnapshotResume{})
		const row = "plan=pro properties={} id=a"
		if got := strings.Join(users(chunks), "; "); got != "a "+row {
			t.Errorf("snapshot %s", got)
		}
		s := start(t, source, chunks[0].Consistent)
		db.run(`UPDATE users SET other = 'p'`)
		change := s.changes(1)[0]
		if got := describeOne(change); got != "upsert a "+row {
			t.Errorf("stream %s", got)
		}
		if schema := change.Schema; schema.Key != 2 || schema.Properties != 1 {
			t.Errorf("key at %d, properties at %d", schema.Key, schema.Properties)
		}
	})
}

func TestColumnsAndRowsThatAreNotPublished(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(`CREATE TABLE users (id int PRIMARY KEY, hidden text, n int, twice int GENERATED ALWAYS AS (n * 2) STORED, big text)`)
		db.run(`ALTER TABLE users ALTER big SET STORAGE EXTERNAL`)
		db.run(`ALTER TABLE users REPLICA IDENTITY FULL`)
		db.run(`CREATE PUBLICATION muster FOR TABLE users WHERE (n > 0) WITH (publish_via_partition_root = true)`)
		db.run(`INSERT INTO users (id, n, big) VALUES (1, 1, 'b'), (2, -1, 'b')`)
		source := db.source(withoutProperties)
		chunks := snapshot(t, source, event.SnapshotResume{})
		if got, want := strings.Join(users(chunks), "; "), "1 id=1 hidden=~ n=1 big=b"; got != want {
			t.Errorf("snapshot %s, want %s", got, want)
		}
		s := start(t, source, chunks[0].Consistent)
		db.run(`UPDATE users SET n = -1 WHERE id = 1`)
		db.run(`UPDATE users SET big = ` + filler + ` WHERE id = 2`)
		db.run(`UPDATE users SET n = 2 WHERE id = 2`) // enters the filter, with a value that the log would leave out
		got := s.changes(2)
		if got[0].Op != event.Delete || got[0].User != "1" {
			t.Errorf("leaving the filter: %s", shorten(got))
		}
		if f := fields(got[1].Row); got[1].User != "2" || len(f[3]) != 32*400 {
			t.Errorf("entering the filter: %s", shorten(got))
		}
		if len(got[1].Schema.Columns) != 4 || got[1].Schema.Column("twice") != -1 {
			t.Errorf("columns %+v", got[1].Schema.Columns)
		}
	})
}

func TestPublicationColumnList(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(`CREATE TABLE users (id int PRIMARY KEY, hidden text, n int)`)
		db.run(`CREATE PUBLICATION muster FOR TABLE users (n, id)`)
		db.run(`INSERT INTO users VALUES (1, 'h', 1)`)
		source := db.source(withoutProperties)
		chunks := snapshot(t, source, event.SnapshotResume{})
		if got := strings.Join(users(chunks), "; "); got != "1 id=1 n=1" {
			t.Errorf("snapshot %s", got)
		}
		s := start(t, source, chunks[0].Consistent)
		db.run(`UPDATE users SET n = 2`)
		change := s.changes(1)[0]
		if got := describeOne(change); got != "upsert 1 id=1 n=2" || change.Schema != chunks[0].Schema {
			t.Errorf("stream %s", got)
		}
	})
}
