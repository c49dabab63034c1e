package statement

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want Statement
	}{
		"nothing":            {"", Statement{Kind: Exec}},
		"comment alone":      {"-- SELECT", Statement{Kind: Exec, Text: "-- SELECT"}},
		"select":             {"SELECT 1", Statement{Kind: Rows, Verb: "SELECT", Text: "SELECT 1"}},
		"semicolon":          {"select 1 ; ", Statement{Kind: Rows, Verb: "SELECT", Text: "select 1 "}},
		"after comments":     {"/* a /* b */ */ -- c\n# d\n(SELECT 1)", Statement{Kind: Rows, Verb: "(", Text: "/* a /* b */ */ -- c\n# d\n(SELECT 1)"}},
		"format":             {"SELECT 1 FORMAT JSON", Statement{Kind: Rows, Verb: "SELECT", Text: "SELECT 1 ", Format: "JSON"}},
		"format, settings":   {"SELECT 1 FORMAT JSON SETTINGS a=1;", Statement{Kind: Rows, Verb: "SELECT", Text: "SELECT 1  SETTINGS a=1", Format: "JSON"}},
		"format is a column": {"SELECT format FROM t", Statement{Kind: Rows, Verb: "SELECT", Text: "SELECT format FROM t"}},
		"format in a string": {"SELECT ' FORMAT JSON'", Statement{Kind: Rows, Verb: "SELECT", Text: "SELECT ' FORMAT JSON'"}},
		"quotes":             {"SELECT 'a;b''c\\';', `x;y`", Statement{Kind: Rows, Verb: "SELECT", Text: "SELECT 'a;b''c\\';', `x;y`"}},
		"create":             {"CREATE TABLE t (x UInt8)", Statement{Kind: Exec, Verb: "CREATE", Text: "CREATE TABLE t (x UInt8)"}},
		"set":                {"set a = 1", Statement{Kind: Exec, Verb: "SET", Text: "set a = 1"}},
		"insert, client's data": {"INSERT INTO t (a, b) FORMAT Native",
			Statement{Kind: Insert, Verb: "INSERT", Text: "INSERT INTO t (a, b) ", Format: "Native", Target: "t", Columns: "a, b"}},
		"insert, no columns": {"insert into `a b`.\"t\" values ;",
			Statement{Kind: Insert, Verb: "INSERT", Text: "insert into `a b`.\"t\" ", Format: "Values", Target: "`a b`.\"t\"", Data: " ;"}},
		"insert, doubled quotes": {"INSERT INTO `a``b` (x) VALUES",
			Statement{Kind: Insert, Verb: "INSERT", Text: "INSERT INTO `a``b` (x) ", Format: "Values", Target: "`a``b`", Columns: "x"}},
		"insert, settings": {"INSERT INTO t SETTINGS async_insert=1 FORMAT CSV",
			Statement{Kind: Insert, Verb: "INSERT", Text: "INSERT INTO t SETTINGS async_insert=1 ", Format: "CSV", Target: "t"}},
		"insert, inline": {"INSERT INTO t VALUES (1, ';'); (2)",
			Statement{Kind: Insert, Verb: "INSERT", Text: "INSERT INTO t ", Format: "Values", Target: "t", Data: " (1, ';'); (2)", Inline: true}},
		"insert, inline format": {"INSERT INTO t FORMAT CSV\n1;2\n",
			Statement{Kind: Insert, Verb: "INSERT", Text: "INSERT INTO t ", Format: "CSV", Target: "t", Data: "\n1;2\n", Inline: true}},
		"insert, function": {"INSERT INTO TABLE FUNCTION file('a(', 'CSV') (x) VALUES",
			Statement{Kind: Insert, Verb: "INSERT", Text: "INSERT INTO TABLE FUNCTION file('a(', 'CSV') (x) ", Format: "Values", Target: "file('a(', 'CSV')", Columns: "x"}},
		"insert, parameter": {"INSERT INTO {t:Identifier} (x) VALUES",
			Statement{Kind: Insert, Verb: "INSERT", Text: "INSERT INTO {t:Identifier} (x) ", Format: "Values", Target: "{t:Identifier}", Columns: "x"}},
		"insert select": {"INSERT INTO t (a) SELECT 1;",
			Statement{Kind: Exec, Verb: "INSERT", Text: "INSERT INTO t (a) SELECT 1", Target: "t", Columns: "a"}},
		"insert, select in parentheses": {"INSERT INTO t (SELECT x FROM y)",
			Statement{Kind: Exec, Verb: "INSERT", Text: "INSERT INTO t (SELECT x FROM y)", Target: "t"}},
		"insert from a file": {"INSERT INTO t FROM INFILE 'x' FORMAT CSV",
			Statement{Kind: Exec, Verb: "INSERT", Text: "INSERT INTO t FROM INFILE 'x' FORMAT CSV", Target: "t"}},
		"columns named like keywords": {"INSERT INTO t (format, `values`) VALUES",
			Statement{Kind: Insert, Verb: "INSERT", Text: "INSERT INTO t (format, `values`) ", Format: "Values", Target: "t", Columns: "format, `values`"}},
		"insert cut short": {"INSERT INTO t (a", Statement{Kind: Exec, Verb: "INSERT", Text: "INSERT INTO t (a", Target: "t", Columns: ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if got != c.want {
				t.Errorf("Parse(%q)\n got %+v\nwant %+v", c.text, got, c.want)
			}
		})
	}
}

func TestParseRefusesSeveralStatements(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"SELECT 1; SELECT 2", "DROP TABLE t;;DROP TABLE u", "INSERT INTO t SELECT 1; DROP TABLE t", "CREATE TABLE t (a String DEFAULT ';'); SELECT 1"} {
		if _, err := Parse(text); !errors.Is(err, ErrSeveral) {
			t.Errorf("Parse(%q): %v, want %v", text, err, ErrSeveral)
		}
	}
}

// FuzzParse holds that no text makes Parse panic, and that what it hands to the engine is made of the text alone.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"SELECT 1 FORMAT JSON", "INSERT INTO t (a) VALUES (1)", "INSERT INTO {t:Identifier}.", "/* /*", "'\\", "INSERT INTO FUNCTION f((", "insert into t (with"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		if s.Kind == Insert && !strings.HasPrefix(text, s.Text) {
			t.Errorf("head %q is not the beginning of %q", s.Text, text)
		}
		if !strings.HasSuffix(text, s.Data) || !strings.Contains(text, s.Target) || !strings.Contains(text, s.Columns) || s.Format != "Values" && !strings.Contains(text, s.Format) {
			t.Errorf("%+v is not made of %q", s, text)
		}
	})
}
