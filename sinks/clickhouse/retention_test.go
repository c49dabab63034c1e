package clickhouse

import (
	"context"
	"fmt"
	"testing"
	"time"

	"muster/evaluator"
)

// When the TTL has taken the entries away, those who entered long ago are members still, at any instant within the TTL, and
// the sizes of its days are right.
func TestMembershipsOutliveTheHistory(t *testing.T) {
	t.Parallel()
	options := optionsFor(t)
	options.TTL = 30 * 24 * time.Hour
	s := recovered(t, options)
	now := evaluator.InstantOf(time.Now())
	ago := func(days int) evaluator.Instant { return now - evaluator.Instant(days)*24*3600*1e6 }

	stays := entry(1, "a", "stays", 1, ago(300))
	leaves := entry(2, "a", "leaves", 1, ago(290))
	left := entry(3, "a", "left long ago", 1, ago(280))
	deliver(t, s, stays, leaves, left, exit(4, left, ago(200)), entry(5, "a", "came", 1, ago(10)), exit(6, leaves, ago(5)))
	exec(t, s.session, "OPTIMIZE TABLE "+s.names.table(eventsTable)+" FINAL")
	if got := query(t, s.session, "SELECT count() AS x FROM "+s.names.table(eventsTable)); got != "2" {
		t.Fatalf("the TTL has left %s events, want 2, or this test shows nothing", got)
	}

	h := &History{s.session}
	for days, want := range map[int]string{0: "[came stays]", 7: "[came leaves stays]", 20: "[leaves stays]"} {
		var users []string
		for member, err := range h.MembersAt(context.Background(), "a", ago(days).Time()) {
			if err != nil {
				t.Fatal(err)
			}
			users = append(users, member.User)
		}
		if fmt.Sprint(users) != want {
			t.Errorf("members %d days ago are %v, want %s", days, users, want)
		}
	}
	if got := query(t, s.session, "SELECT count() AS x FROM "+s.names.table("members")+" WHERE audience = 'a'"); got != "2" {
		t.Errorf("%s members, want 2", got)
	}
	sizes := "SELECT arraySort(groupUniqArray(size)) AS x FROM " + s.names.table("audience_daily") + " WHERE day > today() - 10 AND day < today() - 5"
	if got := query(t, s.session, sizes); got != "[3]" {
		t.Errorf("sizes between the entry and the exit are %s, want [3]", got)
	}
}
