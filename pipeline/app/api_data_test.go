package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// ask sends a request and returns the status and the decoded answer.
func (s *served) ask(method, path string, body any, header ...string) (int, map[string]any, http.Header) {
	s.Helper()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			s.Fatal(err)
		}
	}
	r, err := http.NewRequest(method, s.url+path, bytes.NewReader(text))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	answer := make(map[string]any)
	if response.StatusCode != http.StatusNoContent {
		if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
			s.Fatalf("%s %s: %s: %v", method, path, response.Status, err)
		}
	}
	return response.StatusCode, answer, response.Header
}

type object = map[string]any

func member(id string, tenant any, properties object) object {
	user := object{"id": id}
	for k, v := range properties {
		user[k] = v
	}
	return object{"user": user, "tenant": tenant}
}

func TestMembersOfAStaticAudience(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	status, answer, _ := s.ask("POST", "/v1/audiences/beta/members", object{"members": []any{member("u1", nil, nil)}})
	if status != http.StatusNotFound {
		t.Fatalf("an audience that does not exist: %d %v", status, answer)
	}
	status, answer, header := s.ask("POST", "/v1/audiences/beta/members?create_audience=true", object{"members": []any{
		member("u1", nil, object{"name": "Ada", "plan": "pro", "shoe": 42}), member("u1", "acme", nil), member("ghost", nil, nil)}})
	if status != http.StatusNoContent {
		t.Fatalf("add: %d %v", status, answer)
	}
	after := header.Get("Muster-Position")
	status, answer, _ = s.ask("GET", "/v1/audiences/beta/members", nil, "Muster-Position", after)
	text := fmt.Sprint(answer["entries"])
	entries, _ := answer["entries"].([]any)
	if status != http.StatusOK || len(entries) != 3 || !strings.Contains(text, "shoe:42") || !strings.Contains(text, "missing:true") {
		t.Fatalf("list: %d %v", status, answer)
	}
	for path, want := range map[string]int{
		"/v1/audiences/beta/members/u1":             http.StatusOK,
		"/v1/audiences/beta/members/u1?tenant=acme": http.StatusOK,
		"/v1/audiences/beta/members/u1?tenant=else": http.StatusNotFound,
		"/v1/audiences/beta/members/ghost":          http.StatusNotFound,
		"/v1/audiences/none/members/u1":             http.StatusNotFound,
		"/v1/users/u1":                              http.StatusOK,
		"/v1/users/ghost":                           http.StatusNotFound,
	} {
		if status, answer, _ := s.ask("GET", path, nil, "Muster-Position", after); status != want {
			t.Errorf("GET %s: %d %v, want %d", path, status, answer, want)
		}
	}
	// the missing user appears
	status, answer, header = s.ask("PUT", "/v1/users/ghost", object{"email": "g@example.org"})
	if status != http.StatusOK || answer["email"] != "g@example.org" || answer["__typename"] != "User" {
		t.Fatalf("identify: %d %v", status, answer)
	}
	if status, _, _ := s.ask("GET", "/v1/audiences/beta/members/ghost", nil, "Muster-Position", header.Get("Muster-Position")); status != http.StatusOK {
		t.Errorf("ghost is %d after it appeared", status)
	}
	_, _, header = s.ask("DELETE", "/v1/audiences/beta/members", object{"members": []any{member("u1", nil, nil)}})
	if status, _, _ := s.ask("GET", "/v1/audiences/beta/members/u1", nil, "Muster-Position", header.Get("Muster-Position")); status != http.StatusNotFound {
		t.Errorf("u1 without a tenant is %d after it was removed", status)
	}
	if status, _, _ := s.ask("GET", "/v1/audiences/beta/members/u1?tenant=acme", nil, "Muster-Position", header.Get("Muster-Position")); status != http.StatusOK {
		t.Errorf("u1 of acme is %d after u1 without a tenant was removed", status)
	}
}

func TestBadMembersAreNamedAndNothingIsDone(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	status, answer, _ := s.ask("POST", "/v1/audiences/beta/members?create_audience=true", object{"members": []any{
		member("u1", nil, nil), member("", nil, nil), object{"user": object{"name": "x"}}, member("u2", "", nil), object{"tenant": "a"}}})
	text := fmt.Sprint(answer["errors"])
	for _, field := range []string{"members[1].user.id", "members[2].user.id", "members[3].tenant", "members[4].user"} {
		if !strings.Contains(text, field) {
			t.Errorf("%s is not named: %d %v", field, status, answer)
		}
	}
	status, answer, _ = s.ask("POST", "/v1/audiences/beta/members?create_audience=true", object{"members": []any{
		member("u1", nil, object{"age": 7}), member("u2", nil, object{"age": "many"})}})
	if status != http.StatusUnprocessableEntity || !strings.Contains(fmt.Sprint(answer["errors"]), "members[1].user.age") {
		t.Errorf("a value that its column does not take: %d %v", status, answer)
	}
	if status, _, _ := s.ask("GET", "/v1/audiences/beta/members", nil); status != http.StatusNotFound {
		t.Errorf("the audience exists after refused requests: %d", status)
	}
}

func TestPagesOfMembers(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	var members []any
	for i := range 25 {
		members = append(members, member(fmt.Sprintf("u%02d", i), nil, object{"plan": "pro"}))
	}
	_, _, header := s.ask("POST", "/v1/audiences/beta/members?create_audience=true", object{"members": members})
	for _, path := range []string{"/v1/audiences/beta/members", "/v1/users"} {
		var seen []string
		query := "?page_size=10"
		for query != "" {
			_, answer, _ := s.ask("GET", path+query, nil, "Muster-Position", header.Get("Muster-Position"))
			for _, e := range answer["entries"].([]any) {
				id, ok := e.(object)["user_id"].(string)
				if !ok {
					id = e.(object)["id"].(string)
				}
				seen = append(seen, id)
			}
			query = ""
			if after, ok := answer["page_info"].(object)["after"].(string); ok {
				query = "?page_size=10&after=" + after
			} else if before, ok := answer["page_info"].(object)["before"].(string); ok {
				_, back, _ := s.ask("GET", path+"?page_size=10&before="+before, nil)
				if entries := back["entries"].([]any); len(entries) != 10 {
					t.Errorf("%s: the page before the last has %d entries", path, len(entries))
				}
			}
		}
		if len(seen) != 25 || seen[0] != "u00" || seen[24] != "u24" {
			t.Errorf("%s: paged through %v", path, seen)
		}
	}
}

func TestBulkOperations(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	var users []any
	for i := range 250 {
		users = append(users, object{"id": fmt.Sprintf("u%03d", i), "age": i})
	}
	users[7].(object)["age"] = "old"
	status, started, _ := s.ask("POST", "/v1/users/bulk/identify", object{"users": users})
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, started)
	}
	var done object
	s.eventually("the bulk operation to be done", func() bool {
		_, done, _ = s.ask("GET", started["progress_path"].(string), nil)
		return done["status"] == "completed"
	})
	if done["success_count"] != 249.0 || done["error_count"] != 1.0 || !strings.Contains(fmt.Sprint(done["error_items"]), "u007") {
		t.Errorf("identify: %v", done)
	}
	_, started, _ = s.ask("POST", "/v1/users/bulk/delete", object{"user_ids": []string{"u000", "u001", "none"}})
	s.eventually("the users to be deleted", func() bool {
		_, done, _ = s.ask("GET", started["progress_path"].(string), nil)
		return done["status"] == "completed"
	})
	var left int
	if err := s.db.QueryRow(t.Context(), "SELECT count(*) FROM users").Scan(&left); err != nil || left != 247 {
		t.Errorf("%d users are left (%v)", left, err)
	}
}

func (s *served) upload(path, mapping, file string) (int, map[string]any, http.Header) {
	s.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	if mapping != "" {
		if err := w.WriteField("mapping", mapping); err != nil {
			s.Fatal(err)
		}
	}
	part, err := w.CreateFormFile("file", "members.csv")
	if err != nil {
		s.Fatal(err)
	}
	if _, err := part.Write([]byte(file)); err != nil {
		s.Fatal(err)
	}
	if err := w.Close(); err != nil {
		s.Fatal(err)
	}
	response, err := http.Post(s.url+path, w.FormDataContentType(), &form)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	answer := make(map[string]any)
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		s.Fatal(err)
	}
	return response.StatusCode, answer, response.Header
}

func TestImportOfCSV(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	file := "\ufeffID,Email,Age,Org,Note\r\n" +
		"u1,a@example.org,30,acme,\"two\r\nlines, and \"\"quotes\"\"\"\r\n" + // lines 2 and 3
		",b@example.org,31,,no id\r\n" + // 4
		"u2,c@example.org,old,,bad age\r\n" + // 5
		"u1,a@example.org,30,acme,again\r\n" + // 6
		"u3,\xff,1,,not UTF-8\r\n" + // 7
		"u4,d@example.org\r\n" + // 8
		"u5,=1+1,,,formula\r\n" + // 9
		"u6,e@example.org,2,,a \"bare\" quote\r\n" // 10
	status, report, header := s.upload("/v1/audiences/beta/import?create_audience=true", "", file)
	lines := make(map[float64]string)
	for _, skip := range report["skips"].([]any) {
		lines[skip.(object)["line"].(float64)] = skip.(object)["reason"].(string)
	}
	if status != http.StatusOK || report["added"] != 2.0 || report["skipped"] != 6.0 || report["rows"] != 8.0 {
		t.Errorf("report: %d %v", status, report)
	}
	for line, reason := range map[float64]string{4: "id", 5: "age", 6: "repeats line 2", 7: "UTF-8", 8: "2 columns", 10: "quote"} {
		if !strings.Contains(lines[line], reason) {
			t.Errorf("line %v: %q, want something about %q", line, lines[line], reason)
		}
	}
	status, answer, _ := s.ask("GET", "/v1/audiences/beta/members/u1?tenant=acme", nil, "Muster-Position", header.Get("Muster-Position"))
	if status != http.StatusOK {
		t.Errorf("u1: %d %v", status, answer)
	}
	if _, u, _ := s.ask("GET", "/v1/users/u5", nil); u["email"] != "=1+1" {
		t.Errorf("what looks like a formula is data: %v", u)
	}
	if status, u, _ := s.ask("GET", "/v1/users/u2", nil); status != http.StatusNotFound {
		t.Errorf("the user of a row that was skipped: %d %v", status, u)
	}
	_, report, header = s.upload("/v1/audiences/beta/import", `{"ID": "id", "Org": "tenant_id"}`, file)
	if report["unchanged"] != 2.0 || report["added"] != 1.0 { // without its age u2 is sound
		t.Errorf("imported again: %v", report)
	}
	s.want(http.StatusOK, "GET", "/v1/audiences/beta/members", "", "Muster-Position: "+header.Get("Muster-Position"))
	if status, answer, _ := s.upload("/v1/audiences/beta/import", `{"Nr": "id"}`, file); status != http.StatusUnprocessableEntity {
		t.Errorf("a mapping of no column: %d %v", status, answer)
	}
	response, err := http.Get(s.url + "/v1/audiences/beta/export?format=csv")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var exported bytes.Buffer
	if _, err := exported.ReadFrom(response.Body); err != nil || !strings.Contains(exported.String(), "'=1+1") || strings.Count(exported.String(), "\n") != 4 || !strings.Contains(exported.String(), "missing,age,created_at,email") {
		t.Errorf("export: %v\n%s", err, exported.String())
	}
}

// TestABulkOperationThatCannotBeDoneHoldsUpNoOther: the refusal comes with the commit, from a deferred constraint.
func TestABulkOperationThatCannotBeDoneHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	exec(t, s.db, `INSERT INTO users (id) VALUES ('u1'), ('u2')`)
	exec(t, s.db, `CREATE TABLE orders (user_id text REFERENCES users DEFERRABLE INITIALLY DEFERRED)`)
	exec(t, s.db, `INSERT INTO orders VALUES ('u1')`)
	_, stuck, _ := s.ask("POST", "/v1/users/bulk/delete", object{"user_ids": []string{"u1"}})
	_, next, _ := s.ask("POST", "/v1/users/bulk/delete", object{"user_ids": []string{"u2"}})
	for started, want := range map[string]string{stuck["progress_path"].(string): "failed", next["progress_path"].(string): "completed"} {
		s.eventually(started+" to be "+want, func() bool {
			_, now, _ := s.ask("GET", started, nil)
			return now["status"] == want
		})
	}
}

// TestUsersThatCanOnlyBeWrittenOneByOne: the first takes over what the second has, so one statement for both is refused.
func TestUsersThatCanOnlyBeWrittenOneByOne(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	exec(t, s.db, `CREATE UNIQUE INDEX ON users (email)`)
	exec(t, s.db, `INSERT INTO users (id, email) VALUES ('u1', 'a'), ('u2', 'b')`)
	status, answer, _ := s.ask("POST", "/v1/audiences/beta/members?create_audience=true", object{"members": []any{
		member("u2", nil, object{"email": "c"}), member("u1", nil, object{"email": "b"})}})
	if status != http.StatusNoContent {
		t.Errorf("%d %v", status, answer)
	}
}
