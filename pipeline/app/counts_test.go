package app

import (
	"fmt"
	"maps"
	"net/url"
	"strings"
	"testing"
)

// TestEveryCountIsTheSame asks everything that tells how many members an audience has, for products of this kind are known
// for a page that says one number and an export that has another.
func TestEveryCountIsTheSame(t *testing.T) {
	t.Parallel()
	s := serve(t, clickHouse(t))
	s.populate(400)
	exec(t, s.db, `UPDATE users SET plan = 'pro' WHERE age % 4 = 0`)
	exec(t, s.db, `DELETE FROM users WHERE age % 7 = 0`) // some of the list's members are missing from now on
	s.settle()
	s.eventually("the history to be complete", func() bool {
		return s.onRecord(`SELECT max(sequence) FROM muster.membership_events`) == s.worker.Status().Sequence
	})
	if s.gauge("muster_predicates_visited_total") == 0 {
		t.Error("nothing was looked at to find them")
	}
	const pro = `SELECT count(*) FROM users u WHERE plan = 'pro'`
	for audience, query := range map[string]string{
		"pro":  pro,
		"list": `SELECT count(*) FROM muster.members m JOIN users u ON u.id = m.user_id WHERE m.audience = 'list'`,
		"both": pro + ` AND EXISTS (SELECT FROM muster.members m WHERE m.audience = 'list' AND m.user_id = u.id)`,
	} {
		counts := map[string]int{
			"the table":         s.inTable(query),
			"pages of members":  s.paged(audience),
			"the export":        strings.Count(s.want(200, "GET", "/v1/audiences/"+audience+"/export?format=csv", "").text, ",false,"),
			"the metric":        s.gauge(fmt.Sprintf(`muster_audience_members{audience="%s"}`, audience)),
			"members now":       int(s.onRecord(`SELECT count() FROM muster.members WHERE audience = '` + audience + `'`)),
			"entries and exits": int(s.onRecord(`SELECT toUInt64(countIf(type = 'audience.entered') - countIf(type = 'audience.exited')) FROM muster.user_timeline WHERE audience = '` + audience + `'`)),
			"today's size":      int(s.onRecord(`SELECT toUInt64(argMax(size, day)) FROM muster.audience_daily WHERE audience = '` + audience + `'`)),
		}
		if audience == "pro" {
			counts["a preview"] = int(*s.preview("", strings.Replace(plan("pro"), `"name"`, `"key":"pro","name"`, 1)).Count)
		}
		for what, n := range counts {
			if n != counts["the table"] || n == 0 {
				t.Errorf("%s has %d members by %s: %v", audience, n, what, maps.Clone(counts))
			}
		}
	}
}

// inTable asks Postgres for a number.
func (s *served) inTable(query string) (n int) {
	s.Helper()
	if err := s.db.QueryRow(s.Context(), query).Scan(&n); err != nil {
		s.Fatal(err)
	}
	return n
}

// paged counts the members that are there, page by page.
func (s *served) paged(audience string) (n int) {
	s.Helper()
	for after := ""; ; {
		page := s.want(200, "GET", "/v1/audiences/"+audience+"/members?page_size=7"+after, "")
		entries, _ := page.at("entries").([]any)
		for _, e := range entries {
			if e.(map[string]any)["user"] != nil {
				n++
			}
		}
		next, more := page.at("page_info", "after").(string)
		if !more {
			return n
		}
		after = "&after=" + url.QueryEscape(next)
	}
}

// gauge reads one line of /metrics.
func (s *served) gauge(name string) (n int) {
	s.Helper()
	for line := range strings.Lines(s.want(200, "GET", "/metrics", "").text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			if _, err := fmt.Sscan(value, &n); err != nil {
				s.Fatal(err)
			}
		}
	}
	return n
}
