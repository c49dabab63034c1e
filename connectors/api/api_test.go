package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/pipeline/event"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// things is a part with one endpoint of each kind.
type things struct {
	api     *API
	failure error
	calls   int
}

type thing struct {
	Name string `json:"name" minLength:"2"`
	Size int    `json:"size,omitempty"`
}

func (t *things) register(a *API) {
	t.api = a
	register(a, endpoint{method: http.MethodGet, path: "/v1/things/{name}", id: "get-thing", role: RoleRead}, t.get)
	register(a, endpoint{method: http.MethodPut, path: "/v1/things/{name}", id: "put-thing", role: RoleWrite}, t.put)
	register(a, endpoint{method: http.MethodPost, path: "/v1/things/ask", id: "ask-thing", role: RoleRead}, t.ask)
}

func (t *things) get(_ context.Context, in *struct {
	Name string `path:"name"`
	Size int    `query:"size"`
}) (*answer[thing], error) {
	if in.Name == "panic" {
		panic("at the disco")
	}
	return &answer[thing]{thing{in.Name, in.Size}}, t.failure
}

func (t *things) put(ctx context.Context, in *struct {
	Name string `path:"name"`
	Body thing
}) (*answer[thing], error) {
	t.calls++
	t.api.wrote(ctx, "token")
	in.Body.Size = t.calls
	return &answer[thing]{in.Body}, t.failure
}

func (t *things) ask(_ context.Context, in *struct{ Body thing }) (*answer[thing], error) {
	return &answer[thing]{in.Body}, t.failure
}

// serve returns an API of the part, and what its log says.
func serve(t *testing.T, o Options, part Part) (http.Handler, *bytes.Buffer) {
	t.Helper()
	log := new(bytes.Buffer)
	o.Log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return New(o, part), log
}

// call sends a request; the header is "Name: value" lines.
func call(t *testing.T, h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, target, reader)
	r.Host, r.RemoteAddr = "127.0.0.1:8470", "127.0.0.1:5555"
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			r.Host = value
		} else if name == "From" {
			r.RemoteAddr = value
		} else {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func errorOf(t *testing.T, w *httptest.ResponseRecorder) Error {
	t.Helper()
	var e Error
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil {
		t.Fatalf("%d %s: %v", w.Code, w.Body, err)
	}
	if e.Status != w.Code || e.Code == "" || e.Type == "" || e.Message == "" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("not the published shape: %d %s %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	return e
}

func keys() []Key {
	var all []Key
	for _, name := range []string{"read", "write", "admin"} {
		role, _ := ParseRole(name)
		all = append(all, Key{Name: name + "-er", Role: role, Hash: sha256.Sum256([]byte("secret-" + name))})
	}
	return all
}

func TestRolesDecide(t *testing.T) {
	t.Parallel()
	h, log := serve(t, Options{Keys: keys()}, new(things))
	cases := []struct {
		method, target, authorization string
		status                        int
	}{
		{"GET", "/v1/things/a", "", 401},
		{"GET", "/v1/things/a", "Bearer secret-rea", 401},
		{"GET", "/v1/things/a", "Basic secret-read", 401},
		{"GET", "/v1/things/a", "Bearer secret-read", 200},
		{"GET", "/v1/things/a", "bearer  secret-read", 200},
		{"PUT", "/v1/things/a", "Bearer secret-read", 403},
		{"PUT", "/v1/things/a", "Bearer secret-write", 200},
		{"POST", "/v1/things/ask", "Bearer secret-read", 200},
		{"GET", "/debug/pprof/cmdline", "Bearer secret-write", 403},
		{"GET", "/debug/pprof/cmdline", "Bearer secret-admin", 200},
		{"GET", "/openapi.json", "", 200},
		{"GET", "/v1/nothing", "", 404},
		{"DELETE", "/v1/things/a", "", 405},
	}
	for _, c := range cases {
		body := ""
		if c.method != "GET" {
			body = `{"name": "ab"}`
		}
		w := call(t, h, c.method, c.target, body, "Authorization: "+c.authorization)
		if w.Code != c.status {
			t.Errorf("%s %s with %q: %d %s, want %d", c.method, c.target, c.authorization, w.Code, w.Body, c.status)
		}
		if w.Code >= 400 {
			errorOf(t, w)
		}
	}
	if strings.Contains(log.String(), "secret-") {
		t.Errorf("a key is in the log:\n%s", log)
	}
	if !strings.Contains(log.String(), `"key":"write-er"`) {
		t.Errorf("the log does not name the caller:\n%s", log)
	}
}

func TestWithoutKeysOnlyThisMachineIsServed(t *testing.T) {
	t.Parallel()
	h, _ := serve(t, Options{}, new(things))
	cases := []struct {
		name   string
		header []string
		status int
	}{
		{"no token", nil, 200},
		{"any token", []string{"Authorization: Bearer x"}, 200},
		{"IPv6", []string{"From: [::1]:5", "Host: [::1]:8470"}, 200},
		{"localhost", []string{"Host: localhost:8470"}, 200},
		{"another machine", []string{"From: 10.0.0.5:5"}, 403},
		{"a name made to resolve here", []string{"Host: evil.example"}, 403},
		{"a page of another site", []string{"Sec-Fetch-Site: cross-site"}, 403},
		{"an older browser", []string{"Origin: https://evil.example"}, 403},
	}
	for _, c := range cases {
		if w := call(t, h, "PUT", "/v1/things/a", `{"name": "ab"}`, c.header...); w.Code != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, w.Code, w.Body, c.status)
		}
	}
}

func TestRequestsPerSecondAreBounded(t *testing.T) {
	t.Parallel()
	h, _ := serve(t, Options{Keys: keys(), RequestsPerSecond: 1}, new(things))
	if w := call(t, h, "GET", "/v1/things/a", "", "Authorization: Bearer secret-read"); w.Code != 200 {
		t.Fatalf("first: %d", w.Code)
	}
	w := call(t, h, "GET", "/v1/things/a", "", "Authorization: Bearer secret-read")
	if e := errorOf(t, w); w.Code != 429 || w.Header().Get("Retry-After") != "1" || e.Type != "rate_limit_error" {
		t.Errorf("second: %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := call(t, h, "GET", "/v1/things/a", "", "Authorization: Bearer secret-write"); w.Code != 200 {
		t.Errorf("another key: %d", w.Code)
	}
}

func TestBadRequestsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	h, _ := serve(t, Options{MaxBody: 1000}, new(things))
	deep := strings.Repeat("[", 300) + strings.Repeat("]", 300)
	cases := []struct {
		name, method, target, body string
		status                     int
		field                      string
	}{
		{"malformed", "PUT", "/v1/things/a", `{"name"`, 400, ""},
		{"no body", "PUT", "/v1/things/a", ``, 400, ""},
		{"not UTF-8", "PUT", "/v1/things/a", "{\"name\": \"\xff\xff\"}", 400, ""},
		{"too deep", "PUT", "/v1/things/a", deep, 400, ""},
		{"depth in a string is none", "PUT", "/v1/things/a", `{"name": "ab\"` + deep[:250] + `"}`, 200, ""},
		{"too large", "PUT", "/v1/things/a", `{"name": "` + strings.Repeat("a", 1000) + `"}`, 413, ""},
		{"wrong type", "PUT", "/v1/things/a", `{"name": 3}`, 422, "name"},
		{"too short", "PUT", "/v1/things/a", `{"name": "a"}`, 422, "name"},
		{"missing", "PUT", "/v1/things/a", `{}`, 422, ""},
		{"unknown keys are ignored", "PUT", "/v1/things/a", `{"name": "ab", "other": 1}`, 200, ""},
		{"parameter", "GET", "/v1/things/a?size=x", "", 422, "size"},
	}
	for _, c := range cases {
		w := call(t, h, c.method, c.target, c.body)
		if w.Code != c.status {
			t.Errorf("%s: %d %s, want %d", c.name, w.Code, w.Body, c.status)
			continue
		}
		if w.Code == 200 {
			continue
		}
		e := errorOf(t, w)
		if c.field != "" && (len(e.Errors) != 1 || e.Errors[0].Field != c.field || e.Errors[0].Type != "invalid") {
			t.Errorf("%s: %s, want field %q", c.name, w.Body, c.field)
		}
	}
	w := call(t, h, "PUT", "/v1/things/a", `name=1`, "Content-Type: application/x-www-form-urlencoded") // as curl -d says
	if e := errorOf(t, w); w.Code != 415 || !strings.Contains(e.Message, "application/json") || e.Errors[0].Field != "Content-Type" {
		t.Errorf("a form: %d %s", w.Code, w.Body)
	}
}

func TestFailuresAreClassified(t *testing.T) {
	t.Parallel()
	failures := []error{Internal: errors.New("secret inside"), Missing: errors.New("gone"), Conflict: errors.New("busy"),
		Invalid: errors.New("wrong"), Unavailable: errors.New("away")}
	classify := func(err error) Kind {
		for kind, failure := range failures {
			if errors.Is(err, failure) {
				return Kind(kind)
			}
		}
		return Internal
	}
	for kind, status := range []int{500, 404, 409, 422, 503} {
		h, log := serve(t, Options{Classify: classify}, &things{failure: failures[kind]})
		w := call(t, h, "GET", "/v1/things/a", "")
		if e := errorOf(t, w); w.Code != status || strings.Contains(e.Message, "secret") {
			t.Errorf("%v: %d %s", failures[kind], w.Code, w.Body)
		}
		if inside := strings.Contains(log.String(), "secret inside"); inside != (status == 500) {
			t.Errorf("%v: log %s", failures[kind], log)
		}
		if retry := w.Header().Get("Retry-After"); (retry != "") != (status == 503) {
			t.Errorf("%v: Retry-After %q", failures[kind], retry)
		}
	}
}

func TestAPanicIsAnswered(t *testing.T) {
	t.Parallel()
	var seen []int
	h, log := serve(t, Options{Observe: func(_ string, status int, _ time.Duration) { seen = append(seen, status) }}, new(things))
	w := call(t, h, "GET", "/v1/things/panic", "")
	errorOf(t, w)
	if w.Code != 500 || !strings.Contains(log.String(), "at the disco") || strings.Contains(w.Body.String(), "disco") {
		t.Errorf("%d %s\n%s", w.Code, w.Body, log)
	}
	if len(seen) != 1 || seen[0] != 500 {
		t.Errorf("observed %v", seen)
	}
}

// log is Positions that has come as far as it was told.
type log struct {
	mu     sync.Mutex
	tokens map[string]bool
	at     event.LSN
}

func (l *log) Reach(context.Context) (event.LSN, error) { return 0x10, nil }

func (l *log) AwaitToken(ctx context.Context, token string) (event.LSN, error) {
	l.mu.Lock()
	known := l.tokens[token]
	l.mu.Unlock()
	if !known {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return 1, nil
}

func (l *log) AwaitPosition(ctx context.Context, at event.LSN) error {
	l.mu.Lock()
	there := l.at >= at
	l.mu.Unlock()
	if !there {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func TestReadsWaitForAPosition(t *testing.T) {
	t.Parallel()
	positions := &log{tokens: map[string]bool{}}
	h, _ := serve(t, Options{Positions: positions}, new(things))
	position := call(t, h, "PUT", "/v1/things/a", `{"name": "ab"}`).Header().Get(positionHeader)
	if position != "token@0/10" {
		t.Fatalf("position %q", position)
	}
	read := func(ctx context.Context) int {
		r := httptest.NewRequest("GET", "/v1/things/a", nil).WithContext(ctx)
		r.Host, r.RemoteAddr = "localhost", "127.0.0.1:1"
		r.Header.Set(positionHeader, position)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if code := read(gone); code != 503 {
		t.Errorf("not there: %d", code)
	}
	positions.tokens["token"] = true
	if code := read(context.Background()); code != 200 {
		t.Errorf("token passed: %d", code)
	}
	delete(positions.tokens, "token")
	positions.at = 0x10
	if code := read(context.Background()); code != 200 {
		t.Errorf("place reached: %d", code)
	}
	for _, bad := range []string{"x", "x@y", "@"} {
		if w := call(t, h, "GET", "/v1/things/a", "", "Muster-Position: "+bad); w.Code != 422 {
			t.Errorf("%q: %d", bad, w.Code)
		}
	}
}
