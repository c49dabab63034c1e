package evaluator

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		` null `:                      `null`,
		"\t[1 ,\r\n2.0,-0]":           `[1,2,0]`,
		`{"b":1,"a":2}`:               `{"a":2,"b":1}`,
		`{"a":1,"b":2,"a":3}`:         `{"a":3,"b":2}`,
		`{"a":1,"a":{"a":1,"a":2}}`:   `{"a":{"a":2}}`,
		`{"a":1,"\u0061":2}`:          `{"a":2}`,
		`{}`:                          `{}`,
		`[]`:                          `[]`,
		`[[],[[]],{}]`:                `[[],[[]],{}]`,
		`"\"\\\/\b\f\n\r\t"`:          "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\"",
		`"a\u0000b"`:                  `"a\u0000b"`,
		`"\ud83d\ude00"`:              `"😀"`,
		`"\ud83d"`:                    `"�"`,
		`"\ude00\ud83d"`:              `"��"`,
		`"\ud83d\u0041"`:              `"�A"`,
		`"\ud83dx"`:                   `"�x"`,
		`"\ud83d\ud83d\ude00"`:        `"�😀"`,
		`"é\u00E9"`:                   `"éé"`,
		`1e999999999999`:              `1e999999999999`,
		`[true,false,null,"true",""]`: `[true,false,null,"true",""]`,
	} {
		v, err := ParseJSON([]byte(text))
		if err != nil || v.String() != want {
			t.Errorf("%s reads as %s (%v), want %s", text, v, err, want)
		}
	}
	for _, text := range []string{
		``, ` `, `nul`, `nulll`, `NULL`, `tru`, `[`, `[1`, `[1,`, `[1,]`, `[1 2]`, `[,1]`, `{`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,}`, `{a:1}`, `{1:1}`,
		`"`, `"a`, `"\`, `"\x"`, `"\u12"`, `"\u12g4"`, "\"a\nb\"", "\"\\n\n\"", `01`, `.5`, `1.`, `1e`, `+1`, `--1`, `NaN`, `1 2`, `[1]]`, `{} {}`, `'a'`, "\v1",
		strings.Repeat("[", maxNesting+1) + strings.Repeat("]", maxNesting+1), strings.Repeat(`{"a":`, 2_000_000),
	} {
		if v, err := ParseJSON([]byte(text)); err == nil {
			t.Errorf("%.40s reads as %s, want an error", text, v)
		}
	}
	deep := strings.Repeat("[", maxNesting) + strings.Repeat("]", maxNesting)
	if v, err := ParseJSON([]byte(deep)); err != nil || v.String() != deep {
		t.Errorf("nesting at the limit fails: %v", err)
	}
}

func TestParseJSONAgreesWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(rapid.SampledFrom([]string{
			`{"a":[1,{"b":null}],"c":"x\u00e9\n"}`, `[[[]]]`, `"\ud800"`, `{"a":1,"a":2}`, `-0.5e+3`, `[true , false]`,
		}).Draw(t, "text"))
		for range rapid.IntRange(0, 3).Draw(t, "edits") {
			at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			text[at] = rapid.SampledFrom([]byte(`{}[]",:\u0e1-.tfn `)).Draw(t, "byte")
		}
		v, err := ParseJSON(text)
		var std any
		decoder := json.NewDecoder(strings.NewReader(string(text)))
		decoder.UseNumber()
		stdErr := decoder.Decode(&std)
		if valid := json.Valid(text); valid != (err == nil) {
			t.Fatalf("%q: valid is %v, but the error %v", text, valid, err)
		}
		if err == nil && stdErr == nil {
			sameAsStandard(t, v, std)
		}
	})
}

func sameAsStandard(t *rapid.T, v Value, std any) {
	switch std := std.(type) {
	case map[string]any:
		if len(v.Members()) != len(std) {
			t.Fatalf("%s has not the keys of %v", v, std)
		}
		for _, m := range v.Members() {
			sameAsStandard(t, m.Value, std[m.Key])
		}
	case []any:
		if len(v.Items()) != len(std) {
			t.Fatalf("%s has not the items of %v", v, std)
		}
		for i, item := range v.Items() {
			sameAsStandard(t, item, std[i])
		}
	case string:
		if v.Text() != std {
			t.Fatalf("%q is not %q", v.Text(), std)
		}
	case json.Number:
		n, _ := ParseNumber(std.String())
		if v.Kind() != KindNumber || !v.Number().Equal(n) {
			t.Fatalf("%s is not %s", v, std)
		}
	case bool:
		if v.Kind() != KindBool || v.Bool() != std {
			t.Fatalf("%s is not %v", v, std)
		}
	default:
		if !v.IsNull() {
			t.Fatalf("%s is not null", v)
		}
	}
}

func TestValueJSONComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(3).Draw(t, "value")
		back, err := ParseJSON(v.AppendJSON(nil))
		if err != nil || !Identical(v, back) {
			t.Fatalf("%s comes back as %s (%v)", v, back, err)
		}
	})
}

// anyValue generates values as documents hold them.
func anyValue(depth int) *rapid.Generator[Value] {
	return rapid.Custom(func(t *rapid.T) Value {
		kinds := 5
		if depth > 0 {
			kinds = 7
		}
		switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
		case 0:
			return Value{}
		case 1:
			return BoolValue(rapid.Bool().Draw(t, "bool"))
		case 2:
			return NumberValue(IntNumber(rapid.Int64().Draw(t, "int")))
		case 3:
			n, _ := ParseNumber(rapid.SampledFrom([]string{"0.5", "1", "2", "1e30", "-1e-30", "9007199254740993"}).Draw(t, "number"))
			return NumberValue(n)
		case 4:
			if rapid.Bool().Draw(t, "usual") {
				return StringValue(rapid.SampledFrom([]string{"", "1", "1.0", "true", "2026-01-02", "a", "A", "\x00"}).Draw(t, "text"))
			}
			return StringValue(rapid.String().Draw(t, "string"))
		case 5:
			return ListValue(rapid.SliceOfN(anyValue(depth-1), 0, 4).Draw(t, "items"))
		}
		var members []Member
		for _, key := range rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "", "é"}), 0, 4).Draw(t, "keys") {
			members = append(members, Member{key, anyValue(depth-1).Draw(t, "member")})
		}
		return ObjectValue(members)
	})
}

func ExampleParseJSON() {
	v, _ := ParseJSON([]byte(`{"plan": "free", "seats": 1e1, "plan": "pro"}`))
	fmt.Println(v)
	// Output: {"plan":"pro","seats":10}
}
