package app

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// scraps are what requests are made of.
var scraps = []string{`null`, `""`, `"\u0000"`, `"\ud800"`, `0`, `-1e400`, `[]`, `{}`, `true`, `"beta"`, `"u1"`, `{"id": "u1"}`, `{"id": "u1", "age": "x"}`,
	`{"user": {"id": "u1", "age": 99999999999}, "tenant": "t"}`, `{"audience": "beta", "user_id": "u1"}`, `{"object": {"object_api_name": "user"}}`}

var keysOfScraps = []string{"members", "users", "user_ids", "questions", "audience", "method", "params", "user", "id", "tenant", "records", "sync_plan", "configuration"}

// TestJunkIsNoFaultOfOurs sends random requests to every endpoint of the OpenAPI document: none is answered with a 5xx.
func TestJunkIsNoFaultOfOurs(t *testing.T) {
	t.Parallel()
	s := serve(t, "http: {limits: {requests_per_second: 0}}")
	s.want(204, "POST", "/v1/audiences/beta/members?create_audience=true", `{"members": [{"user": "u1"}]}`)
	random := rand.New(rand.NewPCG(3, 4))
	pick := func(list []string) string { return list[random.IntN(len(list))] }
	handler := s.worker.routes()
	for _, o := range s.operations() {
		if strings.HasSuffix(o.path, "/stream") || o.path == "/v1/events" || strings.Contains(o.path, "verif") {
			continue // these answer for as long as somebody listens, or compare the whole database
		}
		for range 25 {
			var path []string
			for _, step := range strings.Split(o.path, "/") {
				if strings.HasPrefix(step, "{") {
					step = url.PathEscape(pick([]string{"beta", "u1", "\x00", "\xff", "a/b", "1", strings.Repeat("x", 2_000), "ü"}))
				}
				path = append(path, step)
			}
			query := url.Values{pick([]string{"after", "before", "tenant", "environment", "page_size", "format"}): {pick([]string{"AWE", "AQ", "\x00", "\xff", "development", "-1", "x"})}}
			body := fmt.Sprintf(`{%q: [%s, %s], %q: %s}`, pick(keysOfScraps), pick(scraps), pick(scraps), pick(keysOfScraps), pick(scraps))
			r := httptest.NewRequest(o.method, "http://localhost"+strings.Join(path, "/")+"?"+query.Encode(), strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.RemoteAddr = "127.0.0.1:1"
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if w.Code >= http.StatusInternalServerError {
				t.Errorf("%s %s %s: %d %s", o.method, r.URL, body, w.Code, w.Body)
			}
		}
	}
}
