package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Reply is what a request was answered with.
type Reply struct {
	Status      int // 0 while the request is being served
	ContentType string
	Position    string
	Body        []byte
}

// abandoned is after how long a claim that nobody renewed counts as dropped: its process has died.
const abandoned = time.Minute

// ErrClaimLost says that a claim was not renewed in time and somebody else may have taken it over.
var ErrClaimLost = errors.New("the claim on the key was taken over, for it was not renewed for a minute")

// Claim is the right to serve the request of a key, until it is kept or forgotten, or not renewed for a minute.
type Claim struct {
	control         *Control
	caller, key, id string
}

// ClaimReply records that a request is being served under a key. The claim is nil when the key is in use: then same says
// whether by the same request, and reply what that was answered. A claim that was abandoned is taken over by the same
// request alone; a reply that is older than memory is no more.
func (c *Control) ClaimReply(ctx context.Context, caller, key string, digest []byte, memory time.Duration) (claim *Claim, same bool, reply Reply, err error) {
	table := c.table("replies")
	// a few that have faded go with every new one, so that the table stays as large as its use
	_, err = c.pool.Exec(ctx, `DELETE FROM `+table+` WHERE ctid IN (SELECT ctid FROM `+table+`
 WHERE claimed_at < clock_timestamp() - $1::interval LIMIT 10 FOR UPDATE SKIP LOCKED)`, memory)
	if err != nil {
		return nil, false, Reply{}, fmt.Errorf("forget old replies: %w", err)
	}
	claim = &Claim{c, caller, key, rand.Text()}
	done, err := c.pool.Exec(ctx, `INSERT INTO `+table+` AS r (caller, key, digest, claim) VALUES ($1, $2, $3, $4)
    ON CONFLICT (caller, key) DO UPDATE SET digest = excluded.digest, claim = excluded.claim, status = 0, content_type = '', position = '', body = '',
           claimed_at = clock_timestamp()
 WHERE r.claimed_at < clock_timestamp() - $5::interval
    OR r.status = 0 AND r.digest = excluded.digest AND r.claimed_at < clock_timestamp() - $6::interval`,
		caller, key, digest, claim.id, memory, abandoned)
	if err != nil {
		return nil, false, Reply{}, fmt.Errorf("claim a key: %w", err)
	}
	if done.RowsAffected() == 1 {
		return claim, true, Reply{}, nil
	}
	var was []byte
	err = c.pool.QueryRow(ctx, `SELECT digest, status, content_type, position, body FROM `+table+` WHERE caller = $1 AND key = $2`, caller, key).
		Scan(&was, &reply.Status, &reply.ContentType, &reply.Position, &reply.Body)
	if errors.Is(err, pgx.ErrNoRows) { // let go in between: ask again
		return nil, true, Reply{}, nil
	}
	if err != nil {
		return nil, false, Reply{}, fmt.Errorf("read the reply to an earlier request: %w", err)
	}
	return nil, bytes.Equal(was, digest), reply, nil
}

// Renew says that the request is still being served. ErrClaimLost: the claim is somebody else's now.
func (l *Claim) Renew(ctx context.Context) error {
	return l.update(ctx, "renew the claim on a key", `UPDATE `+l.control.table("replies")+` SET claimed_at = clock_timestamp()`)
}

// Keep records what the request was answered. ErrClaimLost: the claim is somebody else's now, and so will be the reply.
func (l *Claim) Keep(ctx context.Context, reply Reply) error {
	return l.update(ctx, "keep the reply to a request",
		`UPDATE `+l.control.table("replies")+` SET claimed_at = clock_timestamp(), status = $4, content_type = $5, position = $6, body = $7`,
		reply.Status, reply.ContentType, reply.Position, reply.Body)
}

// Forget lets the key be used again, unless the claim is somebody else's by now.
func (l *Claim) Forget(ctx context.Context) error {
	err := l.update(ctx, "let a key go", `DELETE FROM `+l.control.table("replies"))
	if errors.Is(err, ErrClaimLost) {
		return nil
	}
	return err
}

// update changes the row of the claim while it is this claim's.
func (l *Claim) update(ctx context.Context, what, statement string, args ...any) error {
	args = append([]any{l.caller, l.key, l.id}, args...)
	done, err := l.control.pool.Exec(ctx, statement+` WHERE caller = $1 AND key = $2 AND claim = $3 AND status = 0`, args...)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if done.RowsAffected() == 0 {
		return fmt.Errorf("%s: %w", what, ErrClaimLost)
	}
	return nil
}
