package app

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"muster/config"
	"muster/connectors/postgres"
)

// fuzzed are the endpoints of definitions; {} stands for what the fuzzer makes up.
var fuzzed = []string{
	"GET /v1/audiences", "GET /v1/audiences/{}", "PUT /v1/audiences/{}", "PUT /v1/audiences/{}/validate", "DELETE /v1/audiences/{}",
	"GET /v1/audiences/{}/versions/1", "PUT /v1/audiences/{}/revert", "GET /v1/commits", "GET /v1/commits/{}", "PUT /v1/commits",
	"PUT /v1/commits/promote", "PUT /v1/commits/{}/promote", "GET /v1/environments", "GET /v1/environments/{}", "GET /v1/whoami",
}

// FuzzRequests sends requests made of anything to the API over a real database: none may be answered with a 5xx.
func FuzzRequests(f *testing.F) {
	audience := `{"audience": {"type": "static"}}`
	for i := range fuzzed {
		f.Add(uint8(i), "a", "environment=development", audience)
		f.Add(uint8(i), "1", "environment=development&commit=true&version=1&to_environment=production&page_size=3&after=AWE", plan("x"))
	}
	f.Add(uint8(2), "a\x00", "environment=development&commit_message=%00&branch=main", `{"audience": {"name": "\u0000", "type": "static"}}`)
	f.Add(uint8(7), "a", "environment=development&before=AQ&resource_id=%00&promoted=true", "")
	f.Add(uint8(0), "a", "environment=development&after=AQD_", `{"audience": null}`)
	f.Add(uint8(9), "a", "environment=development&resource_id=a,b&force=1", "[]")
	handler := fuzzHandler(f)
	f.Fuzz(func(t *testing.T, which uint8, name, query, body string) {
		method, path, _ := strings.Cut(fuzzed[int(which)%len(fuzzed)], " ")
		r := httptest.NewRequest(method, "http://localhost/", strings.NewReader(body))
		r.URL.Path = strings.ReplaceAll(path, "{}", name)
		r.URL.RawPath = strings.ReplaceAll(path, "{}", url.PathEscape(name))
		r.URL.RawQuery = query
		r.RemoteAddr = "127.0.0.1:1"
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %s?%s %q: %d %s", method, r.URL.Path, query, body, w.Code, w.Body)
		}
	})
}

// fuzzHandler is the API over a database that lives for the whole run.
func fuzzHandler(f *testing.F) http.Handler {
	f.Helper()
	dsn, _ := newDatabase(f)
	c := config.Default()
	control, err := postgres.OpenControl(dsn, c.Postgres.Schema, 4)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(control.Close)
	if err := control.Migrate(f.Context()); err != nil {
		f.Fatal(err)
	}
	return DefinitionsAPI(c, control, slog.New(slog.NewTextHandler(io.Discard, nil)))
}
