package app

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const threeKeys = `http: {api_keys: [{name: r, role: read, key: read-key-0123456789}, {name: w, role: write, key: write-key-0123456789}, {name: a, role: admin, key: admin-key-0123456789}]}`

// operation is an endpoint as the OpenAPI document describes it.
type operation struct {
	method, path string
	body         bool
	open         bool // needs no key
}

// operations reads every endpoint from the OpenAPI document that the worker serves.
func (s *served) operations() []operation {
	s.Helper()
	response, err := http.Get(s.url + "/openapi.json")
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	var document struct {
		Paths map[string]map[string]struct {
			Security []any           `json:"security"`
			Body     json.RawMessage `json:"requestBody"`
		} `json:"paths"`
	}
	if err := json.NewDecoder(response.Body).Decode(&document); err != nil {
		s.Fatal(err)
	}
	var all []operation
	for path, methods := range document.Paths {
		for method, o := range methods {
			all = append(all, operation{strings.ToUpper(method), path, o.Body != nil, len(o.Security) == 0})
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	return all
}

// answered is the status and body of an answer.
func (s *served) answered(o operation, key, body string) (int, string) {
	s.Helper()
	path := o.path
	for strings.Contains(path, "{") {
		from, to := strings.Index(path, "{"), strings.Index(path, "}")
		path = path[:from] + "x" + path[to+1:]
	}
	r, err := http.NewRequestWithContext(s.Context(), o.method, s.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		return response.StatusCode, ""
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// TestKeysOnEveryEndpoint goes by the OpenAPI document: no endpoint is forgotten.
func TestKeysOnEveryEndpoint(t *testing.T) {
	t.Parallel()
	s := serve(t, threeKeys)
	all := s.operations()
	if len(all) < 30 {
		t.Fatalf("the document has %d endpoints", len(all))
	}
	readsByPost := []string{"/v1/memberships/lookup", "/v1/audiences/preview", "/v1/audiences/preview/stream", "/v1/audiences/{key}/validate"}
	takesAnything := []string{"/v1/users/{id}", "/v1/audiences/preview/stream"} // any object is a user's; a stream tells of faults in itself
	for _, o := range all {
		if o.open {
			t.Errorf("%s %s says that it needs no key", o.method, o.path)
		}
		for _, key := range []string{"", "wrong", "read-key-012345678", "read-key-01234567890"} {
			if status, text := s.answered(o, key, "{}"); status != http.StatusUnauthorized || !strings.Contains(text, `"status":401`) {
				t.Errorf("%s %s with key %q: %d %s", o.method, o.path, key, status, text)
			}
		}
		status, text := s.answered(o, "read-key-0123456789", "{}")
		writes := o.method != http.MethodGet && !slices.Contains(readsByPost, o.path)
		if writes != (status == http.StatusForbidden) && !strings.Contains(text, "needs admin") {
			t.Errorf("%s %s with a key that reads: %d %s", o.method, o.path, status, text)
		}
		if o.body {
			for _, junk := range []string{"", "{", "[]", "7", `"x"`, `{"members": 7, "users": {}, "user_ids": "x", "audience": [], "questions": [7], "method": 5}`} {
				status, text := s.answered(o, "admin-key-0123456789", junk)
				if status < 300 && (junk == "" || junk[:1] == "{" && slices.Contains(takesAnything, o.path)) {
					continue
				}
				if status < 400 || status > 499 || !strings.Contains(text, `"message":`) {
					t.Errorf("%s %s with %q: %d %s", o.method, o.path, junk, status, text)
				}
			}
		}
	}
	for _, path := range []string{"/v1/users", "/v1/audiences?environment=development"} {
		if status, text := s.answered(operation{method: "GET", path: path + "{x}"}, "read-key-0123456789", ""); status == http.StatusForbidden {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}

// TestJunkNamesItsField sends what is wrong in one place and looks for that place in the answer.
func TestJunkNamesItsField(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	s.want(204, "POST", "/v1/audiences/beta/members?create_audience=true", `{"members": [{"user": "u1"}]}`)
	s.settle() // questions are answered from what is in force
	for request, want := range map[string]string{
		`POST /v1/audiences/beta/members {}`:                                                 "members",
		`POST /v1/audiences/beta/members {"members": []}`:                                    "members",
		`DELETE /v1/audiences/beta/members {"members": [{"user": {"id": 1}, "tenant": []}]}`: "members[0].tenant",
		`POST /v1/audiences/beta/members {"members": [{"user": {"id": "u", "age": "x"}}]}`:   "members[0].user.age",
		`PUT /v1/users/u1 {"age": {}}`:                                                       "age",
		`PUT /v1/users/u1 {"id": "u2"}`:                                                      "id",
		`PUT /v1/users/u1 {"properties": {}}`:                                                "properties",
		`POST /v1/users/bulk/identify {"users": [{"id": "a"}, {"name": "b"}]}`:               "users[1].id",
		`POST /v1/users/bulk/delete {"user_ids": ["a", null]}`:                               "user_ids[1]",
		`POST /v1/memberships/lookup {"questions": [{"audience": "beta", "user_id": "u1", "tenant": 5.5}, {"audience": "none", "user_id": "u1"}]}`: "questions[1].audience",
		`GET /v1/users?after=x`:                               "after",
		`GET /v1/users?page_size=x`:                           "page_size",
		`GET /v1/audiences/beta/members?after=AWE&before=AWE`: "before",
		`GET /v1/audiences/beta/export?format=xml`:            "format",
	} {
		method, rest, _ := strings.Cut(request, " ")
		path, body, _ := strings.Cut(rest, " ")
		got := s.call(method, path, body)
		var fields []string
		list, _ := got.body["errors"].([]any)
		for _, e := range list {
			fields = append(fields, e.(object)["field"].(string))
		}
		if got.status != http.StatusUnprocessableEntity && got.status != http.StatusBadRequest || !slices.Contains(fields, want) {
			t.Errorf("%s: %d names %q, want %s: %s", request, got.status, fields, want, got.text)
		}
	}
}

// TestIDsOfAnyCharacters writes and asks for users whose ids need escapes in a URL.
func TestIDsOfAnyCharacters(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	for id, path := range map[string]string{"a/b": "a%2Fb", "ü ?#": "%C3%BC%20%3F%23", "50%": "50%25", "a+b": "a+b", "100%2F": "100%252F", `"'`: "%22%27"} {
		got := s.want(200, "PUT", "/v1/users/"+path, `{"plan": "pro"}`)
		if got.body["id"] != id {
			t.Errorf("%s: the id is %q, want %q", path, got.body["id"], id)
		}
		text, _ := json.Marshal(object{"members": []any{member(id, "t/1", nil)}})
		added := s.want(204, "POST", "/v1/audiences/beta/members?create_audience=true", string(text))
		after := "Muster-Position: " + added.header.Get("Muster-Position")
		s.want(200, "GET", "/v1/audiences/beta/members/"+path+"?tenant=t%2F1", "", after)
		s.want(404, "GET", "/v1/audiences/beta/members/"+path, "", after)
		if got := s.want(200, "GET", "/v1/users/"+path+"/audiences", ""); !strings.Contains(got.text, `"tenant":"t/1"`) {
			t.Errorf("%s: %s", path, got.text)
		}
		s.want(204, "DELETE", "/v1/users/"+path, "")
	}
}
