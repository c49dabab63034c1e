package app

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"muster/pipeline"
	"muster/pipeline/state"
)

// TestTheGuideNamesEveryRefusal holds the operations guide to what stops a worker: each of these texts is what an operator
// will look for in it.
func TestTheGuideNamesEveryRefusal(t *testing.T) {
	t.Parallel()
	guide := read(t, "../../deploy/guide/OPERATIONS.md")
	has := func(text string) {
		t.Helper()
		if !strings.Contains(guide, text) {
			t.Errorf("deploy/guide/OPERATIONS.md has no row for %q", text)
		}
	}
	refusals := regexp.MustCompile(`(?m)^\tErr\w+ += errors\.New\("(.+)"\)$`).FindAllStringSubmatch(read(t, "../../connectors/postgres/errors.go"), -1)
	if len(refusals) < 10 {
		t.Fatalf("found only %d refusals of Postgres; mend this test", len(refusals))
	}
	for _, r := range refusals {
		has(r[1])
	}
	for _, err := range []error{
		ErrNoBaseline, ErrWorkerRuns, pipeline.ErrLostState, pipeline.ErrRebuildBegun, state.ErrLocked, state.ErrForeign, state.ErrCorrupt,
	} {
		text, _, _ := strings.Cut(err.Error(), "; ") // the repair has a column of its own
		has(text)
	}
	inKafka := map[string]string{
		"TopicChangedError":   "was deleted and created anew",
		"TopicShrunkError":    "partitions and had",
		"TopicMissingError":   "there is no topic",
		"RecordTooLargeError": "bytes, beyond the limit",
		"DeniedError":         "check kafka.sasl and kafka.tls",
		"FencedError":         "another worker has taken over transactional id",
		"LogTruncatedError":   "lost acknowledged records",
		"HistoryError":        "state and topic come from different histories",
		"RejectedError":       "the broker's log",
	}
	for _, text := range inKafka {
		has(text)
	}
	for _, r := range regexp.MustCompile(`(?m)^type (\w+Error) struct`).FindAllStringSubmatch(read(t, "../../sinks/kafka/errors.go"), -1) {
		if inKafka[r[1]] == "" {
			t.Errorf("%s of sinks/kafka is not in this test, nor in the guide", r[1])
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTheGuideNamesEveryEndpoint holds the page of the API to the document that the worker serves, with the role that each
// endpoint wants.
func TestTheGuideNamesEveryEndpoint(t *testing.T) {
	t.Parallel()
	s := serve(t, threeKeys)
	roles := make(map[string]string)
	row := regexp.MustCompile("(?m)^\\| (`(?:GET|PUT|POST|DELETE) .*`) \\| (read|write|admin) \\|")
	for _, m := range row.FindAllStringSubmatch(read(t, "../../deploy/guide/API.md"), -1) {
		path := ""
		for _, e := range regexp.MustCompile("`([A-Z]+) ([^`]+)`").FindAllStringSubmatch(m[1], -1) {
			if e[2] != "..." {
				path = e[2]
			}
			roles[e[1]+" "+path] = m[2]
		}
	}
	keys := map[string]string{"read": "read-key-0123456789", "write": "write-key-0123456789", "admin": "admin-key-0123456789"}
	smaller := map[string]string{"write": keys["read"], "admin": keys["write"]}
	for _, o := range s.operations() {
		name := o.method + " " + o.path
		role := roles[name]
		delete(roles, name)
		if role == "" {
			t.Errorf("deploy/guide/API.md does not have %s", name)
			continue
		}
		if status, text := s.answered(o, keys[role], ""); status == http.StatusForbidden || status == http.StatusUnauthorized {
			t.Errorf("%s is not for a key of role %s: %d %s", name, role, status, text)
		}
		if key, ok := smaller[role]; ok {
			if status, _ := s.answered(o, key, ""); status != http.StatusForbidden {
				t.Errorf("%s wants less than the role %s: %d", name, role, status)
			}
		}
	}
	for name := range roles {
		t.Errorf("deploy/guide/API.md has %s, which is not served", name)
	}
}
