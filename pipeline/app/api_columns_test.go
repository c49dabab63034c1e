package app

import (
	"strings"
	"testing"
)

// TestHiddenColumnsAreRefusedAtOnce: a column that the stream does not carry, here a generated one, reads as nothing. Who names it is
// told when the definition is written, and not only by the log of the worker that refuses the version.
func TestHiddenColumnsAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	exec(t, s.db, `ALTER TABLE users ADD shout text GENERATED ALWAYS AS (upper(plan)) STORED`)
	exec(t, s.db, `INSERT INTO users (id, plan) VALUES ('u1', 'pro')`)
	body := dynamic(`{"property": "recipient.plan", "operator": "equal_to", "argument": "recipient.shout"}`)
	s.eventually("the column to be known", func() bool { return s.call("PUT", "/v1/audiences/a/validate"+dev, body).status == 422 })
	for _, path := range []string{"/v1/audiences/a" + dev, "/v1/audiences/a" + dev + "&commit=true"} {
		r := s.want(422, "PUT", path, body)
		if r.at("errors", 0, "field") != "segments[0].conditions[0].argument" || !strings.Contains(r.text, "shout") {
			t.Errorf("%s: %s", path, r.text)
		}
	}
	s.want(200, "PUT", "/v1/audiences/a?environment=production", body) // of another worker's table nothing is known here
	s.want(200, "PUT", "/v1/audiences/a"+dev, plan("pro"))
}
