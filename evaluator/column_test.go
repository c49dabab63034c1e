package evaluator

import (
	"fmt"
	"strings"
	"testing"
)

var (
	textType      = ColumnType{Kind: ColumnText}
	charType      = ColumnType{Kind: ColumnChar}
	boolType      = ColumnType{Kind: ColumnBool}
	numberType    = ColumnType{Kind: ColumnNumber}
	timestampType = ColumnType{Kind: ColumnTimestamp}
	jsonType      = ColumnType{Kind: ColumnJSON}
	byteaType     = ColumnType{Kind: ColumnBytea}
)

func arrayOf(element ColumnType) ColumnType {
	return ColumnType{Kind: ColumnArray, Element: &element, Delimiter: ','}
}

func TestParseColumn(t *testing.T) {
	t.Parallel()
	boxes := ColumnType{Kind: ColumnArray, Element: &textType, Delimiter: ';'}
	for _, c := range []struct {
		t    ColumnType
		text string
		kind Kind
		want string
	}{
		{textType, `{"a":1}`, KindString, `"{\"a\":1}"`},
		{textType, ``, KindString, `""`},
		{charType, `ab   `, KindString, `"ab"`},
		{charType, ` a `, KindString, `" a"`},
		{boolType, `t`, KindBool, `true`},
		{boolType, `f`, KindBool, `false`},
		{numberType, `-42`, KindNumber, `-42`},
		{numberType, `0.10`, KindNumber, `0.1`},
		{numberType, `1e+20`, KindNumber, `100000000000000000000`},
		{numberType, `1.5e-07`, KindNumber, `1.5e-7`},
		{numberType, `NaN`, KindNumber, `"NaN"`},
		{numberType, `-Infinity`, KindNumber, `"-Infinity"`},
		{timestampType, `2026-01-02 03:04:05+00`, KindTimestamp, `"2026-01-02T03:04:05.000000Z"`},
		{timestampType, `infinity`, KindTimestamp, `"infinity"`},
		{jsonType, `{"a": [1, "x"]}`, KindObject, `{"a":[1,"x"]}`},
		{byteaType, `\x00ff`, KindString, `"\\x00ff"`},
		{arrayOf(textType), `{}`, KindList, `[]`},
		{arrayOf(textType), `{a,NULL,"NULL","",null,"a\"b\\c","{x,y}"," s "}`, KindList, `["a",null,"NULL","","null","a\"b\\c","{x,y}"," s "]`},
		{arrayOf(textType), `{{a,b},{c,d}}`, KindList, `[["a","b"],["c","d"]]`},
		{arrayOf(numberType), `[0:1]={1,2.0}`, KindList, `[1,2]`},
		{arrayOf(numberType), `[-1:0][2:3]={{1,2},{3,NaN}}`, KindList, `[[1,2],[3,"NaN"]]`},
		{arrayOf(boolType), `{t,f}`, KindList, `[true,false]`},
		{arrayOf(charType), `{"a  "}`, KindList, `["a"]`},
		{arrayOf(timestampType), `{"2026-01-02 00:00:00+00",infinity}`, KindList, `["2026-01-02T00:00:00.000000Z","infinity"]`},
		{arrayOf(jsonType), `{"{\"a\": 1}",2}`, KindList, `[{"a":1},2]`},
		{boxes, `{(1,1),(0,0);(2,2),(1,1)}`, KindList, `["(1,1),(0,0)","(2,2),(1,1)"]`},
	} {
		v, err := ParseColumn(c.t, []byte(c.text))
		if err != nil || v.Kind() != c.kind || v.String() != c.want {
			t.Errorf("%v %s reads as %s %s (%v), want %s %s", c.t.Kind, c.text, v.Kind(), v, err, c.kind, c.want)
		}
	}
}

func TestParseColumnRefusesWhatIsNotOfTheType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		t    ColumnType
		text string
	}{
		{boolType, "true"}, {boolType, ""}, {numberType, ""}, {numberType, "1_000"}, {numberType, "$1.00"}, {timestampType, "today"},
		{jsonType, "{"}, {jsonType, ""}, {jsonType, strings.Repeat("[", 100_000)}, {arrayOf(textType), ""}, {arrayOf(textType), "a"},
		{arrayOf(textType), "{"}, {arrayOf(textType), "{a"}, {arrayOf(textType), "{a}b"}, {arrayOf(textType), "{a,}"}, {arrayOf(textType), "{,a}"},
		{arrayOf(textType), `{"a`}, {arrayOf(textType), `{"a"b}`}, {arrayOf(textType), `{a"b"}`}, {arrayOf(textType), `{"a\`},
		{arrayOf(textType), "[0:1]"}, {arrayOf(textType), "[x]={a}"}, {arrayOf(numberType), "{x}"}, {ColumnType{Kind: ColumnArray}, "{1}"},
		{arrayOf(textType), strings.Repeat("{", 100) + strings.Repeat("}", 100)},
	} {
		if v, err := ParseColumn(c.t, []byte(c.text)); err == nil {
			t.Errorf("%v %.40q reads as %s, want an error", c.t.Kind, c.text, v)
		}
	}
}

func users(t *testing.T, fields ...string) *Row {
	t.Helper()
	schema := &Schema{Properties: 5, Hidden: []string{"secret"}, Columns: []Column{
		{Name: "id", Type: textType}, {Name: "age", Type: numberType}, {Name: "tags", Type: arrayOf(textType)}, {Name: "note", Type: textType},
		{Name: "odd", Type: numberType}, {Name: "properties", Type: jsonType},
	}}
	var tuple Tuple
	for _, f := range fields {
		if f == "NULL" {
			tuple = tuple.AppendNull()
		} else {
			tuple = tuple.AppendText([]byte(f))
		}
	}
	row, err := NewRow(schema, tuple)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func TestProperties(t *testing.T) {
	t.Parallel()
	row := users(t, "u1", "NULL", "{a,b}", `{"x":1}`, "odd text", `{"age":7,"plan":"pro","secret":1,"list":[[1,2],{"k":null}],"0":"zero","a b":{"c\"d":5},"":1}`)
	for path, want := range map[string]string{
		`recipient.id`:                        `"u1"`,
		`recipient.age`:                       `null`, // the column hides the property
		`user.plan`:                           `"pro"`,
		`recipient.secret`:                    `null`, // hidden, and hides
		`recipient.tags`:                      `["a","b"]`,
		`recipient.tags.1`:                    `"b"`,
		`recipient.tags["1"]`:                 `"b"`,
		`recipient.tags.2`:                    `null`,
		`recipient.tags.01`:                   `null`,
		`recipient.tags.-1`:                   `null`,
		`recipient.tags["+1"]`:                `null`,
		`recipient.tags.99999999999999999999`: `null`,
		`recipient.note.x`:                    `null`, // text that happens to hold JSON is text
		`recipient.odd`:                       `"odd text"`,
		`recipient.list.0.1`:                  `2`,
		`recipient.list[0]`:                   `bad`,
		`recipient.list.1.k`:                  `null`,
		`recipient.0`:                         `"zero"`,
		`recipient["a b"]["c\"d"]`:            `5`,
		`recipient["a b"].c`:                  `null`,
		`recipient[""]`:                       `1`,
		`recipient.properties.plan`:           `"pro"`,
		`recipient.plan.length`:               `null`,
		`recipient.Plan`:                      `null`,
	} {
		p, err := ParsePath(path)
		if want == "bad" {
			if err == nil {
				t.Errorf("%s is a path", path)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else if got := row.Property(p).String(); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}

func TestPropertiesThatAreNoObject(t *testing.T) {
	t.Parallel()
	for _, document := range []string{`["zero"]`, `"x"`, `NULL`, `nonsense`} {
		row := users(t, "u1", "1", "{}", "", "1", document)
		if v := row.Property(Path{"0"}); !v.IsNull() {
			t.Errorf("property 0 of %s is %s", document, v)
		}
	}
	row := users(t, "u1", "1", "{}", "", "1", `["zero"]`)
	if v := row.Property(Path{"properties", "0"}); v.Text() != "zero" {
		t.Errorf("the column itself is a list and yields %s", v)
	}
	without := *row.Schema()
	without.Properties = -1
	if s := without.Resolve(Path{"plan"}); s.Column != -1 {
		t.Errorf("without a properties column plan resolves to %+v", s)
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`recipient.plan`: `recipient.plan`, `user.plan`: `recipient.plan`, `recipient["plan"]`: `recipient.plan`, `recipient.a.b["c d"].e`: `recipient.a.b["c d"].e`,
		`recipient["a.b"]["c]"]`: `recipient["a.b"]["c]"]`, `recipient["\u0061"]`: `recipient.a`, `recipient.naïve-1$`: `recipient.naïve-1$`,
		`recipient["\ud800"]`: "recipient.\uFFFD", `recipient['x']`: "", `recipient`: "", `recipient.`: "", `recipient..a`: "", `recipient.a.`: "", `recipient.a b`: "",
		`recipient.a.["b"]`: "", `recipient.a"b`: "", `recipient.{a}`: "", `recipient[0]`: "", `recipient["a"`: "", `recipient["a]`: "", `recipient[ "a"]`: "", `recipient["a"]b`: "",
		`recipients.a`: "", `plan`: "", ``: "", ` recipient.a`: "", `recipient.a `: "", "recipient.a\n": "", `Recipient.a`: "", `user`: "", `recipient["\x"]`: "", `recipient.a]`: "",
	} {
		p, err := ParsePath(text)
		if (err == nil) != (want != "") || err == nil && p.String() != want {
			t.Errorf("%s reads as %s (%v), want %s", text, p, err, want)
		}
	}
}

func ExampleRow_Property() {
	schema := &Schema{Properties: 1, Columns: []Column{
		{Name: "id", Type: ColumnType{Kind: ColumnText}},
		{Name: "properties", Type: ColumnType{Kind: ColumnJSON}},
	}}
	tuple := Tuple{}.AppendText([]byte("u_42")).AppendText([]byte(`{"plan": "pro", "address": {"city": "Oslo"}}`))
	row, _ := NewRow(schema, tuple)
	city, _ := ParsePath("recipient.address.city")
	fmt.Println(row.Property(city), row.Property(Path{"nothing"}))
	// Output: "Oslo" null
}
