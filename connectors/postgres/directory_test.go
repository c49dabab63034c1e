package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"muster/connectors/postgres"
	"muster/pipeline/event"
)

// directory returns a Directory over a database whose users table the SQL makes.
func directory(t *testing.T, db *database, users postgres.Users, sql string) *postgres.Directory {
	t.Helper()
	db.run(sql)
	control, err := postgres.OpenControl(db.dsn, "muster", 6)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(control.Close)
	if err := control.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return postgres.NewDirectory(control, "test", users, true)
}

func user(id, properties string) event.Identify {
	u := event.Identify{ID: id}
	if properties != "" {
		if err := json.Unmarshal([]byte(properties), &u.Properties); err != nil {
			panic(err)
		}
	}
	return u
}

func TestIdentifyInAnyTable(t *testing.T) {
	t.Parallel()
	plain := postgres.Users{Table: "public.users", ID: "id"}
	cases := map[string]struct {
		users  postgres.Users
		sql    string
		write  []event.Identify
		read   string
		want   string
		fields string // of the faults, when there are any
	}{
		"a column that may not be NULL stays as it is": {
			users: plain, sql: `CREATE TABLE users (id text PRIMARY KEY, name text NOT NULL, plan text); INSERT INTO users VALUES ('u1', 'Ada', 'free')`,
			write: []event.Identify{user("u1", `{"plan":"pro"}`)}, read: `SELECT name || ' ' || plan FROM users`, want: "Ada pro",
		},
		"a new user without such a column": {
			users: plain, sql: `CREATE TABLE users (id text PRIMARY KEY, name text NOT NULL, plan text)`,
			write: []event.Identify{user("u1", `{"plan":"pro"}`)}, fields: "0 name",
		},
		"the table of another schema, with names that need quotes": {
			users: postgres.Users{Table: "crm.People", ID: "Key", Properties: "Extra"},
			sql:   `CREATE SCHEMA crm; CREATE TABLE crm."People" ("Key" text PRIMARY KEY, "Full name" text, "Extra" jsonb)`,
			write: []event.Identify{user("u1", `{"Full name":"Ada","shoe \"size\"":42}`)},
			read:  `SELECT "Full name" || ' ' || "Extra" FROM crm."People"`, want: `Ada {"shoe \"size\"": 42}`,
		},
		"a document of type json is merged": {
			users: postgres.Users{Table: "public.users", ID: "id", Properties: "extra"},
			sql:   `CREATE TABLE users (id text PRIMARY KEY, extra json); INSERT INTO users VALUES ('u1', '{"a": 1, "b": 2}')`,
			write: []event.Identify{user("u1", `{"b":null,"c":[1]}`)}, read: `SELECT extra::jsonb::text FROM users`, want: `{"a": 1, "b": null, "c": [1]}`,
		},
		"a document that is no object is replaced": {
			users: postgres.Users{Table: "public.users", ID: "id", Properties: "extra"},
			sql:   `CREATE TABLE users (id text PRIMARY KEY, extra jsonb); INSERT INTO users VALUES ('u1', '[1]'), ('u2', NULL)`,
			write: []event.Identify{user("u1", `{"a":1}`), user("u2", `{"a":2}`)}, read: `SELECT string_agg(extra::text, ' ' ORDER BY id) FROM users`, want: `{"a": 1} {"a": 2}`,
		},
		"without a document an unknown property is refused": {
			users: plain, sql: `CREATE TABLE users (id text PRIMARY KEY)`, write: []event.Identify{user("u1", ""), user("u2", `{"plan":"pro"}`)}, fields: "1 plan",
		},
		"ids of numbers": {
			users: plain, sql: `CREATE TABLE users (id bigint PRIMARY KEY, plan text)`,
			write: []event.Identify{user("7", `{"plan":"pro"}`)}, read: `SELECT id || plan FROM users`, want: "7pro",
		},
		"an id that the column keeps in another form": {
			users: plain, sql: `CREATE TABLE users (id bigint PRIMARY KEY, plan text)`, write: []event.Identify{user("8", ""), user("007", `{"plan":"pro"}`)}, fields: "1 id",
		},
		"an id that is no value of the column": {
			users: plain, sql: `CREATE TABLE users (id uuid PRIMARY KEY, plan text)`, write: []event.Identify{user("ada", `{"plan":"pro"}`)}, fields: "0 id",
		},
		"a partitioned table": {
			users: plain, sql: `CREATE TABLE users (id text PRIMARY KEY, plan text) PARTITION BY HASH (id);
				CREATE TABLE users_0 PARTITION OF users FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE users_1 PARTITION OF users FOR VALUES WITH (MODULUS 2, REMAINDER 1)`,
			write: []event.Identify{user("u1", `{"plan":"a"}`), user("u2", `{"plan":"b"}`), user("u1", `{"plan":"c"}`)},
			read:  `SELECT string_agg(id || plan, ' ' ORDER BY id) FROM users`, want: "u1c u2b",
		},
		"a value that its column does not take, and a later one of the same user that it does": {
			users: postgres.Users{Table: "public.users", ID: "id", Properties: "extra"}, sql: `CREATE TABLE users (id text PRIMARY KEY, n int, extra jsonb)`,
			write:  []event.Identify{user("u1", `{"n":1,"shoe":[1]}`), user("u1", `{"n":"old"}`), user("u1", `{"n":2,"shoe":{"no":"column"}}`)},
			fields: "1 n",
		},
		"a generated column": {
			users: plain, sql: `CREATE TABLE users (id text PRIMARY KEY, a int, b int GENERATED ALWAYS AS (a * 2) STORED)`,
			write: []event.Identify{user("u1", `{"a":1,"b":5}`)}, fields: "0 b",
		},
		"types and what they do not take": {
			users: plain, sql: `CREATE TYPE mood AS ENUM ('good'); CREATE TABLE users (id text PRIMARY KEY, tags text[], mood mood, seen timestamptz, doc jsonb, n numeric)`,
			write:  []event.Identify{user("u1", `{"tags":["a","b"],"mood":"good","seen":"2026-01-02T03:04:05Z","doc":{"x":[1]},"n":1.50}`), user("u2", `{"mood":"bad"}`), user("u3", `{"doc":"\u0000"}`)},
			fields: "1 mood, 2 doc",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := newDatabase(t, "15", sharedServer(t, "15"))
			d := directory(t, db, c.users, c.sql)
			_, err := d.Identify(context.Background(), c.write)
			var faults event.DataFaults
			if !errors.As(err, &faults) && err != nil {
				t.Fatal(err)
			}
			var fields []string
			for _, f := range faults {
				fields = append(fields, fmt.Sprint(f.Index, " ", f.Field))
			}
			if got := strings.Join(fields, ", "); got != c.fields {
				t.Errorf("faults %q, want %q: %v", got, c.fields, err)
			}
			if c.read == "" {
				return
			}
			if got := one[string](db, c.read); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestWhatTheDatabaseForbidsIsSaid(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, "15", sharedServer(t, "15"))
	d := directory(t, db, postgres.Users{Table: "public.users", ID: "id"}, `CREATE TABLE users (id int, region text, PRIMARY KEY (id, region))`)
	if _, err := d.Identify(context.Background(), []event.Identify{user("1", `{"region":"eu"}`)}); !errors.Is(err, postgres.ErrUsersReadOnly) || !strings.Contains(err.Error(), "unique index") {
		t.Errorf("an id without a unique index: %v", err)
	}
}

func TestUsersThatOthersReferToFailAlone(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, "15", sharedServer(t, "15"))
	d := directory(t, db, postgres.Users{Table: "public.users", ID: "id"}, `CREATE TABLE users (id int PRIMARY KEY); CREATE TABLE orders (buyer int REFERENCES users);
		INSERT INTO users SELECT generate_series(1, 5); INSERT INTO orders VALUES (3)`)
	ctx := context.Background()
	if deleted, _, err := d.DeleteUsers(ctx, []string{"1", "ada", "99"}); err != nil || fmt.Sprint(deleted) != "[1]" {
		t.Errorf("deleted %v, %v", deleted, err)
	}
	if _, _, err := d.DeleteUsers(ctx, []string{"2", "3"}); err == nil {
		t.Error("a user that an order refers to was deleted")
	}
	bulk, err := d.StartBulk(ctx, []event.Identify{{ID: "2"}, {ID: "3"}, {ID: "ada"}}, true)
	if err != nil {
		t.Fatal(err)
	}
	working, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	background.Go(func() { d.RunBulks(working, slog.New(slog.DiscardHandler)) })
	eventually(t, "the bulk operation to be done", func() bool {
		bulk, err = d.Bulk(ctx, bulk.ID)
		return err != nil || bulk.Status == "completed"
	})
	cancel()
	background.Wait()
	if err != nil || bulk.Succeeded != 2 || len(bulk.Failed) != 1 || bulk.Failed[0].ID != "3" {
		t.Errorf("%+v, %v", bulk, err)
	}
	if left := one[string](db, `SELECT string_agg(id::text, ' ' ORDER BY id) FROM users`); left != "3 4 5" {
		t.Errorf("users left: %s", left)
	}
}

// TestBatchesInDifferentOrders writes the same rows from many sides, each in an order of its own.
func TestBatchesInDifferentOrders(t *testing.T) {
	t.Parallel()
	db := newDatabase(t, "15", sharedServer(t, "15"))
	d := directory(t, db, postgres.Users{Table: "public.users", ID: "id"}, `CREATE TABLE users (id text PRIMARY KEY, plan text, age int)`)
	var all []event.NewMember
	for i := range 200 {
		property := []string{`{"plan":"a"}`, `{"age":1}`}[i%2]
		all = append(all, event.NewMember{User: user(fmt.Sprint("u", i), property)})
	}
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for round := range 5 {
				batch := make([]event.NewMember, len(all))
				for i := range all {
					batch[i] = all[(i*[]int{1, 3, 7, 199}[w]+round)%len(all)]
				}
				if _, _, err := d.Enlist(context.Background(), "vip", batch, true); err != nil {
					t.Errorf("add: %v", err)
				}
				if _, _, err := d.Delist(context.Background(), "vip", batch); err != nil {
					t.Errorf("remove: %v", err)
				}
			}
		})
	}
	writers.Wait()
	if left := one[int](db, `SELECT count(*)::int FROM muster.members`); left != 0 {
		t.Errorf("%d members are left", left)
	}
}
