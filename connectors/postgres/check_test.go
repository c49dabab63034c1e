package postgres_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"muster/connectors/postgres"
)

// result returns the first result of that name.
func result(t *testing.T, results []postgres.CheckResult, name string) postgres.CheckResult {
	t.Helper()
	for _, r := range results {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no result %q in %+v", name, results)
	return postgres.CheckResult{}
}

func failures(results []postgres.CheckResult) (all []string) {
	for _, r := range results {
		if r.Status == postgres.CheckFail {
			all = append(all, r.Name+": "+r.Detail)
		}
	}
	return all
}

func TestCheckPassesBeforeAndAfterTheFirstRun(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		if faults := failures(postgres.Check(context.Background(), db.options())); faults != nil {
			t.Errorf("before: %q", faults)
		}
		_, s := ready(db)
		db.mark("running")
		s.until("running")
		results := postgres.Check(context.Background(), db.options())
		if faults := failures(results); faults != nil {
			t.Errorf("after: %q", faults)
		}
		if r := result(t, results, "slot"); r.Status != postgres.CheckWarn || !strings.Contains(r.Repair, "pg_terminate_backend(") {
			t.Errorf("a slot in use: %+v", r)
		}
	})
}

// Each fault is found under its name, and the command that the result gives mends it.
func TestCheckNamesTheFaultAndTheCommandThatMendsIt(t *testing.T) {
	cases := []struct {
		name   string
		setup  []string
		check  string
		status postgres.CheckStatus
		change func(*postgres.Options)
		repair string // that starts the given one; run when it is SQL
		run    bool
	}{
		{name: "table absent", check: "users table", status: postgres.CheckFail, repair: "set postgres.users.table, or CREATE TABLE"},
		{name: "a view", setup: []string{`CREATE VIEW users AS SELECT 1 AS id`}, check: "users table", status: postgres.CheckFail, repair: "set postgres.users.table"},
		{name: "no primary key", setup: []string{`CREATE TABLE users (id text NOT NULL, properties jsonb)`}, check: "replica identity", status: postgres.CheckFail,
			repair: `ALTER TABLE public.users ADD PRIMARY KEY ("id")`, run: true},
		{name: "primary key without the id", setup: []string{`CREATE TABLE users (id text NOT NULL, n int PRIMARY KEY, properties jsonb)`}, check: "replica identity",
			status: postgres.CheckFail, repair: `ALTER TABLE public.users REPLICA IDENTITY FULL`, run: true},
		{name: "replica identity nothing", setup: []string{usersTable, `ALTER TABLE users REPLICA IDENTITY NOTHING`}, check: "replica identity",
			status: postgres.CheckFail, repair: `ALTER TABLE public.users REPLICA IDENTITY FULL`, run: true},
		{name: "a partition without identity", setup: []string{
			`CREATE TABLE users (id text, region text, properties jsonb, PRIMARY KEY (id, region)) PARTITION BY LIST (region)`,
			`CREATE TABLE users_eu PARTITION OF users FOR VALUES IN ('eu')`, `ALTER TABLE users_eu REPLICA IDENTITY NOTHING`},
			check: "replica identity", status: postgres.CheckFail, repair: `ALTER TABLE public.users_eu REPLICA IDENTITY FULL`, run: true},
		{name: "id may repeat", setup: []string{`CREATE TABLE users (id text, properties jsonb)`, `ALTER TABLE users REPLICA IDENTITY FULL`}, check: "id column",
			status: postgres.CheckWarn, repair: `ALTER TABLE "public"."users" ADD UNIQUE ("id")`, run: true},
		{name: "no id column", setup: []string{`CREATE TABLE users (uid text PRIMARY KEY, properties jsonb)`}, check: "id column", status: postgres.CheckFail, repair: "set postgres.users.id"},
		{name: "properties are text", setup: []string{`CREATE TABLE users (id text PRIMARY KEY, properties text)`}, check: "properties column", status: postgres.CheckFail, repair: "set postgres.users.properties"},
		{name: "no properties", setup: []string{`CREATE TABLE users (id text PRIMARY KEY)`}, check: "properties column", status: postgres.CheckWarn, repair: "set postgres.users.properties"},
		{name: "unknown column", setup: []string{usersTable}, change: func(o *postgres.Options) { o.Users.Columns = []string{"plan", "nope"} }, check: "columns",
			status: postgres.CheckFail, repair: "correct postgres.users.columns"},
		{name: "publication absent", setup: []string{usersTable}, change: func(o *postgres.Options) { o.Create = false }, check: "publication", status: postgres.CheckFail,
			repair: "CREATE PUBLICATION"},
		{name: "publication without deletes", setup: []string{usersTable, `CREATE PUBLICATION muster FOR ALL TABLES WITH (publish = 'insert')`},
			check: "publication", status: postgres.CheckFail, repair: `ALTER PUBLICATION "muster" SET (publish = `, run: true},
		{name: "publication of partitions", setup: []string{
			`CREATE TABLE users (id text PRIMARY KEY, properties jsonb) PARTITION BY HASH (id)`, `CREATE TABLE users_0 PARTITION OF users FOR VALUES WITH (MODULUS 1, REMAINDER 0)`,
			`CREATE PUBLICATION muster FOR ALL TABLES`}, check: "publication", status: postgres.CheckFail,
			repair: `ALTER PUBLICATION "muster" SET (publish_via_partition_root = true)`, run: true},
		{name: "column list without the properties", setup: []string{usersTable, `CREATE PUBLICATION muster FOR TABLE users (id, plan)`},
			change: func(o *postgres.Options) { o.Users.Columns = []string{"mrr"} }, check: "published columns", status: postgres.CheckFail,
			repair: `ALTER PUBLICATION "muster" DROP TABLE "public"."users"; ALTER PUBLICATION`, run: true},
		{name: "row filter", setup: []string{usersTable, `CREATE PUBLICATION muster FOR TABLE users WHERE (id <> '')`}, check: "row filter", status: postgres.CheckWarn, repair: "nothing"},
		{name: "control schema absent", setup: []string{usersTable}, change: func(o *postgres.Options) { o.Create = false }, check: "control schema",
			status: postgres.CheckFail, repair: "set postgres.create to true"},
		{name: "slot absent", setup: []string{usersTable}, change: func(o *postgres.Options) { o.Create = false }, check: "slot", status: postgres.CheckFail,
			repair: "SELECT pg_create_logical_replication_slot('"},
		{name: "slot of another plugin", setup: []string{usersTable, `SELECT pg_create_logical_replication_slot(current_database()::text, 'test_decoding')`}, check: "slot",
			status: postgres.CheckFail, repair: "set postgres.slot"},
		{name: "slot name", change: func(o *postgres.Options) { o.Slot = "My-Slot" }, check: "configuration", status: postgres.CheckFail, repair: "correct"},
		{name: "no such database", change: func(o *postgres.Options) { o.DSN = strings.Replace(o.DSN, "/test_", "/none_", 1) }, check: "connection",
			status: postgres.CheckFail, repair: `CREATE DATABASE "none_`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			onEach(t, func(t *testing.T, db *database) {
				for _, sql := range c.setup {
					db.run(sql)
				}
				options := db.options()
				if c.change != nil {
					c.change(&options)
				}
				r := result(t, postgres.Check(context.Background(), options), c.check)
				if r.Status != c.status || !strings.HasPrefix(r.Repair, c.repair) || r.Detail == "" {
					t.Fatalf("got %+v, want %s with repair %q", r, c.status, c.repair)
				}
				if !c.run {
					return
				}
				db.run(strings.Split(r.Repair, "; or ")[0])
				for _, r := range postgres.Check(context.Background(), options) {
					if r.Name == c.check && r.Status != postgres.CheckOK {
						t.Errorf("after %q: %+v", c.repair, r)
					}
				}
			})
		})
	}
}

// A role that has just what it needs passes; one that lacks something is told the GRANT.
func TestCheckOfPrivileges(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		role := db.name + "_role"
		db.run(usersTable)
		db.run(`CREATE ROLE ` + role + ` LOGIN`)
		t.Cleanup(func() { db.run(`DROP OWNED BY ` + role); db.run(`DROP ROLE ` + role) })
		options := db.options()
		dsn, err := url.Parse(db.dsn)
		if err != nil {
			t.Fatal(err)
		}
		dsn.User = url.UserPassword(role, "s3cret-word")
		options.DSN = dsn.String()
		check := func() []postgres.CheckResult {
			t.Helper()
			results := postgres.Check(context.Background(), options)
			for _, r := range results {
				if strings.Contains(r.Detail+r.Repair, "s3cret") {
					t.Errorf("password shown: %+v", r)
				}
			}
			return results
		}
		for _, c := range []struct{ name, repair string }{
			{"replication privilege", `ALTER ROLE "` + role + `" REPLICATION`},
			{"users table", `GRANT USAGE ON SCHEMA "public"`},
			{"control schema", `GRANT CREATE ON DATABASE`},
			{"publication", `as role "postgres" or a superuser: CREATE PUBLICATION`},
		} {
			r := result(t, check(), c.name)
			if r.Status != postgres.CheckFail || !strings.HasPrefix(r.Repair, c.repair) {
				t.Fatalf("%s: %+v, want repair %q", c.name, r, c.repair)
			}
			switch c.name {
			case "publication": // what it names is for the owner of the table to run, once the control schema is there
				db.run(`ALTER TABLE users OWNER TO ` + role)
			default:
				db.run(strings.Split(r.Repair, " (on a managed")[0])
			}
			if r := result(t, check(), c.name); r.Status != postgres.CheckOK {
				t.Fatalf("%s after its repair: %+v", c.name, r)
			}
		}
		// What check approves of is enough to run.
		source := db.source(func(o *postgres.Options) { o.DSN = options.DSN })
		if err := source.Prepare(context.Background()); err != nil {
			t.Error(err)
		}
		db.run(`ALTER TABLE users ENABLE ROW LEVEL SECURITY`)
		db.run(`ALTER TABLE users OWNER TO postgres`)
		db.run(`GRANT SELECT ON users TO ` + role)
		if r := result(t, check(), "users table"); r.Status != postgres.CheckFail || !strings.Contains(r.Repair, "BYPASSRLS") {
			t.Errorf("row level security: %+v", r)
		}
	})
}

func TestCheckOfServerSettings(t *testing.T) {
	t.Parallel()
	server := ownServer(t, "15", map[string]string{"wal_level": "replica", "max_replication_slots": "1", "max_wal_senders": "0"})
	options := postgres.Options{DSN: server.DSN(), Create: true}
	run(t, connect(t, server.DSN()), `SELECT pg_create_physical_replication_slot('other')`)
	results := postgres.Check(context.Background(), options)
	for name, repair := range map[string]string{
		"wal_level":             "ALTER SYSTEM SET wal_level = logical",
		"max_replication_slots": "ALTER SYSTEM SET max_replication_slots = ",
		"max_wal_senders":       "ALTER SYSTEM SET max_wal_senders = ",
	} {
		if r := result(t, results, name); r.Status != postgres.CheckFail || !strings.HasPrefix(r.Repair, repair) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestCheckOfAServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	results := postgres.Check(context.Background(), postgres.Options{DSN: "postgres://u:s3cret@127.0.0.1:1/x"})
	if len(results) != 1 || results[0].Status != postgres.CheckFail || !strings.Contains(results[0].Repair, "127.0.0.1:1") {
		t.Errorf("%+v", results)
	}
	if strings.Contains(results[0].Detail, "s3cret") {
		t.Errorf("password shown: %s", results[0].Detail)
	}
}
