package app

import (
	"bufio"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"muster/connectors/api"
)

func (s *served) preview(query, body string) *api.Preview {
	s.Helper()
	r := s.want(200, "POST", "/v1/audiences/preview"+query, body)
	p := new(api.Preview)
	if err := json.Unmarshal([]byte(r.text), p); err != nil {
		s.Fatalf("%s: %v", r.text, err)
	}
	return p
}

func ids(list []api.PreviewUser) (all []string) {
	for _, u := range list {
		all = append(all, u.ID)
	}
	return all
}

func TestPreviewCountsAndCompares(t *testing.T) {
	t.Parallel()
	s := serve(t, "http: {mask: [email]}")
	s.commit("pro", plan("pro"))
	s.commit("list", static)
	exec(t, s.db, `INSERT INTO users (id, plan, age, email, properties) SELECT 'u' || lpad(i::text, 4, '0'), (ARRAY['free','pro'])[i % 2 + 1], i, 'e' || i, '{"city": "Bern", "plan": "hidden"}' FROM generate_series(1, 1000) AS i`)
	exec(t, s.db, `INSERT INTO muster.members (environment, audience, user_id, tenant) VALUES ('development', 'list', 'u0003', ''), ('development', 'list', 'u0004', 't')`)
	s.settle()

	// Odd users are in; then those up to 500 would be, whatever their plan.
	p := s.preview("?page_size=3", `{"audience":{"key":"pro","type":"dynamic","segments":[{"conditions":[{"property":"recipient.age","operator":"less_than_or_equal_to","argument":500}]}]}}`)
	if *p.Count != 500 || *p.Enter != 250 || *p.Leave != 250 || p.Live == nil || *p.Live != 1 || p.Position == "" {
		t.Errorf("%+v", p)
	}
	if got := ids(p.Entries); !slices.Equal(got, []string{"u0001", "u0002", "u0003"}) || p.PageInfo.After == nil {
		t.Errorf("page %v %+v", got, p.PageInfo)
	}
	if got := ids(p.Entering); !slices.Equal(got, []string{"u0002", "u0004", "u0006"}) {
		t.Errorf("entering %v", got)
	}
	if got := ids(p.Leaving); !slices.Equal(got, []string{"u0501", "u0503", "u0505"}) {
		t.Errorf("leaving %v", got)
	}
	var shown map[string]any
	if err := json.Unmarshal(p.Entries[0].Properties, &shown); err != nil || shown["email"] != "(not shown)" || shown["city"] != "Bern" || shown["plan"] != "pro" || shown["age"] != 1.0 {
		t.Errorf("properties %v %v", shown, err)
	}

	// Paging through the members meets each once.
	seen := 0
	const reference = `{"audience":{"type":"dynamic","segments":[{"conditions":[{"operator":"is_audience_member","argument":"pro"}]}]}}`
	page := s.preview("?page_size=100", reference)
	if *page.Count != 500 || page.Live != nil || *page.Enter != 500 {
		t.Errorf("%+v", page)
	}
	for {
		seen += len(page.Entries)
		if page.PageInfo.After == nil {
			break
		}
		if page = s.preview("?page_size=100&after="+*page.PageInfo.After, reference); page.Count != nil {
			t.Fatal("a later page counts")
		}
	}
	if seen != 500 {
		t.Errorf("%d users on the pages", seen)
	}

	tenant := s.preview("", `{"audience":{"type":"dynamic","segments":[{"conditions":[{"operator":"is_audience_member","argument":{"audience":"list","tenant":"t"}}]},{"conditions":[{"operator":"is_audience_member","argument":"list"}]}]}}`)
	if got := ids(tenant.Entries); !slices.Equal(got, []string{"u0003", "u0004"}) {
		t.Errorf("by tenant: %v", got)
	}
	if p := s.preview("", `{"audience":{"key":"list","type":"static"}}`); *p.Count != 1 || *p.Enter+*p.Leave != 0 {
		t.Errorf("static: %+v", p)
	}
}

func TestPreviewRefuses(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	s.commit("pro", plan("pro"))
	s.settle()
	for name, c := range map[string]struct {
		query, body, field string
	}{
		"unknown operator":  {"", dynamic(`{"property":"recipient.plan","operator":"near","argument":1}`), "segments[0].conditions[0].operator"},
		"unknown audience":  {"", refersTo("nobody"), "segments[0].conditions[0].argument"},
		"itself":            {"", `{"audience":{"key":"pro","type":"dynamic","segments":[{"conditions":[{"operator":"is_audience_member","argument":"pro"}]}]}}`, "segments[0].conditions[0].argument"},
		"other type":        {"", `{"audience":{"key":"pro","type":"static"}}`, "type"},
		"other environment": {"?environment=production", plan("pro"), "environment"},
		"backwards":         {"?before=AWE", plan("pro"), "before"},
	} {
		r := s.want(422, "POST", "/v1/audiences/preview"+c.query, c.body)
		if got, _ := r.at("errors", 0, "field").(string); !strings.HasSuffix(got, c.field) {
			t.Errorf("%s: %s", name, r.text)
		}
	}
	s.want(422, "POST", "/v1/audiences/preview", `{}`)
}

func TestPreviewStreams(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	exec(t, s.db, `INSERT INTO users (id, plan) SELECT 'u' || i, 'pro' FROM generate_series(1, 5000) AS i`)
	s.settle()
	r, err := http.Post(s.url+"/v1/audiences/preview/stream?page_size=2", "application/json", strings.NewReader(plan("pro")))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	var last api.PreviewLine
	for scanner := bufio.NewScanner(r.Body); scanner.Scan(); {
		last = api.PreviewLine{}
		if err := json.Unmarshal(scanner.Bytes(), &last); err != nil {
			t.Fatalf("%s: %v", scanner.Text(), err)
		}
	}
	if last.Result == nil || *last.Result.Count != 5000 || len(last.Result.Entries) != 2 {
		t.Errorf("%+v", last)
	}
	r, err = http.Post(s.url+"/v1/audiences/preview/stream", "application/json", strings.NewReader(refersTo("nobody")))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	last = api.PreviewLine{}
	if err := json.NewDecoder(r.Body).Decode(&last); err != nil || last.Error == nil || last.Error.Status != 422 ||
		last.Error.Errors[0].Field != "segments[0].conditions[0].argument" || strings.Contains(last.Error.Message, "preview") { // it has no key to be named by
		t.Errorf("%+v %v", last, err)
	}
}
