package postgres_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/connectors/postgres"
)

func TestRepliesAreRememberedForTheirTime(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		source, ctx := db.source(), context.Background()
		if err := source.Prepare(ctx); err != nil {
			t.Fatal(err)
		}
		control := source.Control()
		const day = 24 * time.Hour
		claim := func(key, digest string) (fresh, same bool, reply postgres.Reply) {
			t.Helper()
			fresh, same, reply, err := control.ClaimReply(ctx, "ci", key, []byte(digest), day)
			if err != nil {
				t.Fatal(err)
			}
			return fresh, same, reply
		}
		age := func(key, by string) {
			t.Helper()
			db.run(`UPDATE muster.replies SET claimed_at = claimed_at - $2::interval WHERE key = $1`, key, by)
		}
		kept := postgres.Reply{Status: 200, ContentType: "application/json", Position: "p", Body: []byte("{}")}

		if fresh, _, _ := claim("k", "one"); !fresh {
			t.Error("the first claim is not fresh")
		}
		if fresh, same, reply := claim("k", "one"); fresh || !same || reply.Status != 0 {
			t.Errorf("while it is served: %t %t %+v", fresh, same, reply)
		}
		if fresh, same, _ := claim("k", "two"); fresh || same {
			t.Errorf("another request: %t %t", fresh, same)
		}
		age("k", "2 minutes") // its process has died
		if fresh, _, _ := claim("k", "one"); !fresh {
			t.Error("a claim that nobody finished is kept for ever")
		}
		if err := control.KeepReply(ctx, "ci", "k", kept); err != nil {
			t.Fatal(err)
		}
		age("k", "23 hours")
		if fresh, same, reply := claim("k", "one"); fresh || !same || reply.Status != 200 || string(reply.Body) != "{}" || reply.Position != "p" {
			t.Errorf("kept: %t %t %+v", fresh, same, reply)
		}
		age("k", "2 hours")
		if fresh, _, _ := claim("other", "one"); !fresh {
			t.Error("another key is not fresh")
		}
		if n := one[int](db, `SELECT count(*)::int FROM muster.replies`); n != 1 {
			t.Errorf("%d replies, want the faded one gone", n)
		}
		if err := control.ForgetReply(ctx, "ci", "other"); err != nil {
			t.Fatal(err)
		}
		if fresh, _, _ := claim("other", "two"); !fresh {
			t.Error("a key that was let go is not fresh")
		}
	})
}

func TestOfManyClaimsOneIsFresh(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		db.run(usersTable)
		source, ctx := db.source(), context.Background()
		if err := source.Prepare(ctx); err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		var fresh atomic.Int64
		for range 16 {
			group.Go(func() {
				first, same, _, err := source.Control().ClaimReply(ctx, "ci", "k", []byte("d"), time.Hour)
				if err != nil || !same {
					t.Errorf("claim: %t, %v", same, err)
				}
				if first {
					fresh.Add(1)
				}
			})
		}
		group.Wait()
		if fresh.Load() != 1 {
			t.Errorf("%d claims are fresh", fresh.Load())
		}
	})
}
