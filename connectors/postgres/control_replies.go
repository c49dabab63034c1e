package postgres

import (
	"bytes"
	"context"
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

// abandoned is after how long a claim that nobody finished counts as dropped: its process has died.
const abandoned = time.Minute

// ClaimReply records that a request is being served under a key. fresh says that it is the first, or the first since the
// memory of an earlier one has faded; else same says whether the earlier request was the same, and reply what it was
// answered.
func (c *Control) ClaimReply(ctx context.Context, caller, key string, digest []byte, memory time.Duration) (fresh, same bool, reply Reply, err error) {
	table := c.table("replies")
	// a few that have faded go with every new one, so that the table stays as large as its use
	_, err = c.pool.Exec(ctx, `DELETE FROM `+table+` WHERE ctid IN (SELECT ctid FROM `+table+`
 WHERE claimed_at < clock_timestamp() - $1::interval LIMIT 10 FOR UPDATE SKIP LOCKED)`, memory)
	if err != nil {
		return false, false, Reply{}, fmt.Errorf("forget old replies: %w", err)
	}
	err = c.pool.QueryRow(ctx, `INSERT INTO `+table+` AS r (caller, key, digest) VALUES ($1, $2, $3)
    ON CONFLICT (caller, key) DO UPDATE SET digest = excluded.digest, status = 0, body = '', position = '', claimed_at = clock_timestamp()
 WHERE r.claimed_at < clock_timestamp() - $4::interval OR r.status = 0 AND r.claimed_at < clock_timestamp() - $5::interval
RETURNING true`, caller, key, digest, memory, abandoned).Scan(&fresh)
	if err == nil || !errors.Is(err, pgx.ErrNoRows) {
		return fresh, true, Reply{}, err
	}
	var was []byte
	err = c.pool.QueryRow(ctx, `SELECT digest, status, content_type, position, body FROM `+table+` WHERE caller = $1 AND key = $2`, caller, key).
		Scan(&was, &reply.Status, &reply.ContentType, &reply.Position, &reply.Body)
	if errors.Is(err, pgx.ErrNoRows) { // let go in between: ask again
		return false, true, Reply{}, nil
	}
	if err != nil {
		return false, false, Reply{}, fmt.Errorf("read the reply to an earlier request: %w", err)
	}
	return false, bytes.Equal(was, digest), reply, nil
}

// KeepReply records what a request was answered.
func (c *Control) KeepReply(ctx context.Context, caller, key string, reply Reply) error {
	_, err := c.pool.Exec(ctx, `UPDATE `+c.table("replies")+` SET status = $3, content_type = $4, position = $5, body = $6 WHERE caller = $1 AND key = $2`,
		caller, key, reply.Status, reply.ContentType, reply.Position, reply.Body)
	if err != nil {
		return fmt.Errorf("keep the reply to a request: %w", err)
	}
	return nil
}

// ForgetReply lets a key be used again.
func (c *Control) ForgetReply(ctx context.Context, caller, key string) error {
	_, err := c.pool.Exec(ctx, `DELETE FROM `+c.table("replies")+` WHERE caller = $1 AND key = $2`, caller, key)
	if err != nil {
		return fmt.Errorf("forget the reply to a request: %w", err)
	}
	return nil
}
