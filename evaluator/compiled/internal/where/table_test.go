package where_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"muster/evaluator"
	"muster/evaluator/compiled/internal/cases"
	"muster/evaluator/compiled/internal/where"
)

// table is a users table of cases.Schema, the given memberships of its users and questions about them, all temporary: on a
// connection of its own.
type table struct {
	t    *testing.T
	conn *pgx.Conn
}

// types are those of the columns of cases.Schema.
var types = []string{
	"text", "text", "char(3)", "bigint", "numeric", "boolean", "timestamptz", "date", "text[]", "timestamptz[]", "jsonb", "jsonb",
}

// columns lists the columns, each put as the format says: its number, name and type are the arguments.
func columns(format string) string {
	list := make([]string, len(types))
	for i, c := range cases.Schema.Columns {
		list[i] = fmt.Sprintf(format, i+1, c.Name, types[i])
	}
	return strings.Join(list, ", ")
}

func newTable(t *testing.T) *table {
	t.Helper()
	config, err := pgx.ParseConfig(server(t).DSN())
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"TimeZone": "UTC", "DateStyle": "ISO, MDY", "extra_float_digits": "3"} {
		config.RuntimeParams[name] = value
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	w := &table{t, conn}
	w.run("CREATE TEMP TABLE users (" + columns("%[2]s %[3]s") + ", secret text DEFAULT 'a', PRIMARY KEY (id))") // secret is hidden
	w.run("CREATE TEMP TABLE members (user_id text, audience text, tenant text, PRIMARY KEY (user_id, audience, tenant))")
	w.run("CREATE TEMP TABLE questions (n int, user_id text, now timestamptz)")
	return w
}

func (w *table) run(sql string, args ...any) {
	w.t.Helper()
	if _, err := w.conn.Exec(w.t.Context(), sql, args...); err != nil {
		w.t.Fatalf("%.200s: %v", sql, err)
	}
}

// fill makes n users, and returns them as the stream would carry them: with the text that Postgres prints.
func (w *table) fill(m *cases.Maker, audiences []evaluator.Audience, n int) []evaluator.Input {
	w.t.Helper()
	w.run("TRUNCATE users, members")
	fields := make([]any, len(types))
	for c := range fields {
		fields[c] = make([]*string, n)
	}
	for i := range n {
		row := m.Row()
		for c := range fields {
			fields[c].([]*string)[i] = storable(row, c, i)
		}
	}
	w.run("INSERT INTO users SELECT "+columns("%[2]s::%[3]s")+" FROM unnest("+columns("$%[1]d::text[]")+
		") AS r("+columns("%[2]s")+")", fields...)
	users := w.read()
	for i := range users {
		users[i].Given = m.Given(audiences)
	}
	w.give(audiences, users)
	return users
}

// storable is a field as the table takes it: ids are told apart, and what only a date can hold is left to the date.
func storable(row *evaluator.Row, column, i int) *string {
	text := row.Text(column)
	name := cases.Schema.Columns[column].Name
	if name == "id" {
		id := fmt.Sprintf("%s-%d", text, i)
		return &id
	}
	if text == nil {
		return nil
	}
	s := string(text)
	if name != "born" {
		s = strings.ReplaceAll(s, "5874897-12-31", "infinity")
	}
	return &s
}

// read returns the users of the table.
func (w *table) read() []evaluator.Input {
	w.t.Helper()
	rows, err := w.conn.Query(w.t.Context(), "SELECT "+columns("%[2]s")+" FROM users", pgx.QueryExecModeSimpleProtocol) // as text
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	var users []evaluator.Input
	for rows.Next() {
		var tuple evaluator.Tuple
		for _, text := range rows.RawValues() {
			if text == nil {
				tuple = tuple.AppendNull()
			} else {
				tuple = tuple.AppendText(text)
			}
		}
		row, err := evaluator.NewRow(cases.Schema, tuple)
		if err != nil {
			w.t.Fatal(err)
		}
		users = append(users, evaluator.Input{User: string(row.Text(0)), Row: row})
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return users
}

// give records the given memberships of users.
func (w *table) give(audiences []evaluator.Audience, users []evaluator.Input) {
	w.t.Helper()
	keys := make(map[evaluator.AudienceID]string)
	for _, a := range audiences {
		keys[a.ID] = a.Definition.Key
	}
	var user, audience, tenant []string
	for i := range users {
		for _, g := range users[i].Given {
			user, audience, tenant = append(user, users[i].User), append(audience, keys[g.Audience]), append(tenant, g.Tenant)
		}
	}
	w.run("INSERT INTO members SELECT * FROM unnest($1::text[], $2::text[], $3::text[])", user, audience, tenant)
}

// ask judges inputs by clauses: for each input, whether each clause holds.
func (w *table) ask(clauses []string, inputs []evaluator.Input) [][]bool {
	w.t.Helper()
	var users []string
	var clocks []time.Time
	for i := range inputs {
		users, clocks = append(users, inputs[i].User), append(clocks, inputs[i].Now.Time())
	}
	w.run("TRUNCATE questions")
	w.run("INSERT INTO questions SELECT n, u, c FROM unnest($1::text[], $2::timestamptz[]) WITH ORDINALITY AS x(u, c, n)", users, clocks)
	sql := "SELECT ARRAY[" + strings.Join(clauses, ",\n") + "]::boolean[] FROM " + where.From + " ORDER BY q.n"
	rows, err := w.conn.Query(w.t.Context(), sql, pgx.QueryExecModeExec)
	if err != nil {
		w.t.Fatal(err)
	}
	verdicts, err := pgx.CollectRows(rows, pgx.RowTo[[]bool])
	if err != nil {
		w.t.Fatalf("%v, asking %.4000s", err, sql)
	}
	if len(verdicts) != len(inputs) {
		w.t.Fatalf("%d answers to %d questions", len(verdicts), len(inputs))
	}
	return verdicts
}
