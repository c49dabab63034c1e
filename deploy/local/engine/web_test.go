package engine

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// request sends one over HTTP and returns status, body and header. Options change it before it is sent.
func request(t *testing.T, method string, query url.Values, body io.Reader, options ...func(*http.Request)) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+shared.HTTPAddr()+"/?"+query.Encode(), body)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range options {
		set(r)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

// post sends a query in the body, as curl -d does, and wants it to succeed.
func post(t *testing.T, text string, query url.Values) string {
	t.Helper()
	status, answer, _ := request(t, http.MethodPost, query, strings.NewReader(text))
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", text, status, answer)
	}
	return answer
}

func TestHTTPQueries(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, body string
		query        url.Values
		want         string
	}{
		"get":               {http.MethodGet, "", url.Values{"query": {"SELECT 1, 'a\tb'"}}, "1\ta\\tb\n"},
		"post":              {http.MethodPost, "SELECT 1 FORMAT CSV", nil, "1\n"},
		"query and body":    {http.MethodPost, "+ 1", url.Values{"query": {"SELECT 1"}}, "2\n"},
		"format of the URL": {http.MethodPost, "SELECT 1 AS x", url.Values{"default_format": {"JSONEachRow"}}, "{\"x\":1}\n"},
		"format in text":    {http.MethodPost, "SELECT 1 AS x FORMAT JSONEachRow;", url.Values{"default_format": {"CSV"}}, "{\"x\":1}\n"},
		"parameters":        {http.MethodPost, "SELECT {a:String}, {b:UInt8} + 1", url.Values{"param_a": {`it's\ta`}, "param_b": {"4"}}, "it\\'s\\ta\t5\n"},
		"setting":           {http.MethodPost, "SELECT getSetting('max_threads')", url.Values{"max_threads": {"3"}}, "3\n"},
		"database":          {http.MethodPost, "SELECT currentDatabase()", url.Values{"database": {"system"}}, "system\n"},
		"several blocks":    {http.MethodPost, "SELECT count() FROM (SELECT number FROM numbers(5)) SETTINGS max_block_size = 2", nil, "5\n"},
		"list of blocks":    {http.MethodPost, "SELECT number FROM numbers(5) SETTINGS max_block_size = 2", nil, "0\n1\n2\n3\n4\n"},
		"names once":        {http.MethodPost, "SELECT number FROM numbers(3) SETTINGS max_block_size = 2", url.Values{"default_format": {"CSVWithNames"}}, "\"number\"\n0\n1\n2\n"},
		"no rows":           {http.MethodPost, "SELECT 1 WHERE 0", nil, ""},
		"show":              {http.MethodPost, "SHOW DATABASES LIKE 'system'", nil, "system\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, got, _ := request(t, c.method, c.query, strings.NewReader(c.body))
			if status != http.StatusOK || got != c.want {
				t.Errorf("%d %q, want %q", status, got, c.want)
			}
		})
	}
}

func TestHTTPJSONIsOneDocument(t *testing.T) {
	t.Parallel()
	status, got, header := request(t, http.MethodPost, url.Values{"default_format": {"JSON"}}, strings.NewReader("SELECT number FROM numbers(9) SETTINGS max_block_size = 2"))
	if status != http.StatusOK || strings.Count(got, `"meta"`) != 1 || !strings.Contains(got, `"rows": 9`) || header.Get("X-ClickHouse-Format") != "JSON" ||
		header.Get("Content-Type") != "application/json; charset=UTF-8" {
		t.Error(status, got, header)
	}
}

func TestHTTPInserts(t *testing.T) {
	t.Parallel()
	in := url.Values{"database": {database(t)}}
	with := func(query string) url.Values { return url.Values{"database": in["database"], "query": {query}} }
	post(t, "CREATE TABLE h (x UInt64, s String) ENGINE = MergeTree ORDER BY x", in)
	var big strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&big, "{\"x\":%d,\"s\":\"%d\"}\n\n", i, i)
	}
	for name, c := range map[string]struct {
		query, body string
		rows        int
	}{
		"values in the body":      {"", "INSERT INTO h VALUES (1, 'a'), (2, 'b;');", 2},
		"values in the URL":       {"INSERT INTO h VALUES (1, 'a')", "", 1},
		"data after the URL":      {"INSERT INTO h FORMAT CSV", "1,a\n2,b\n", 2},
		"values after the URL":    {"INSERT INTO h (x) VALUES", "(1),(2),(3)", 3},
		"all in the body":         {"", "INSERT INTO h FORMAT JSONEachRow\n{\"x\":1}\n{\"x\":2}\n", 2},
		"text with blank lines":   {"INSERT INTO h FORMAT JSONEachRow", big.String(), 200_000},
		"insert select":           {"", "INSERT INTO h SELECT number, '' FROM numbers(4)", 4},
		"spaces that are numbers": {"INSERT INTO h (x) FORMAT RowBinary", strings.Repeat(" ", 8*5), 5},
	} {
		post(t, "TRUNCATE TABLE h", in)
		status, answer, header := request(t, http.MethodPost, with(c.query), strings.NewReader(c.body))
		if status != http.StatusOK {
			t.Errorf("%s: %d %s", name, status, answer)
		}
		if got := post(t, "SELECT count() FROM h", in); got != fmt.Sprintln(c.rows) {
			t.Errorf("%s: %s rows, want %d", name, strings.TrimSpace(got), c.rows)
		}
		if want := fmt.Sprintf(`"written_rows":"%d"`, c.rows); !strings.Contains(header.Get("X-ClickHouse-Summary"), want) {
			t.Errorf("%s: summary %s, want %s", name, header.Get("X-ClickHouse-Summary"), want)
		}
	}
}

func TestHTTPEncodedBodies(t *testing.T) {
	t.Parallel()
	in := url.Values{"database": {database(t)}}
	post(t, "CREATE TABLE z (x UInt64) ENGINE = MergeTree ORDER BY x", in)
	in.Set("query", "INSERT INTO z FORMAT CSV")
	for encoding, writer := range map[string]func(io.Writer) io.WriteCloser{
		"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"lz4":  func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) },
		"zstd": func(w io.Writer) io.WriteCloser { z, _ := zstd.NewWriter(w); return z },
	} {
		var body bytes.Buffer
		w := writer(&body)
		if _, err := w.Write([]byte("1\n2\n")); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		encoded := func(r *http.Request) { r.Header.Set("Content-Encoding", encoding) }
		if status, answer, _ := request(t, http.MethodPost, in, bytes.NewReader(body.Bytes()), encoded); status != http.StatusOK {
			t.Errorf("%s: %d %s", encoding, status, answer)
		}
		if status, _, _ := request(t, http.MethodPost, in, bytes.NewReader(body.Bytes()[:body.Len()-3]), encoded); status != http.StatusBadRequest {
			t.Errorf("%s cut short: %d", encoding, status)
		}
	}
	brotli := func(r *http.Request) { r.Header.Set("Content-Encoding", "br") }
	if status, answer, _ := request(t, http.MethodPost, in, strings.NewReader("1\n"), brotli); status != http.StatusNotImplemented {
		t.Errorf("an unknown encoding: %d %s", status, answer)
	}
	if got := post(t, "SELECT count() FROM z", url.Values{"database": in["database"]}); got != "6\n" {
		t.Errorf("%s rows, want 6", got)
	}
}

func TestHTTPExceptions(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, text string
		status, code int
	}{
		"unknown table":      {http.MethodPost, "SELECT * FROM nowhere", 404, 60},
		"syntax":             {http.MethodPost, "SELEKT", 400, 62},
		"two statements":     {http.MethodPost, "SELECT 1; SELECT 2", 400, 62},
		"in the middle":      {http.MethodPost, "SELECT throwIf(1)", 500, 395},
		"get changes":        {http.MethodGet, "CREATE DATABASE by_get", 403, 164},
		"unknown format":     {http.MethodPost, "SELECT 1 FORMAT Nothing", 404, 73},
		"insert cannot read": {http.MethodPost, "INSERT INTO FUNCTION null('x UInt8') FORMAT CSV\nabc", 400, 117},
		"result too large":   {http.MethodPost, "SELECT repeat('x', 1000000) FROM numbers(1000) FORMAT JSON", 413, 241},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			query, body := url.Values{}, io.Reader(nil)
			if c.method == http.MethodGet {
				query.Set("query", c.text)
			} else {
				body = strings.NewReader(c.text)
			}
			status, text, header := request(t, c.method, query, body)
			if status != c.status || header.Get("X-ClickHouse-Exception-Code") != fmt.Sprint(c.code) || !strings.HasPrefix(text, fmt.Sprintf("Code: %d. DB::Exception: ", c.code)) {
				t.Errorf("%d, code %s, %q; want %d, %d", status, header.Get("X-ClickHouse-Exception-Code"), text[:min(len(text), 300)], c.status, c.code)
			}
		})
	}
}

func TestHTTPRefusesWhatItWouldIgnore(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"session_id", "compress"} {
		if status, text, _ := request(t, http.MethodPost, url.Values{name: {"1"}}, strings.NewReader("SELECT 1")); status != http.StatusNotImplemented {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	if status, text, _ := request(t, http.MethodPost, url.Values{"no_such_setting": {"1"}}, strings.NewReader("SELECT 1")); status != http.StatusNotFound {
		t.Errorf("an unknown setting: %d %s", status, text)
	}
}

func TestHTTPServesThisMachineOnly(t *testing.T) {
	t.Parallel()
	named := func(r *http.Request) { r.Host = "rebound.example" }
	crossed := func(r *http.Request) { r.Header.Set("Origin", "https://elsewhere.example") }
	for name, option := range map[string]func(*http.Request){"another name": named, "another origin": crossed} {
		if status, text, _ := request(t, http.MethodPost, nil, strings.NewReader("SELECT 1"), option); status != http.StatusForbidden {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
}

func TestHTTPPing(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/ping", "/"} {
		resp, err := http.Get("http://" + shared.HTTPAddr() + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || string(text) != "Ok.\n" || err != nil {
			t.Errorf("%s: %d %q %v", path, resp.StatusCode, text, err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestDriverOverHTTP has the Go driver use this front, which asks for blocks in the dialect of the native protocol.
func TestDriverOverHTTP(t *testing.T) {
	t.Parallel()
	conn, err := clickhouse.Open(&clickhouse.Options{Addr: []string{shared.HTTPAddr()}, Protocol: clickhouse.HTTP, Auth: clickhouse.Auth{Database: database(t)}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	run(t, conn, "CREATE TABLE o (x UInt64, s LowCardinality(String)) ENGINE = MergeTree ORDER BY x")
	run(t, conn, "INSERT INTO o VALUES (1, 'a')")
	insert(t, context.Background(), conn, "INSERT INTO o (x)", 10)
	if got := one[uint64](t, conn, "SELECT count() FROM o WHERE s = {s:String}", clickhouse.Named("s", "a")); got != 1 {
		t.Errorf("count %d", got)
	}
	if got := one[string](t, conn, "SELECT s FROM o WHERE x = 1 ORDER BY s DESC LIMIT 1"); got != "a" {
		t.Errorf("value %q", got)
	}
	var e *clickhouse.Exception
	if err := conn.Exec(context.Background(), "SELECT * FROM nowhere"); !errors.As(err, &e) || e.Code != 60 {
		t.Errorf("unknown table: %v", err)
	}
}

func TestHTTPClientThatLeavesCancels(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+shared.HTTPAddr(), strings.NewReader("SELECT sum(cityHash64(number)) FROM numbers(2000000000000) SETTINGS max_threads = 1"))
	if err != nil {
		t.Fatal(err)
	}
	left := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			_ = resp.Body.Close()
		}
		left <- err
	}()
	conn := connect(t, shared, "")
	const running = "SELECT count() FROM system.processes WHERE query LIKE '%numbers(2000000000000)%' AND query NOT LIKE '%processes%'"
	eventually(t, func() bool { return one[uint64](t, conn, running) == 1 })
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("a request given up: %v", err)
	}
	eventually(t, func() bool { return one[uint64](t, conn, running) == 0 })
}
