package evaluator

import (
	"encoding/json"
	"strings"
	"testing"
)

// BenchmarkParseJSON reads the properties of a usual user, by our parser and, for comparison, by the standard library.
func BenchmarkParseJSON(b *testing.B) {
	document := `{"plan": "pro", "seats": 25, "mrr": 1299.50, "tags": ["beta", "vip", "eu"], "active": true, "referrer": null,
		"address": {"city": "Oslo", "zip": "0150", "country": "NO"}, "last_order": {"id": "o_918273", "total": 88.25, "items": [1, 2, 3]}}`
	b.Run("muster", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(document)))
		for b.Loop() {
			if _, err := ParseJSON([]byte(document)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(document)))
		for b.Loop() {
			var v any
			d := json.NewDecoder(strings.NewReader(document))
			d.UseNumber()
			if err := d.Decode(&v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
