package app

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

const dev = "?environment=development"

// dynamic is the body of a request with a dynamic audience of one condition.
func dynamic(condition string) string {
	return `{"audience": {"name": "A", "type": "dynamic", "segments": [{"conditions": [` + condition + `]}]}}`
}

func plan(is string) string {
	return dynamic(`{"property": "recipient.plan", "operator": "equal_to", "argument": "` + is + `"}`)
}

func refersTo(key string) string {
	return dynamic(`{"operator": "is_audience_member", "argument": "` + key + `"}`)
}

const static = `{"audience": {"name": "S", "type": "static"}}`

// commit commits a definition and returns its sha.
func (s *served) commit(key, body string) string {
	s.Helper()
	return s.want(200, "PUT", "/v1/audiences/"+key+dev+"&commit=true", body).at("audience", "sha").(string)
}

func TestDraftsBecomeVersions(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	r := s.want(200, "PUT", "/v1/audiences/pro"+dev, plan("pro"))
	if r.at("audience", "__readonly", "draft") != true || r.header.Get("Muster-Position") == "" || r.at("audience", "environment") != "development" {
		t.Errorf("draft: %s %v", r.text, r.header)
	}
	s.want(404, "GET", "/v1/audiences/pro"+dev+"&hide_uncommitted_changes=true", "")
	if r := s.want(200, "GET", "/v1/audiences"+dev, ""); r.at("entries", 0, "key") != "pro" || r.at("page_info", "after") != nil {
		t.Errorf("list: %s", r.text)
	}
	r = s.want(200, "PUT", "/v1/commits"+dev+"&commit_message=first&resource_id=pro", "", "Muster-Author: Ada <ada@example.org>")
	if r.at("result") != "success" || r.at("committed", 0, "version") != 1.0 {
		t.Errorf("commit: %s", r.text)
	}
	r = s.want(200, "GET", "/v1/commits"+dev, "")
	if r.at("entries", 0, "author", "email") != "ada@example.org" || r.at("entries", 0, "commit_message") != "first" ||
		r.at("entries", 0, "resource", "identifier") != "pro" || r.at("entries", 0, "resource", "type") != "audience" {
		t.Errorf("commits: %s", r.text)
	}
	id := r.at("entries", 0, "id").(string)
	if r := s.want(200, "GET", "/v1/commits/"+id, ""); r.at("id") != id {
		t.Errorf("commit: %s", r.text)
	}
	r = s.want(200, "GET", "/v1/audiences/pro"+dev+"&annotate=true", "")
	if r.at("__readonly", "draft") != false || r.at("__readonly", "version") != 1.0 || r.at("__annotation", "readonly_fields", 0) != "environment" {
		t.Errorf("committed: %s", r.text)
	}
	// what says the same is no draft and no version
	if r := s.want(200, "PUT", "/v1/audiences/pro"+dev+"&commit=true", plan("pro")); r.at("audience", "__readonly", "version") != 1.0 {
		t.Errorf("the same again: %s", r.text)
	}
	if r := s.want(200, "PUT", "/v1/commits"+dev, ""); r.at("committed") != nil {
		t.Errorf("nothing to commit: %s", r.text)
	}
}

// TestEveryFaultAtOnce is the definition of issue 7: six faults, each with its path.
func TestEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	s.commit("other", plan("pro"))
	s.want(200, "PUT", "/v1/audiences/mine"+dev, plan("pro"))
	s.want(200, "PUT", "/v1/audiences/other"+dev, refersTo("mine"))
	body := `{"audience": {"type": "dynamic", "segments": [{"conditions": [
		{"property": "recipient.plan", "operator": "resembles", "argument": "pro"},
		{"property": "recipient.created_at", "operator": "is_timestamp_before", "argument": "1.5 days ago"},
		{"operator": "is_audience_member", "argument": "nowhere"},
		{"operator": "is_audience_member", "argument": "other"},
		{"property": "recipient..plan", "operator": "exists"}]},
		{"conditions": []}]}}`
	for _, call := range []string{"PUT /v1/audiences/mine/validate", "PUT /v1/audiences/mine"} {
		method, path, _ := strings.Cut(call, " ")
		r := s.want(422, method, path+dev, body)
		var fields []string
		for _, f := range r.at("errors").([]any) {
			fields = append(fields, f.(map[string]any)["field"].(string))
		}
		want := "segments[0].conditions[0].operator segments[0].conditions[1].argument segments[0].conditions[4].property " +
			"segments[1].conditions segments[0].conditions[2].argument segments[0].conditions[3].argument"
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", call, got, want)
		}
	}
}

func TestNothingIsOverwrittenUnlessByForce(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	first := s.commit("a", plan("one"))
	from := func(sha, is string) string {
		return strings.Replace(plan(is), `{"name"`, `{"sha": "`+sha+`", "name"`, 1)
	}
	second := s.want(200, "PUT", "/v1/audiences/a"+dev+"&commit=true", from(first, "two")).at("audience", "sha").(string)
	if r := s.want(409, "PUT", "/v1/audiences/a"+dev+"&commit=true", from(first, "three")); r.at("code") != "conflict" {
		t.Errorf("%s", r.text)
	}
	if got := s.want(200, "GET", "/v1/audiences/a"+dev, "").at("sha"); got != second {
		t.Errorf("overwritten: %v", got)
	}
	s.want(200, "PUT", "/v1/audiences/a"+dev+"&commit=true&force=true", from(first, "three"))

	// the draft of somebody else
	ada, bob := "Muster-Author: Ada <ada@example.org>", "Muster-Author: Bob <bob@example.org>"
	s.want(200, "PUT", "/v1/audiences/a"+dev, plan("ada's"), ada)
	if r := s.want(409, "PUT", "/v1/audiences/a"+dev, plan("bob's"), bob); !strings.Contains(r.at("message").(string), "Ada has a draft") {
		t.Errorf("%s", r.text)
	}
	s.want(200, "PUT", "/v1/audiences/a"+dev, plan("ada's second"), ada)

	// a draft that was overtaken
	s.want(200, "PUT", "/v1/audiences/b"+dev+"&commit=true", plan("one"))
	s.want(200, "PUT", "/v1/audiences/b"+dev, plan("draft"), ada)
	exec(t, s.db, `INSERT INTO muster.commits (environment, audience, version, sha, document) SELECT environment, audience, 2, 'x', document FROM muster.commits WHERE audience = 'b'`)
	s.want(409, "PUT", "/v1/commits"+dev+"&resource_id=b", "")
	s.want(200, "PUT", "/v1/commits"+dev+"&resource_id=b&force=true", "")
}

func TestRulesOfTheWholeSet(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	// drafts may refer to drafts, commits may not
	s.want(200, "PUT", "/v1/audiences/base"+dev, plan("pro"))
	s.want(200, "PUT", "/v1/audiences/top"+dev, refersTo("base"))
	if r := s.want(422, "PUT", "/v1/commits"+dev+"&resource_id=top", ""); r.at("errors", 0, "field") != "segments[0].conditions[0].argument" {
		t.Errorf("%s", r.text)
	}
	s.want(200, "PUT", "/v1/commits"+dev, "")
	// archived only when nothing refers to it
	if r := s.want(409, "DELETE", "/v1/audiences/base"+dev, ""); !strings.Contains(r.at("message").(string), "top in development at segments[0].conditions[0].argument") {
		t.Errorf("%s", r.text)
	}
	s.want(200, "DELETE", "/v1/audiences/top"+dev, "")
	s.want(200, "DELETE", "/v1/audiences/base"+dev, "")
	s.want(404, "GET", "/v1/audiences/base"+dev, "")
	s.want(404, "DELETE", "/v1/audiences/base"+dev, "")
	// it comes back as what it was, and as nothing else
	if r := s.want(422, "PUT", "/v1/audiences/base"+dev, static); r.at("errors", 0, "field") != "type" {
		t.Errorf("%s", r.text)
	}
	if r := s.want(200, "PUT", "/v1/audiences/base"+dev+"&commit=true", plan("pro")); r.at("audience", "__readonly", "version") != 3.0 {
		t.Errorf("%s", r.text)
	}
	// cycles, and tenants of dynamic audiences
	s.want(200, "PUT", "/v1/audiences/top"+dev+"&commit=true", refersTo("base"))
	if r := s.want(422, "PUT", "/v1/audiences/base"+dev, refersTo("top")); !strings.Contains(r.text, "depends on itself") {
		t.Errorf("%s", r.text)
	}
	tenant := dynamic(`{"operator": "is_audience_member", "argument": {"audience": "base", "tenant": "t"}}`)
	if r := s.want(422, "PUT", "/v1/audiences/x"+dev, tenant); r.at("errors", 0, "field") != "segments[0].conditions[0].argument.tenant" {
		t.Errorf("%s", r.text)
	}
	s.want(422, "PUT", "/v1/audiences/base"+dev+"&branch=feature", plan("pro"))
	s.want(422, "PUT", "/v1/audiences/base?environment=nowhere", plan("pro"))
	s.want(422, "PUT", "/v1/audiences/base/validate", plan("pro"))
	s.want(422, "GET", "/v1/audiences/base", "")
	if r := s.want(200, "PUT", "/v1/audiences/base", plan("pro")); r.at("audience", "environment") != "development" {
		t.Errorf("without an environment: %s", r.text)
	}
	s.want(422, "PUT", "/v1/audiences/No%20Key"+dev, plan("pro"))
}

func TestRevertAndVersions(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	first := s.commit("a", plan("one"))
	s.commit("a", plan("two"))
	if r := s.want(200, "GET", "/v1/audiences/a/versions/1"+dev, ""); r.at("audience", "sha") != first || r.at("commit", "version") != 1.0 {
		t.Errorf("%s", r.text)
	}
	s.want(404, "GET", "/v1/audiences/a/versions/3"+dev, "")
	r := s.want(200, "PUT", "/v1/audiences/a/revert"+dev+"&version=1&commit_message=back", "")
	if r.at("audience", "sha") != first || r.at("audience", "__readonly", "version") != 3.0 {
		t.Errorf("%s", r.text)
	}
	s.want(404, "PUT", "/v1/audiences/a/revert"+dev+"&version=9", "")
}

// TestTheTypeMayBeLeftOut of an audience that exists, as the published command line does.
func TestTheTypeMayBeLeftOut(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	untyped := strings.Replace(plan("two"), `"type": "dynamic", `, "", 1)
	if r := s.want(422, "PUT", "/v1/audiences/a"+dev, untyped); r.at("errors", 0, "field") != "type" {
		t.Errorf("%s", r.text)
	}
	s.want(200, "PUT", "/v1/audiences/a"+dev, plan("one"))
	s.want(200, "PUT", "/v1/audiences/a/validate"+dev, untyped)
	s.want(200, "PUT", "/v1/audiences/a"+dev+"&commit=true", untyped)
	s.want(200, "PUT", "/v1/audiences/a"+dev+"&commit=true", strings.Replace(plan("three"), `"type": "dynamic"`, `"__readonly": {"type": "dynamic"}`, 1))
}

func TestPromotionCarriesCommitsAsTheyAre(t *testing.T) {
	t.Parallel()
	s := serve(t, "environments: [development, staging, production]")
	s.want(200, "PUT", "/v1/audiences/a"+dev+"&commit=true&commit_message=why", plan("one"), "Muster-Author: Ada <ada@example.org>")
	s.commit("b", refersTo("a"))
	r := s.want(200, "GET", "/v1/commits"+dev+"&promoted=false", "")
	b, a := r.at("entries", 0, "id").(string), r.at("entries", 1, "id").(string)
	if r := s.want(422, "PUT", "/v1/commits/"+b+"/promote", ""); !strings.Contains(r.text, "there is no audience") {
		t.Errorf("%s", r.text)
	}
	r = s.want(200, "PUT", "/v1/commits/"+a+"/promote", "")
	if r.at("commit", "environment") != "staging" || r.at("commit", "author", "email") != "ada@example.org" || r.at("commit", "commit_message") != "why" ||
		r.at("commit", "promoted_from") != "development" {
		t.Errorf("%s", r.text)
	}
	staged := r.at("commit", "id").(string)
	if again := s.want(200, "PUT", "/v1/commits/"+a+"/promote", ""); again.at("commit", "id") != staged {
		t.Errorf("promoted twice: %s", again.text)
	}
	if r := s.want(200, "GET", "/v1/commits"+dev+"&promoted=true", ""); r.at("entries", 0, "id") != a || r.at("entries", 1) != nil {
		t.Errorf("promoted: %s", r.text)
	}
	if r := s.want(200, "PUT", "/v1/commits/promote?to_environment=staging", ""); r.at("committed", 0, "audience") != "b" || r.at("committed", 1) != nil {
		t.Errorf("promote all: %s", r.text)
	}
	s.want(200, "PUT", "/v1/commits/promote?to_environment=production", "")
	for _, key := range []string{"a", "b"} {
		sha := s.want(200, "GET", "/v1/audiences/"+key+dev, "").at("sha")
		if got := s.want(200, "GET", "/v1/audiences/"+key+"?environment=production", "").at("sha"); got != sha {
			t.Errorf("%s: %v in production, %v in development", key, got, sha)
		}
	}
	last := s.want(200, "GET", "/v1/commits?environment=production", "").at("entries", 0, "id").(string)
	s.want(422, "PUT", "/v1/commits/"+last+"/promote", "")
	s.want(422, "PUT", "/v1/commits/promote?to_environment=development", "")
	// what was made in the target alone is not overwritten
	s.want(200, "PUT", "/v1/audiences/a?environment=production&commit=true", plan("hotfix"))
	s.commit("a", plan("two"))
	s.want(200, "PUT", "/v1/commits/promote?to_environment=staging", "")
	s.want(409, "PUT", "/v1/commits/promote?to_environment=production", "")
	s.want(200, "PUT", "/v1/commits/promote?to_environment=production&force=true", "")
	// an earlier commit does not turn back a later one
	s.want(409, "PUT", "/v1/commits/"+a+"/promote", "")
}

func TestEnvironmentsAndWhoami(t *testing.T) {
	t.Parallel()
	s := serve(t, "environment: qa\nenvironments: [development, qa, production]")
	s.commit("a", plan("one"))
	r := s.want(200, "GET", "/v1/environments", "")
	for i, want := range []string{"development Development system", "qa Qa user", "production Production system"} {
		got := fmt.Sprint(r.at("entries", i, "slug"), " ", r.at("entries", i, "name"), " ", r.at("entries", i, "owner"))
		if got != want || r.at("entries", i, "order") != float64(i) || (r.at("entries", i, "last_commit_at") != nil) != (i == 0) {
			t.Errorf("%d: %s, want %s: %s", i, got, want, r.text)
		}
	}
	page := s.want(200, "GET", "/v1/environments?page_size=1", "")
	page = s.want(200, "GET", "/v1/environments?page_size=1&after="+page.at("page_info", "after").(string), "")
	if page.at("entries", 0, "slug") != "qa" {
		t.Errorf("%s", page.text)
	}
	s.want(404, "GET", "/v1/environments/nowhere", "")
	if r := s.want(200, "GET", "/v1/whoami", ""); r.at("type") != "service_token" || r.at("account_slug") != "muster" {
		t.Errorf("%s", r.text)
	}
}

func TestListsArePagedBothWays(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	for i := range 7 {
		s.commit(fmt.Sprintf("k%d", i), plan("x"))
	}
	for _, list := range []struct{ path, field, want string }{
		{"/v1/audiences" + dev, "key", "k0 k1 k2 k3 k4 k5 k6"},
		{"/v1/commits" + dev, "version", "1 1 1 1 1 1 1"},
	} {
		var pages []string
		var got []string
		cursor := ""
		for {
			r := s.want(200, "GET", list.path+"&page_size=3&after="+url.QueryEscape(cursor), "")
			pages = append(pages, r.text)
			for i := 0; r.at("entries", i) != nil; i++ {
				got = append(got, fmt.Sprint(r.at("entries", i, list.field)))
			}
			next, ok := r.at("page_info", "after").(string)
			if !ok {
				if before := s.want(200, "GET", list.path+"&page_size=3&before="+r.at("page_info", "before").(string), ""); before.text != pages[1] {
					t.Errorf("backwards:\n%s\n%s", before.text, pages[1])
				}
				break
			}
			cursor = next
		}
		if strings.Join(got, " ") != list.want {
			t.Errorf("%s: %v", list.path, got)
		}
	}
}

// TestACommitIsInForceOnceItsPositionIsRead writes and reads at once.
func TestACommitIsInForceOnceItsPositionIsRead(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	exec(t, s.db, `INSERT INTO users (id, plan) VALUES ('u', 'pro')`)
	for i := range 20 {
		key := fmt.Sprintf("a%d", i)
		r := s.want(200, "PUT", "/v1/audiences/"+key+dev+"&commit=true", plan("pro"), fmt.Sprintf("Idempotency-Key: k%d", i))
		position := r.header.Get("Muster-Position")
		s.want(200, "GET", "/v1/whoami", "", "Muster-Position: "+position)
		if _, _, known, err := s.worker.pipeline.Membership(key, "u", ""); err != nil || !known {
			t.Fatalf("%s is not in force behind %s: %v", key, position, err)
		}
		again := s.want(200, "PUT", "/v1/audiences/"+key+dev+"&commit=true", plan("pro"), fmt.Sprintf("Idempotency-Key: k%d", i))
		if again.header.Get("Idempotency-Replayed") != "true" || again.text != r.text || again.header.Get("Muster-Position") != position {
			t.Errorf("replay: %v %s", again.header, again.text)
		}
		s.want(422, "PUT", "/v1/audiences/"+key+dev+"&commit=true", plan("other"), fmt.Sprintf("Idempotency-Key: k%d", i))
	}
}
