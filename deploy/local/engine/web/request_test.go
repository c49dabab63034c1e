package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"muster/deploy/local/engine/statement"
)

// send parses a request with a body.
func send(t *testing.T, query, body string) *request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.URL.RawQuery = url.Values{"query": {query}}.Encode()
	q, err := parse(r)
	if err != nil {
		t.Fatalf("%q, %q: %v", query, body, err)
	}
	t.Cleanup(q.close)
	return q
}

// TestDataOfInserts holds where the data of an INSERT begins, wherever the statement stands.
func TestDataOfInserts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("1\n", maxQuery)
	for _, c := range []struct{ query, body, format, data string }{
		{"INSERT INTO t FORMAT CSV", "1\n\n2\n", "CSV", "1\n\n2\n"},
		{"INSERT INTO t FORMAT CSV;", "1\n", "CSV", "1\n"},
		{"", "INSERT INTO t FORMAT CSV\n1\n", "CSV", "1\n"},
		{"", "INSERT INTO t FORMAT CSV \r\n1\n", "CSV", "1\n"},
		{"", "INSERT INTO t FORMAT CSV\n\n1\n", "CSV", "\n1\n"},
		{"", "INSERT INTO t FORMAT CSV\n" + long, "CSV", long},
		{"", "INSERT INTO t VALUES (1)", "Values", " (1)"},
		{"INSERT INTO t VALUES", "(1)", "Values", "(1)"},
		{"INSERT INTO t", "VALUES (1)", "Values", " (1)"},
		{"INSERT INTO t FORMAT RowBinary", "  \n ", "RowBinary", "  \n "},
	} {
		q := send(t, c.query, c.body)
		data, err := io.ReadAll(q.data)
		if q.statement.Kind != statement.Insert || q.statement.Format != c.format || string(data) != c.data || err != nil {
			t.Errorf("%.50q, %.50q: format %s, %d bytes %.50q, %v", c.query, c.body, q.statement.Format, len(data), data, err)
		}
	}
}

func TestSettingsAndParameters(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "/?query=SELECT+1&max_threads=2&param_x=y&database=d&default_format=CSV&user=u&query_id=i&client_protocol_version=54460", nil)
	q, err := parse(r)
	if err != nil {
		t.Fatal(err)
	}
	defer q.close()
	got := map[string]string{}
	for _, s := range q.settings {
		got[s.Name] = s.Value
	}
	if len(got) != 2 || got["max_threads"] != "2" || got["readonly"] != "2" || len(q.params) != 1 || q.params[0].Value != "y" || q.database != "d" || q.format != "CSV" || !q.protocol {
		t.Errorf("%+v with settings %v", q, got)
	}
}

// FuzzParse holds that no request makes parse panic, whatever it says its body is.
func FuzzParse(f *testing.F) {
	f.Add("query=INSERT+INTO+t+FORMAT+CSV", "gzip", []byte("\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"))
	f.Add("query=SELECT+1&decompress=1", "", []byte("0123456789abcdef\x82\x0a\x00\x00\x00\x01\x00\x00\x00\x10x"))
	f.Add("param_a=b&%zz", "zstd", []byte("\x28\xb5\x2f\xfd"))
	f.Add("", "lz4", []byte("\x04\x22\x4d\x18"))
	f.Fuzz(func(t *testing.T, query, encoding string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(body)))
		r.URL.RawQuery = query
		r.Header.Set("Content-Encoding", encoding)
		q, err := parse(r)
		if err != nil {
			return
		}
		defer q.close()
		_, _ = io.Copy(io.Discard, io.LimitReader(q.data, 1<<20)) // a body that cannot be decoded is an error later
	})
}
