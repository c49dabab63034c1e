package app

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"muster/config"
	"muster/connectors/api"
	"muster/evaluator"
)

func (s *served) explain(audience, user string) *api.Explanation {
	s.Helper()
	r := s.want(200, "GET", "/v1/audiences/"+audience+"/explain/"+url.PathEscape(user), "")
	e := new(api.Explanation)
	if err := json.Unmarshal([]byte(r.text), e); err != nil {
		s.Fatalf("%s: %v", r.text, err)
	}
	return e
}

func TestExplain(t *testing.T) {
	t.Parallel()
	s := serve(t, "http: {mask: [email, address]}")
	s.commit("pro", plan("pro"))
	s.commit("list", static)
	s.commit("why", `{"audience":{"name":"Why","type":"dynamic","segments":[{"conditions":[
		{"operator":"is_audience_member","argument":"pro"},
		{"any":[{"property":"recipient.age","operator":"greater_than","argument":40},{"property":"recipient.email","operator":"ends_with","argument":"@example.org"}]},
		{"property":"recipient.created_at","operator":"is_timestamp_on_or_after","argument":"7 days ago"},
		{"property":"recipient.name","operator":"equal_to","argument":"{{ recipient.properties.address.name }}"}]},
		{"conditions":[{"operator":"is_not_audience_member","argument":"pro"},{"property":"recipient.plan","operator":"exists"}]}]}}`)
	exec(t, s.db, `INSERT INTO users (id, name, email, plan, age, properties) VALUES ('u/1 x', 'Ann', 'ann@example.org', 'pro', 30, '{"address":{"name":"Ann"}}'), ('free', 'Bob', null, 'free', 50, null)`)
	s.settle()
	exec(t, s.db, `INSERT INTO muster.members (environment, audience, user_id, tenant) VALUES ('development', 'list', 'free', 't1'), ('development', 'list', 'nobody', '')`)
	s.settle()

	e := s.explain("why", "u/1 x")
	if !e.Member || !e.Holds || e.Since == nil || e.Version != 1 || e.EntryCount != 1 || e.Until == nil || len(e.Segments) != 2 || e.Position == "" {
		t.Errorf("%+v", e)
	}
	first := e.Segments[0]
	if !first.Holds || e.Segments[1].Holds || len(first.Conditions) != 4 {
		t.Fatalf("segments %+v", e.Segments)
	}
	if ref := first.Conditions[0].Reference; ref == nil || ref.Audience != "pro" || !ref.Member || string(ref.Segments[0].Conditions[0].Value) != `"pro"` {
		t.Errorf("reference %+v", ref)
	}
	if again := e.Segments[1].Conditions[0]; again.Reference != nil || again.Holds {
		t.Errorf("a second reference is told again: %+v", again)
	}
	group := first.Conditions[1]
	if group.Group != "any" || !group.Holds || group.Conditions[0].Holds || !group.Conditions[1].Holds {
		t.Errorf("group %+v", group)
	}
	if mail := group.Conditions[1]; !mail.Masked || mail.Value != nil {
		t.Errorf("masked value shown: %+v", mail)
	}
	if at := first.Conditions[2]; len(at.Resolved) != 1 || at.Until == nil || string(at.Argument) != `"7 days ago"` {
		t.Errorf("relative argument %+v", at)
	}
	if dynamic := first.Conditions[3]; len(dynamic.Resolved) != 1 || string(dynamic.Resolved[0]) != `"(not shown)"` {
		t.Errorf("dynamic argument %+v", dynamic)
	}
	text := e.Text()
	for _, want := range []string{"u/1 x is in why (dynamic audience of development, version 1)", "since 20", "entry number 1, by ", "[yes] either all of", "[yes] at least one of",
		"[no]  recipient.age greater_than 40", "it is 30", "the value is not shown", "compared with", "changes at", "[no]  or all of", "As of 20"} {
		if !strings.Contains(text, want) {
			t.Errorf("the picture lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "ann@") {
		t.Errorf("the picture shows what is masked:\n%s", text)
	}

	if e := s.explain("list", "free"); e.Member || len(e.Tenants) != 1 || e.Tenants[0].Tenant != "t1" {
		t.Errorf("static with a tenant: %+v", e)
	}
	if e := s.explain("list", "nobody"); e.Member || !e.Missing || !strings.Contains(e.Text(), "not in the users table") {
		t.Errorf("missing: %+v\n%s", e, e.Text())
	}
	if e := s.explain("why", "nobody"); e.Holds || !e.Missing {
		t.Errorf("absent: %+v", e)
	}
	s.want(404, "GET", "/v1/audiences/none/explain/free", "")
	s.want(404, "GET", "/v1/audiences/why/explain/stranger", "")
	s.want(422, "GET", "/v1/audiences/why/explain/free?environment=production", "")
}

func TestMaskHides(t *testing.T) {
	t.Parallel()
	m := maskOf(&config.Config{
		Postgres: config.Postgres{Users: config.Users{Properties: "properties"}},
		HTTP:     config.HTTP{Mask: []string{"email", "address.street", " user.card"}},
	})
	for name, want := range map[string]bool{
		"email": true, "emails": false, "email.domain": true, "address": true, "address.street": true, "address.streets": false,
		"address.city": false, "card": true, "card[\"x y\"]": true,
		"properties": true, "properties.email": true, "properties.plan": false, "properties.address.street.name": true,
	} {
		path := pathOf(t, "recipient."+name)
		if got := m.hides(path); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func pathOf(t *testing.T, text string) evaluator.Path {
	t.Helper()
	path, err := evaluator.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
