package evaluator

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

func FuzzDecode(f *testing.F) {
	for _, document := range []string{
		withConditions(`{"property":"recipient.a","operator":"equal_to","argument":[1,"{{ recipient.b }}",null]}`),
		withConditions(`{"any":[{"not":{"property":"user.t","operator":"is_timestamp_between","argument":"[\"7 days ago\",{\"value\":3,\"unit\":\"days\",\"modifier\":\"from_now\"}]"}}]}`),
		withConditions(`{"operator":"in_sample","argument":{"percent":12.5,"seed":"x"}},{"operator":"is_audience_member","argument":{"audience":"x","tenant":"t"}}`),
		withConditions(`{"variable":"recipient[\"x\"]","operator":"matches","argument":"a|b","ignore_case":true}`),
		`{"key":"k","type":"static","settle":{"enter":"1m"},"include":["recipient.a"],"trigger_frequency":"once_per_user"}`,
	} {
		f.Add([]byte(document))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		def, err := Decode(document, "k")
		var faults Faults
		if err != nil {
			if !errors.As(err, &faults) || len(faults) == 0 || err.Error() == "" {
				t.Fatalf("the error %v has no faults", err)
			}
			return
		}
		canonical := def.Canonical()
		again, err := Decode(canonical, "k")
		if err != nil {
			t.Fatalf("%s\nis canonical, and refused: %v", canonical, err)
		}
		if !bytes.Equal(again.Canonical(), canonical) {
			t.Fatalf("%s\nbecomes\n%s", canonical, again.Canonical())
		}
		if err := CheckSet([]*Definition{def}); (err == nil) != (len(def.References()) == 0) {
			t.Fatalf("alone in its set: %v, with references %v", err, def.References())
		}
	})
}

func FuzzParseColumn(f *testing.F) {
	for i, text := range []string{"t", "-1.5e-07", "NaN", "2026-01-02 03:04:05.6+00", "0044-03-15 BC", `{"a":[1,"\ud800"],"a":2}`, `[0:1]={{a,"b\"c"},{NULL,""}}`} {
		f.Add(byte(i), []byte(text))
	}
	types := []ColumnType{textType, charType, boolType, numberType, timestampType, jsonType, byteaType, arrayOf(textType), arrayOf(numberType),
		arrayOf(jsonType), arrayOf(timestampType), arrayOf(arrayOf(textType))}
	f.Fuzz(func(t *testing.T, kind byte, text []byte) {
		before := bytes.Clone(text)
		v, err := ParseColumn(types[int(kind)%len(types)], text)
		if !bytes.Equal(text, before) {
			t.Fatal("parsing changed its text")
		}
		if err != nil {
			return
		}
		if !Identical(v, v) || !bytes.Equal(v.AppendKey(nil), v.AppendKey(nil)) {
			t.Fatalf("%s is not itself", v)
		}
		if _, err := ParseJSON(v.AppendJSON(nil)); err != nil {
			t.Fatalf("%s is no JSON: %v", v, err)
		}
	})
}

func FuzzParseJSON(f *testing.F) {
	for _, text := range []string{`{"a":[1,2.5e-3,"x\u00e9\ud83d\ude00"],"b":null,"a":true}`, `1e99999999999999999999`, `[[[[]]]]`, `"\ud800\u0000"`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := ParseJSON(text)
		if err != nil {
			return
		}
		encoded := v.AppendJSON(nil)
		back, err := ParseJSON(encoded)
		if err != nil || !bytes.Equal(back.AppendJSON(nil), encoded) {
			t.Fatalf("%s comes back as %s (%v)", encoded, back, err)
		}
	})
}

func FuzzTimestampString(f *testing.F) {
	for _, text := range []string{"2026-01-02", "2026-01-02T03:04:05.678901234+05:30", "0000-01-01T00:00:00+23:59", "9999-12-31t23:59:59z"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		i, ok := TimestampString(text)
		std, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return // the time package takes no lower case and no 24-hour offsets; see the tables for those
		}
		if ok && i != InstantOf(std) {
			t.Fatalf("%q is %v, and %v by the time package", text, i, std)
		}
	})
}

func FuzzNumericString(f *testing.F) {
	for _, text := range []string{"0", "-1.50", "1e999", "9223372036854775808", "1E-7", "01"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, ok := NumericString(text)
		if parsed, isNumber := ParseNumber(text); ok && (!isNumber || !parsed.Equal(n)) {
			t.Fatalf("%q is a numeric string and no number", text)
		}
		if !ok {
			return
		}
		if back, ok := ParseNumber(n.String()); !ok || !back.Equal(n) || back.Compare(n) != 0 {
			t.Fatalf("%q prints as %s, which is %s", text, n, back)
		}
	})
}
