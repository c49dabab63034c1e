package command

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"muster/connectors/api"
)

const pro = `{"type": "dynamic", "segments": [{"conditions": [{"property": "recipient.plan", "operator": "equal_to", "argument": "pro"}]}]}`

func member(of string) string {
	return fmt.Sprintf(`{"type": "dynamic", "segments": [{"conditions": [{"operator": "is_audience_member", "argument": %q}]}]}`, of)
}

// TestTheWayOfADefinition goes from a new file to production and back, over HTTP and straight in the database.
func TestTheWayOfADefinition(t *testing.T) {
	t.Parallel()
	for _, direct := range []bool{false, true} {
		t.Run(fmt.Sprintf("direct=%t", direct), func(t *testing.T) {
			t.Parallel()
			d := deploy(t, "")
			s := d.shell(t, "Ada <ada@example.org>")
			if direct {
				s.where = []string{"-c", d.config}
			}
			s.want(0, "new", "trial", "--yaml")
			s.want(1, "new", "trial")
			s.want(2, "new", "No Key")
			s.want(0, "validate", "--all")
			if got := s.want(0, "push", "trial"); !strings.Contains(got.out, "draft") {
				t.Errorf("push: %s", got.out)
			}
			if got := s.want(0, "list"); !strings.Contains(got.out, "trial  dynamic  -        draft") {
				t.Errorf("list: %s", got.out)
			}
			s.want(0, "commit", "trial", "-m", "first")
			s.want(1, "commit", "trial")
			if got := s.want(0, "commit", "--all"); got.out != "there is no draft to commit\n" {
				t.Errorf("nothing to commit: %s", got.out)
			}
			s.want(0, "pull", "trial")
			s.edit("trial", "audience.yaml", "7 days ago", "8 days ago")
			if got := s.want(0, "diff", "trial"); !strings.Contains(got.out, `-   recipient.created_at is_timestamp_before "7 days ago"`) ||
				!strings.Contains(got.out, `+   recipient.created_at is_timestamp_before "8 days ago"`) {
				t.Errorf("diff: %s", got.out)
			}
			s.want(1, "pull", "trial") // it was edited
			s.want(0, "push", "trial", "--commit", "-m", "second")
			s.want(0, "pull", "trial") // it says what was pushed

			commits := decoded[[]api.Commit](t, s.want(0, "log", "trial", "--json"))
			if len(commits) != 2 || commits[0].Message != "second" || commits[0].Author.Email != "ada@example.org" || commits[1].Version != 1 {
				t.Errorf("log: %+v", commits)
			}
			s.want(0, "revert", "trial")
			s.want(0, "promote", "trial")
			if got := s.want(0, "promote", "--all", "--to", "production"); got.out != "production has everything already\n" {
				t.Errorf("promote: %s", got.out)
			}
			in := decoded[api.Audience](t, s.want(0, "get", "trial", "-e", "production", "--json"))
			if in.SHA != commits[1].SHA || in.Readonly.Version != 1 {
				t.Errorf("production has %+v", in)
			}
			s.want(0, "archive", "trial")
			s.want(1, "get", "trial")
			s.want(0, "revert", "trial")
			s.want(0, "get", "trial")
		})
	}
}

func TestTwoPeopleOnOneAudience(t *testing.T) {
	t.Parallel()
	d := deploy(t, "")
	ada, bob := d.shell(t, "Ada <ada@example.org>"), d.shell(t, "Bob <bob@example.org>")
	ada.write("vip", "audience.json", pro)
	ada.want(0, "push", "vip", "--commit", "-m", "first")
	ada.want(0, "pull", "vip")
	bob.want(0, "pull", "--all", "--yaml")
	ada.edit("vip", "audience.json", `"pro"`, `"max"`)
	ada.want(0, "push", "vip", "--commit", "-m", "ada's")
	bob.edit("vip", "audience.yaml", "argument: pro", "argument: mini")
	got := bob.want(1, "push", "vip", "--commit", "-m", "bob's")
	if !strings.Contains(got.errors, "somebody else committed a version meanwhile") {
		t.Errorf("bob is told: %s", got.errors)
	}
	if text := ada.want(0, "get", "vip").out; !strings.Contains(text, `"max"`) {
		t.Errorf("ada's was overwritten: %s", text)
	}
	// ada goes on from her own, again and again
	ada.edit("vip", "audience.json", `"max"`, `"ultra"`)
	ada.want(0, "push", "vip", "--commit", "-m", "ada's second")
	bob.want(0, "push", "vip", "--commit", "--force")
	if text := ada.want(0, "get", "vip").out; !strings.Contains(text, `"mini"`) {
		t.Errorf("forced: %s", text)
	}
}

// TestEveryFaultOfEveryFile is the definition of the issue: six faults at once, each with its path, beside a sound file.
func TestEveryFaultOfEveryFile(t *testing.T) {
	t.Parallel()
	s := deploy(t, "").shell(t, "Ada")
	s.write("mine", "audience.yaml", `
type: dynamic
segments:
  - conditions:
      - {property: recipient.plan, operator: resembles, argument: pro}
      - {property: recipient.created_at, operator: is_timestamp_before, argument: 1.5 days ago}
      - {operator: is_audience_member, argument: nowhere}
      - {operator: is_audience_member, argument: other}
      - {property: recipient..plan, operator: exists}
  - conditions: []
`)
	s.write("other", "audience.json", member("mine"))
	want := "segments[0].conditions[0].operator segments[0].conditions[1].argument segments[0].conditions[4].property " +
		"segments[1].conditions segments[0].conditions[2].argument segments[0].conditions[3].argument segments[0].conditions[0].argument"
	for _, offline := range [][]string{nil, {"--offline"}} {
		v := decoded[validation](t, s.want(1, "validate", append([]string{"--all", "--json"}, offline...)...))
		var paths []string
		for _, f := range v.Faults {
			paths = append(paths, f.Path)
			if !strings.HasPrefix(f.File, filepath.Join(s.dir, f.Audience)) {
				t.Errorf("file of %+v", f)
			}
		}
		if got := strings.Join(paths, " "); got != want {
			t.Errorf("%v:\ngot  %s\nwant %s", offline, got, want)
		}
	}
	got := s.want(1, "push", "--all")
	if strings.Count(got.errors, "audience.yaml: segments[") != 6 || !strings.Contains(got.errors, "7 faults in 2 definitions") {
		t.Errorf("push: %s", got.errors)
	}
	if list := s.want(0, "list", "--json"); list.out != "[]\n" {
		t.Errorf("something was pushed: %s", list.out)
	}
}

// TestFilesThatReferToOneAnother are pushed in whatever order their drafts need, and committed together.
func TestFilesThatReferToOneAnother(t *testing.T) {
	t.Parallel()
	s := deploy(t, "").shell(t, "Ada")
	s.write("a", "audience.json", member("b"))
	s.write("b", "audience.json", member("c"))
	s.write("c", "audience.json", pro)
	got := decoded[[]pushed](t, s.want(0, "push", "--all", "--commit", "--json"))
	if len(got) != 3 || got[0].Audience != "c" || got[2].Status != "committed" {
		t.Errorf("%+v", got)
	}
	if got := s.want(1, "archive", "c"); !strings.Contains(got.errors, "b in development at segments[0].conditions[0].argument") {
		t.Errorf("%s", got.errors)
	}
	// turned round at once: a is the base of c now
	s.write("a", "audience.json", pro)
	s.write("c", "audience.json", member("a"))
	s.write("b", "audience.json", pro)
	s.want(0, "push", "--all", "--commit")
}

func TestPromotionBetweenDeployments(t *testing.T) {
	t.Parallel()
	staging, production := deploy(t, "environment: staging"), deploy(t, "environment: production")
	s := staging.shell(t, "Ada Ö <ada@example.org>")
	s.write("top", "audience.json", member("base"))
	s.write("base", "audience.json", pro)
	s.want(0, "push", "--all", "--commit", "-m", "why")
	across := func(code int, args ...string) written {
		t.Helper()
		got := s.run(append([]string{"audience", "promote", "--from", staging.url, "--to", production.url, "--to-environment", "production"}, args...)...)
		if got.code != code {
			t.Fatalf("%v: exit %d\n%s%s", args, got.code, got.out, got.errors)
		}
		return got
	}
	across(0, "--all")
	p := production.shell(t, "Bob")
	for _, key := range []string{"top", "base"} {
		was := decoded[[]api.Commit](t, s.want(0, "log", key, "--json"))
		is := decoded[[]api.Commit](t, p.want(0, "log", key, "--json", "-e", "production"))
		if len(is) != 1 || is[0].SHA != was[0].SHA || is[0].Author != was[0].Author || is[0].Message != "why" || is[0].Author.Name != "Ada Ö" {
			t.Errorf("%s: %+v, want as %+v", key, is, was)
		}
	}
	if got := across(0, "--all"); !strings.Contains(got.errors, "0 commits carried, 2 there already") {
		t.Errorf("again: %s", got.errors)
	}
	// a hotfix of the target is not overwritten
	p.write("base", "audience.json", strings.Replace(pro, `"pro"`, `"hotfix"`, 1))
	p.want(0, "push", "base", "--commit", "-e", "production")
	s.write("base", "audience.json", strings.Replace(pro, `"pro"`, `"next"`, 1))
	s.want(0, "push", "base", "--commit")
	if got := across(1, "base"); !strings.Contains(got.errors, "the source never had") {
		t.Errorf("%s", got.errors)
	}
	across(0, "base", "--force")
}

func TestWronglyCalled(t *testing.T) {
	t.Parallel()
	d := deploy(t, "")
	s := d.shell(t, "Ada")
	for _, args := range [][]string{
		{"push"}, {"push", "a", "--all"}, {"push", "No Key"}, {"commit"}, {"get"}, {"get", "a", "b"}, {"log", "--limit", "0"},
		{"promote"}, {"promote", "a", "--all"}, {"archive"}, {"list", "extra"}, {"list", "--nonsense"},
	} {
		if got := s.audience(args[0], args[1:]...); got.code != exitUsage {
			t.Errorf("%v: exit %d %s", args, got.code, got.errors)
		}
	}
	for _, args := range [][]string{
		{"audience", "list", "--url", "nonsense"}, {"audience", "list", "-c", d.config, "--url", d.url},
		{"audience", "promote", "a", "--from", "x", "--to", "http://y"}, {"audience", "promote", "--all", "--from", d.url},
	} {
		if got := s.run(args...); got.code != exitUsage {
			t.Errorf("%v: exit %d %s", args, got.code, got.errors)
		}
	}
	if got := s.run("audience", "list", "--url", "http://127.0.0.1:1"); got.code != exitFailed || !strings.Contains(got.errors, "cannot reach Muster at http://127.0.0.1:1") {
		t.Errorf("nobody there: %d %s", got.code, got.errors)
	}
	if got := s.audience("list", "-e", "nowhere"); got.code != exitFailed || !strings.Contains(got.errors, "there are development, production") {
		t.Errorf("no such environment: %d %s", got.code, got.errors)
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	s := deploy(t, "").shell(t, "Ada")
	s.write("first", "audience.json", pro)
	s.write("second", "audience.json", pro)
	s.want(0, "push", "first")
	for _, c := range []struct {
		args []string
		want string
	}{
		{append([]string{"audience", "get"}, append(s.where, "")...), "first"},
		{append([]string{"audience", "list", "--environment"}, ""), ":4"},
		{append(append([]string{"audience", "list"}, s.where...), "--environment", ""), "development\nproduction"},
		{[]string{"audience", "push", "--dir", "{dir}", "first", ""}, "second"},
		{[]string{"audience", "new", "--type", ""}, "dynamic\nstatic"},
	} {
		if got := s.run(append([]string{"__complete"}, c.args...)...); !strings.Contains(got.out, c.want) {
			t.Errorf("%v: %q, want %q", c.args, got.out, c.want)
		}
	}
	for _, name := range []string{"bash", "zsh", "fish"} {
		script := s.run("completion", name)
		if script.code != 0 || !strings.Contains(script.out, "muster") {
			t.Errorf("%s: %d %s", name, script.code, script.errors)
		}
		if path, err := exec.LookPath(name); err == nil { // the shell's own judgement, where it is installed
			check := exec.Command(path, "-n")
			check.Stdin = strings.NewReader(script.out)
			if text, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s -n: %v\n%s", name, err, text)
			}
		}
	}
}
