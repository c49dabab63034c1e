package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

// fuzzLimit is what http.limits.body and .import are while fuzzing: small, so that inputs go beyond it.
const fuzzLimit = 4_000

// fuzzedWorker serves over a real database for the whole run, so that inputs meet what earlier ones left behind.
func fuzzedWorker(f *testing.F) http.Handler {
	f.Helper()
	s := serve(f, fmt.Sprintf("http: {limits: {body: %dB, import: %dB}}", fuzzLimit, fuzzLimit))
	exec(f, s.db, `ALTER TABLE users ADD seen timestamptz, ADD tags text[], ADD ratio numeric, ADD word varchar(5) CHECK (word <> 'bad')`)
	s.want(204, "POST", "/v1/audiences/beta/members?create_audience=true", `{"members": [{"user": {"id": "u1", "plan": "pro"}, "tenant": "acme"}]}`)
	return s.worker.routes()
}

// try sends a request and holds the answer to what must be true of any.
func try(t *testing.T, handler http.Handler, method, path, query, contentType string, body []byte) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://localhost/", bytes.NewReader(body))
	r.URL.Path, r.URL.RawQuery = path, query
	r.URL.RawPath = (&url.URL{Path: path}).EscapedPath()
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	r.RemoteAddr = "127.0.0.1:1"
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	told := fmt.Sprintf("%s %q?%q %q %q: %d %.500s", method, path, query, contentType, body, w.Code, w.Body)
	var answer struct {
		Status  int
		Code    string
		Message string
	}
	switch {
	case w.Code >= 500 && !strings.Contains(w.Body.String(), "the worker has not come as far"): // which a busy machine may say
		t.Error(told)
	case !utf8.Valid(w.Body.Bytes()):
		t.Errorf("the answer is not UTF-8: %s", told)
	case w.Code >= 400 && (json.Unmarshal(w.Body.Bytes(), &answer) != nil || answer.Status != w.Code || answer.Code == "" || answer.Message == ""):
		t.Errorf("no error as it should look: %s", told)
	case w.Code < 300 && w.Body.Len() > 0 && strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") && !json.Valid(w.Body.Bytes()):
		t.Errorf("no JSON: %s", told)
	}
	return w
}

// fuzzedData are the endpoints that data comes in by and is asked for at; {} is what the fuzzer makes up.
var fuzzedData = []string{
	"POST /v1/audiences/{}/members", "DELETE /v1/audiences/{}/members", "GET /v1/audiences/{}/members", "PUT /v1/users/{}", "GET /v1/users/{}",
	"DELETE /v1/users/{}", "GET /v1/users", "POST /v1/users/bulk/identify", "POST /v1/users/bulk/delete", "GET /v1/bulk_operations/{}",
	"GET /v1/audiences/beta/members/{}", "GET /v1/users/{}/audiences", "POST /v1/memberships/lookup", "GET /v1/audiences/{}/export",
	"POST /v1/audiences/{}/import", "POST /v1/audiences/preview", "GET /v1/audiences/beta/explain/{}",
}

// oddities are values that parsers, databases and people disagree about.
var oddities = []string{
	`"\u0000"`, `"\ud800"`, `"\udc00\ud800"`, `1e400`, `-1e-400`, `-0`, `123456789012345678901234567890.5`, `0.1e1`, `1E+2`, `"NaN"`, `"infinity"`, `"-infinity"`, `"294277-01-01"`,
	`"4714-11-24 BC"`, `null`, `true`, `{}`, `[]`, `[[1],[2,3]]`, `["{\"", null]`, `{"a": 1, "a": 2}`, `"'); DROP TABLE users; --"`, `"{\"x\""`, `"{a,b}"`, `"=1+1"`, `" "`, `"\u202e"`, `"bad"`, `"too long"`,
}

// FuzzData sends requests made of anything to every endpoint of members and users: none panics, none is answered with a 5xx,
// each refusal is an error as documented, and what is beyond a limit is refused for that.
func FuzzData(f *testing.F) {
	columns := []string{"age", "plan", "seen", "tags", "ratio", "word", "properties", "shoe", "id", "created_at"}
	for i, odd := range oddities {
		user := fmt.Sprintf(`{"id": "u%d", %q: %s, %q: %s}`, i%3, columns[i%len(columns)], odd, columns[(i+3)%len(columns)], odd)
		f.Add(uint8(0), "beta", "create_audience=true", "application/json", []byte(`{"members": [{"user": `+user+`, "tenant": `+odd+`}, {"user": "u1"}]}`))
		f.Add(uint8(1), "beta", "", "application/json", []byte(`{"members": [{"user": `+odd+`, "tenant": "acme"}]}`))
		f.Add(uint8(3), "u1", "", "application/json; charset=utf-8", []byte(user))
		f.Add(uint8(7), "", "", "application/json", []byte(`{"users": [`+user+`, `+user+`]}`))
		f.Add(uint8(8), "", "", "application/json", []byte(`{"user_ids": ["u1", `+odd+`]}`))
		f.Add(uint8(12), "", "", "application/json", []byte(`{"questions": [{"audience": "beta", "user_id": "u1", "tenant": `+odd+`}]}`))
	}
	for i := range fuzzedData {
		f.Add(uint8(i), "u1", "page_size=2&after=AWE&tenant=%00&format=csv&limit=-1", "text/plain", []byte(`{"members": [{"user": "u1"}], "members": []}`))
		f.Add(uint8(i), "\xff\x00/..", "before=%ff&after=&page_size=99999999999999999999", "", []byte("\xff\xfe{"))
		f.Add(uint8(i), strings.Repeat("x", 3_000), "", "application/json", []byte(strings.Repeat("[", 300)+strings.Repeat("]", 300)))
		f.Add(uint8(i), "ü", "environment=development", "application/json", []byte(`{"members": [`+strings.Repeat(`{"user": "u1"},`, 400)+`{}]}`))
		f.Add(uint8(i), "beta", "", "application/x-www-form-urlencoded", []byte(`members=1`))
		f.Add(uint8(i), ".", "", "multipart/form-data; boundary=", []byte{})
	}
	handler := fuzzedWorker(f)
	f.Fuzz(func(t *testing.T, which uint8, name, query, contentType string, body []byte) {
		method, path, _ := strings.Cut(fuzzedData[int(which)%len(fuzzedData)], " ")
		w := try(t, handler, method, strings.ReplaceAll(path, "{}", name), query, contentType, body)
		if len(body) > fuzzLimit && w.Code < 300 && method != http.MethodGet && !strings.HasSuffix(path, "/import") {
			t.Errorf("a body of %d bytes was taken by %s", len(body), path)
		}
	})
}

// FuzzImport sends files as CSV, under mappings made of anything: no panic, no 5xx, and every row is accounted for.
func FuzzImport(f *testing.F) {
	for _, file := range []string{
		"id,age\nu1,30\n", "\ufeffID;Score;Org\r\nu1;1;acme\r\n", "id\tplan\nu1\t\"a \"\"b\"\" c\"\n", "id,age\ru1,1\r", "id\n\"u1\nu2", "id,id\nu1,u2\n", "id,age\nu1,old\nu1,2\n", "\n\n\n",
		"id,seen\nu1,infinity\nu2,294277-01-01\n", "id,tags\nu1,\"{a,\"\"b\"\"}\"\nu2,{\n", "id,word\nu1,bad\nu2,toolong\n", "id,\x00\nu1,\x00\n", "id,\xff\nu1,\xff\n", "id,created_at\nu1,\n", ",\n,\n", "id," + strings.Repeat("c,", 1_500) + "\n",
		"id,properties\nu1,\"{\"\"a\"\":1}\"\nu2,[]\n", "id,ratio\nu1,1e400\nu2,NaN\nu3,99999999999999999999.9\n", strings.Repeat("id,age\n", 800), "user_id,tenant\n=cmd,+1\n@u,-1\n",
	} {
		f.Add("", []byte(file), "create_audience=true")
		f.Add(`{"id": "id", "Org": "tenant_id", "age": "recipient.age"}`, []byte(file), "report=csv")
		f.Add(`{"id": "id", "": "x", "age": "", "plan": "id"}`, []byte(file), "dry_run=true")
	}
	f.Add(`[]`, []byte("id\nu1\n"), "dry_run=maybe")
	f.Add(`{"id": {"a": [1e400]}}`, []byte("id\nu1\n"), "report=xml")
	handler := fuzzedWorker(f)
	f.Fuzz(func(t *testing.T, mapping string, file []byte, query string) {
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		if mapping != "" {
			_ = w.WriteField("mapping", mapping) // into memory
		}
		if part, err := w.CreateFormFile("file", "members.csv"); err == nil {
			_, _ = part.Write(file)
		}
		_ = w.Close()
		got := try(t, handler, "POST", "/v1/audiences/beta/import", query, w.FormDataContentType(), form.Bytes())
		if len(file) > fuzzLimit && got.Code < 300 {
			t.Errorf("a file of %d bytes was taken", len(file))
		}
		var report struct{ Rows, Added, Unchanged, Skipped int }
		if got.Code != http.StatusOK || json.Unmarshal(got.Body.Bytes(), &report) != nil || strings.Contains(query, "dry_run") {
			return
		}
		if report.Rows != report.Added+report.Unchanged+report.Skipped {
			t.Errorf("mapping %q, file %q: %+v", mapping, file, report)
		}
	})
}

// FuzzSyncs calls every method of both reverse ETL protocols with parameters made of anything: no panic, no 5xx, and an answer
// of JSON-RPC with a result or an error, one result for each record.
func FuzzSyncs(f *testing.F) {
	census := []string{"test_connection", "list_objects", "list_fields", "supported_operations", "get_sync_speed", "sync_batch"}
	hightouch := []string{"list_objects", "list_modes", "list_fields", "list_options", "validate", "behavior", "add", "change", "remove"}
	for _, odd := range oddities {
		f.Add(true, "sync_batch", "create_audience=true", `{"sync_plan": {"object": {"object_api_name": "audience_member"}, "operation": "upsert"}, "records": [{"user_id": "u1", "audience_key": "beta", "tenant": `+odd+`, "age": `+odd+`}, {"user_id": `+odd+`}, `+odd+`]}`)
		f.Add(true, "sync_batch", "", `{"sync_plan": {"object": {"object_api_name": "user"}, "operation": "upsert", "schema": {"id": {"active_identifier": true}}}, "records": [{"id": "u1", "word": `+odd+`}, {"id": "u1", "word": "ok"}]}`)
		f.Add(false, "add", "audience=beta", `{"configuration": {"object": "audience_member", "mode": "mirror", "identifierMapping": {"from": "a", "to": "user_id"}, "mappings": [{"from": "b", "to": "tenant"}, {"from": "c", "to": "tags"}]}, "rows": [{"a": "u1", "b": `+odd+`}, {"a": `+odd+`, "c": `+odd+`}]}`)
		f.Add(false, "change", "", `{"configuration": {"object": "user", "mode": `+odd+`}, "rows": `+odd+`}`)
	}
	for _, method := range census {
		f.Add(true, method, "", `{"object": {"object_api_name": "user"}}`)
		f.Add(true, method, "audience=%00", `null`)
	}
	for _, method := range hightouch {
		f.Add(false, method, "", `{"object": "audience_member", "mode": {"id": "mirror"}, "configuration": {"object": {"id": "user"}, "mode": "upsert", "audience": "\u0000"}}`)
		f.Add(false, method, "audience=beta&create_audience=1", `[`)
	}
	handler := fuzzedWorker(f)
	f.Fuzz(func(t *testing.T, isCensus bool, method, query, params string) {
		path, results := hightouchPath, ""
		if isCensus {
			path, results = censusPath, "record_results"
		}
		name, err := json.Marshal(method)
		if err != nil {
			t.Fatal(err)
		}
		body := fmt.Sprintf(`{"jsonrpc": "2.0", "id": 7, "method": %s, "params": %s}`, name, params)
		got := try(t, handler, "POST", path, query, "application/json", []byte(body))
		if got.Code != http.StatusOK {
			return
		}
		var reply struct {
			ID     int
			Result map[string]json.RawMessage
			Error  *struct{ Code int }
		}
		if err := json.Unmarshal(got.Body.Bytes(), &reply); err != nil || (reply.Result == nil) == (reply.Error == nil) {
			t.Errorf("%s: no answer of JSON-RPC: %s", body, got.Body)
		}
		var sent struct{ Records []json.RawMessage }
		var each []json.RawMessage
		if json.Unmarshal([]byte(params), &sent) == nil && json.Unmarshal(reply.Result[results], &each) == nil && len(each) != len(sent.Records) {
			t.Errorf("%s: %d results: %s", body, len(each), got.Body)
		}
	})
}
