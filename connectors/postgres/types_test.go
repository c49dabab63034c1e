package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"muster/evaluator"
	"muster/pipeline/event"
)

// Each value prints the same in the snapshot and in the stream, whatever the role's settings are, and its column has the
// kind that conditions need.
func TestEveryTypeIsTheSameInSnapshotAndStream(t *testing.T) {
	text := evaluator.ColumnType{}
	kind := func(k evaluator.ColumnKind) evaluator.ColumnType { return evaluator.ColumnType{Kind: k} }
	array := func(of evaluator.ColumnType) evaluator.ColumnType {
		return evaluator.ColumnType{Kind: evaluator.ColumnArray, Element: &of, Delimiter: ','}
	}
	boxes := array(text)
	boxes.Delimiter = ';'
	cases := []struct {
		sqlType, value string
		want           evaluator.ColumnType
		printed        string // "" where only sameness counts
	}{
		{"bool", "true", kind(evaluator.ColumnBool), "t"},
		{"int2", "-32768", kind(evaluator.ColumnNumber), "-32768"},
		{"int8", "9223372036854775807", kind(evaluator.ColumnNumber), ""},
		{"numeric", "'NaN'", kind(evaluator.ColumnNumber), "NaN"},
		{"numeric", "'Infinity'", kind(evaluator.ColumnNumber), "Infinity"},
		{"numeric(12,4)", "1.5", kind(evaluator.ColumnNumber), "1.5000"},
		{"float8", "0.1::float8 + 0.2", kind(evaluator.ColumnNumber), "0.30000000000000004"},
		{"float4", "'-Infinity'", kind(evaluator.ColumnNumber), "-Infinity"},
		{"timestamptz", "'infinity'", kind(evaluator.ColumnTimestamp), "infinity"},
		{"timestamptz", "'2026-07-01 12:00:00.000001+05:30'", kind(evaluator.ColumnTimestamp), "2026-07-01 06:30:00.000001+00"},
		{"timestamptz", "'0044-03-15 00:00:00 BC'", kind(evaluator.ColumnTimestamp), "0044-03-15 00:00:00+00 BC"},
		{"timestamp", "'294276-12-31 23:59:59.999999'", kind(evaluator.ColumnTimestamp), "294276-12-31 23:59:59.999999"},
		{"date", "'-infinity'", kind(evaluator.ColumnTimestamp), "-infinity"},
		{"date", "'2026-02-03'", kind(evaluator.ColumnTimestamp), "2026-02-03"},
		{"interval", "'1 year 2 days 3.5 seconds'", text, "P1Y2DT3.5S"},
		{"time", "'12:34:56.7'", text, "12:34:56.7"},
		{"bytea", `'\xDEADbeef'`, kind(evaluator.ColumnBytea), `\xdeadbeef`},
		{"json", `'{"a": 1, "a": 2,  "x": "\u00e9"}'`, kind(evaluator.ColumnJSON), `{"a": 1, "a": 2,  "x": "\u00e9"}`},
		{"jsonb", `'{"b": 1.50, "a": [null]}'`, kind(evaluator.ColumnJSON), `{"a": [null], "b": 1.50}`},
		{"char(5)", "'ab'", kind(evaluator.ColumnChar), "ab   "},
		{"varchar(5)", "'ab'", text, "ab"},
		{"text", `E'tab\t line\n back\\slash é \\N'`, text, "tab\t line\n back\\slash é \\N"},
		{"text", "''", text, ""},
		{"uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", text, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
		{"inet", "'192.168.0.1/24'", text, "192.168.0.1/24"},
		{"money", "1234.5", text, ""},
		{"point", "'(1,2)'", text, "(1,2)"},
		{"regclass", "'users'", text, "public.users"},
		{"int2vector", "'1 2'", text, "1 2"},
		{"tsvector", "'a b'", text, "'a' 'b'"},
		{"int4range", "'[1,5)'", text, "[1,5)"},
		{"mood", "'so so'", text, "so so"},
		{"positive", "7", kind(evaluator.ColumnNumber), "7"},
		{"fixed", "'x'", kind(evaluator.ColumnChar), "x  "},
		{"pair", "ROW(1, 'a b')", text, `(1,"a b")`},
		{"int4[]", "'{{1,2},{3,NULL}}'", array(kind(evaluator.ColumnNumber)), "{{1,2},{3,NULL}}"},
		{"text[]", `'{"a,b",NULL,"NULL",""}'`, array(text), `{"a,b",NULL,"NULL",""}`},
		{"timestamptz[]", "ARRAY['2026-01-01 00:00+01'::timestamptz]", array(kind(evaluator.ColumnTimestamp)), `{"2025-12-31 23:00:00+00"}`},
		{"mood[]", "ARRAY['so so']::mood[]", array(text), `{"so so"}`},
		{"positive[]", "ARRAY[1,2]::positive[]", array(kind(evaluator.ColumnNumber)), "{1,2}"},
		{"positives", "ARRAY[1,2]", array(kind(evaluator.ColumnNumber)), "{1,2}"},
		{"jsonb[]", `ARRAY['{"a": 1}']::jsonb[]`, array(kind(evaluator.ColumnJSON)), `{"{\"a\": 1}"}`},
		{"box[]", "ARRAY['(1,1),(0,0)'::box]", boxes, "{(1,1),(0,0)}"},
	}
	onEach(t, func(t *testing.T, db *database) {
		db.run(`CREATE TYPE mood AS ENUM ('ok', 'so so')`)
		db.run(`CREATE DOMAIN positive AS numeric CHECK (VALUE > 0)`)
		db.run(`CREATE DOMAIN fixed AS char(3)`)
		db.run(`CREATE DOMAIN positives AS int[]`)
		db.run(`CREATE TYPE pair AS (n int, s text)`)
		var columns, values []string
		for i, c := range cases {
			columns = append(columns, fmt.Sprintf("c%d %s", i, c.sqlType))
			values = append(values, c.value)
		}
		db.run(`CREATE TABLE users (id int PRIMARY KEY, ` + strings.Join(columns, ", ") + `)`)
		for _, setting := range []string{"DateStyle = 'SQL, DMY'", "IntervalStyle = 'sql_standard'", "bytea_output = 'escape'", "TimeZone = 'Asia/Kolkata'",
			"extra_float_digits = '-5'", "search_path = 'public'", "statement_timeout = '1ms'"} {
			db.run(`ALTER DATABASE ` + db.name + ` SET ` + setting)
		}
		db.run(`INSERT INTO users VALUES (1, ` + strings.Join(values, ", ") + `)`)
		source := db.source(withoutProperties)
		chunks := snapshot(t, source, event.SnapshotResume{})
		s := start(t, source, chunks[0].Consistent)
		db.run(`INSERT INTO users VALUES (2, ` + strings.Join(values, ", ") + `)`)
		streamed := s.changes(1)[0]
		if streamed.Schema != chunks[0].Schema {
			t.Error("snapshot and stream have schemas of their own")
		}
		read, sent := fields(chunks[len(chunks)-1].Users[0].Row), fields(streamed.Row)
		for i, c := range cases {
			name := fmt.Sprintf("%s %s", c.sqlType, c.value)
			if read[i+1] != sent[i+1] {
				t.Errorf("%s: %q in the snapshot, %q in the stream", name, read[i+1], sent[i+1])
			}
			if c.printed != "" && sent[i+1] != c.printed {
				t.Errorf("%s: %q, want %q", name, sent[i+1], c.printed)
			}
			want := evaluator.Schema{Columns: []evaluator.Column{{Name: "x", Type: c.want}}}
			if got := (evaluator.Schema{Columns: []evaluator.Column{{Name: "x", Type: streamed.Schema.Columns[i+1].Type}}}); !got.Equal(&want) {
				t.Errorf("%s: type %+v, want %+v", name, got.Columns[0].Type, c.want)
			}
		}
	})
}
