package postgres_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/connectors/postgres"
)

func TestRepliesAreRememberedForTheirTime(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		source, ctx := db.prepared(), context.Background()
		control := source.Control()
		const day = 24 * time.Hour
		var claimed *postgres.Claim // the last that was fresh
		claim := func(key, digest string) (fresh, same bool, reply postgres.Reply) {
			t.Helper()
			own, same, reply, err := control.ClaimReply(ctx, "ci", key, []byte(digest), day)
			if err != nil {
				t.Fatal(err)
			}
			if own != nil {
				claimed = own
			}
			return own != nil, same, reply
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
		if err := claimed.Keep(ctx, kept); err != nil {
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
		if err := claimed.Forget(ctx); err != nil {
			t.Fatal(err)
		}
		if fresh, _, _ := claim("other", "two"); !fresh {
			t.Error("a key that was let go is not fresh")
		}
	})
}

func TestOfManyClaimsOneIsFresh(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		source, ctx := db.prepared(), context.Background()
		var group sync.WaitGroup
		var fresh atomic.Int64
		for range 16 {
			group.Go(func() {
				claim, same, _, err := source.Control().ClaimReply(ctx, "ci", "k", []byte("d"), time.Hour)
				if err != nil || !same {
					t.Errorf("claim: %t, %v", same, err)
				}
				if claim != nil {
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

// TestAClaimIsItsOwnersAlone: a request that takes longer than a minute keeps its claim by renewing it, and one that did not, and
// lost it, can neither answer for the one that took it over nor let its key go.
func TestAClaimIsItsOwnersAlone(t *testing.T) {
	onEach(t, func(t *testing.T, db *database) {
		source, ctx := db.prepared(), context.Background()
		claim := func(digest string) (*postgres.Claim, bool) {
			t.Helper()
			own, same, _, err := source.Control().ClaimReply(ctx, "ci", "k", []byte(digest), time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			return own, same
		}
		age := func() {
			t.Helper()
			db.run(`UPDATE muster.replies SET claimed_at = claimed_at - interval '2 minutes'`)
		}
		slow, _ := claim("d")
		age()
		if err := slow.Renew(ctx); err != nil {
			t.Fatal(err)
		}
		if own, same := claim("d"); own != nil || !same {
			t.Errorf("a claim that was renewed is taken over: %v, %t", own, same)
		}
		age()
		if own, same := claim("another request"); own != nil || same {
			t.Errorf("an abandoned claim is taken over by another request: %v, %t", own, same)
		}
		second, _ := claim("d")
		if second == nil {
			t.Fatal("an abandoned claim is not taken over by its retry")
		}
		if err := slow.Renew(ctx); !errors.Is(err, postgres.ErrClaimLost) {
			t.Errorf("renewing a claim that was lost: %v", err)
		}
		if err := slow.Keep(ctx, postgres.Reply{Status: 500}); !errors.Is(err, postgres.ErrClaimLost) {
			t.Errorf("keeping a reply under a claim that was lost: %v", err)
		}
		if err := slow.Forget(ctx); err != nil {
			t.Error(err)
		}
		if err := second.Keep(ctx, postgres.Reply{Status: 200, Body: []byte("{}")}); err != nil {
			t.Errorf("the owner's reply: %v", err)
		}
		if n := one[int](db, `SELECT status FROM muster.replies`); n != 200 {
			t.Errorf("status %d", n)
		}
		if err := second.Renew(ctx); !errors.Is(err, postgres.ErrClaimLost) {
			t.Errorf("renewing after the reply: %v", err)
		}
	})
}
