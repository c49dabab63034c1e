package nemesis

import (
	"fmt"
	"testing"
)

// step is what is done to the tables in one go; kill says whether the worker is killed right after it, most likely before
// it has worked it, and started again.
type step struct {
	name string
	sql  []string // a transaction each
	kill bool
}

const longNote = `(SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) AS i)`

var steps = []step{
	{name: "inserts", kill: true, sql: []string{
		`INSERT INTO users (id, plan, score) SELECT 'u' || i, CASE i % 3 WHEN 0 THEN 'pro' ELSE 'free' END, i FROM generate_series(100, 160) AS i`,
		`INSERT INTO users (id, plan, seen_at, properties) VALUES ('ann', 'free', now(), '{"country": "IT"}'), ('bob', NULL, NULL, NULL)`,
	}},
	{name: "a TOASTed column that later updates leave alone", kill: true, sql: []string{
		`INSERT INTO users (id, plan, note) VALUES ('toast', 'free', ` + longNote + ` || 'needle')`,
		`UPDATE users SET score = 100 WHERE id = 'toast'`,
		`UPDATE users SET plan = 'pro' WHERE id = 'toast'`,
		`UPDATE users SET note = ` + longNote + ` WHERE id = 'toast'`,
		`UPDATE users SET note = note || ' needle' WHERE id = 'toast'`,
	}},
	{name: "updates, some of them of one user several times in a transaction", sql: []string{
		`UPDATE users SET plan = 'pro' WHERE id IN ('ann', 'bob', 'u100')`,
		`UPDATE users SET plan = 'free' WHERE id = 'ann'; UPDATE users SET plan = 'pro' WHERE id = 'ann'`,
		`UPDATE users SET score = score + 60; UPDATE users SET score = score - 60 WHERE id < 'u130'`,
	}},
	{name: "deletes", kill: true, sql: []string{
		`DELETE FROM users WHERE id IN ('u101', 'u102', 'u103')`,
		`DELETE FROM users WHERE id = 'bob'; INSERT INTO users (id, plan, score) VALUES ('bob', 'pro', 100)`,
		`INSERT INTO users (id, plan) VALUES ('u101', 'pro')`,
	}},
	{name: "a changed primary key", kill: true, sql: []string{
		`UPDATE users SET id = 'toast 2' WHERE id = 'toast'`,
		`UPDATE users SET id = 'ann 2', plan = 'pro' WHERE id = 'ann'`,
	}},
	{name: "static members, of nobody yet as well", kill: true, sql: []string{
		`INSERT INTO muster.members (environment, audience, user_id, tenant) VALUES
		   ('nemesis', 'invited', 'u110', ''), ('nemesis', 'invited', 'u110', 'acme'), ('nemesis', 'invited', 'ghost', ''), ('nemesis', 'invited', 'ann 2', '')`,
		`INSERT INTO users (id, plan, seen_at) VALUES ('ghost', 'pro', now())`,
		`DELETE FROM muster.members WHERE user_id = 'u110' AND tenant = 'acme'`,
		`DELETE FROM muster.members WHERE user_id = 'ann 2'`,
		`DELETE FROM users WHERE id = 'ghost'`,
	}},
	{name: "time flips, entries and exits, while the worker is there and while it is not", kill: true, sql: []string{
		`INSERT INTO users (id, plan, ends_at, seen_at)
		 SELECT 'flip' || i, CASE i % 2 WHEN 0 THEN 'pro' ELSE 'free' END,
		        clock_timestamp() + i * interval '100 milliseconds' + CASE i % 3 WHEN 0 THEN interval '1 minute' ELSE interval '0' END,
		        clock_timestamp() - interval '1 hour' + i * interval '77 milliseconds'
		   FROM generate_series(1, 30) AS i`,
	}},
	{name: "a truncate, and some who are there again", kill: true, sql: []string{
		`CREATE TEMP TABLE kept AS SELECT * FROM users WHERE id IN ('flip20', 'u120', 'bob'); TRUNCATE users; INSERT INTO users SELECT * FROM kept; DROP TABLE kept`,
		`INSERT INTO users (id, plan, ends_at) SELECT 'late' || i, 'pro', clock_timestamp() + i * interval '20 milliseconds' FROM generate_series(1, 30) AS i`,
	}},
}

// TestEndToEnd is one change of every kind, from Postgres all the way to Kafka and ClickHouse, with the worker killed after
// nearly each of them: what readers find is exactly what SQL over the history of the tables expects, and none of it twice.
func TestEndToEnd(t *testing.T) {
	for _, version := range []string{"15", "17"} {
		t.Run("Postgres "+version, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, version)
			w.exec(`INSERT INTO users (id, plan, score, note, seen_at) SELECT 'u' || i, CASE i % 2 WHEN 0 THEN 'pro' END, i * 10, repeat('needle', i % 2), '2000-01-01' FROM generate_series(1, 20) AS i`)
			k := w.newWorker()
			k.start()
			k.ready()
			w.observe()
			var found []violation
			for i, s := range steps {
				for _, sql := range s.sql {
					w.exec(sql)
				}
				if s.kill {
					k.kill()
					found = append(found, w.durability()...)
					k.start()
					if i%3 > 0 { // else it is killed while it starts
						k.ready()
					}
				}
			}
			w.passed(`SELECT max(ends_at) + interval '1 millisecond' FROM users WHERE id LIKE 'late%'`)
			w.finish()
			k.settle()
			k.stop()
			found = append(found, w.durability()...)
			found = append(found, w.validate()...)
			report(t, found)
		})
	}
}

// passed waits until the server's clock is beyond an instant.
func (w *world) passed(query string) {
	w.Helper()
	w.exec(fmt.Sprintf(`DO $$ BEGIN PERFORM pg_sleep_until((%s)); END $$`, query))
}

// report fails a test for what was found, and shows the first of each kind.
func report(t testing.TB, found []violation) {
	t.Helper()
	shown := make(map[string]int)
	for _, v := range found {
		if shown[v.validator]++; shown[v.validator] <= 12 {
			t.Error(v)
		}
	}
	if len(found) > 0 {
		t.Errorf("%d violations", len(found))
	}
}
