package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

const oldestVersion = 140000

// server checks what the server is and how it is set.
func (c *checker) server(ctx context.Context) error {
	if c.facts.Version < oldestVersion {
		c.fail("server version", fmt.Sprintf("%d", c.facts.Version/10000), "use Postgres 14 or later: transactional messages in the stream came with it")
	} else {
		c.ok("server version", fmt.Sprintf("%d.%d", c.facts.Version/10000, c.facts.Version%10000))
	}
	if c.facts.Standby {
		c.fail("server role", "a standby: heartbeats, timers and definitions have to be written", "point postgres.dsn at the primary (target_session_attrs=primary picks it among several hosts)")
	}
	var level string
	if err := c.conn.QueryRow(ctx, `SELECT current_setting('wal_level')`).Scan(&level); err != nil {
		return err
	}
	if level != "logical" {
		c.fail("wal_level", level, "ALTER SYSTEM SET wal_level = logical; then restart the server")
	} else {
		c.ok("wal_level", level)
	}
	return nil
}

// replication checks the right to replicate, by asking for a connection in that mode: pg_hba.conf has a say, too.
func (c *checker) replication(ctx context.Context) error {
	const name = "replication privilege"
	source := &Source{options: c.options}
	conn, err := source.connectReplication(ctx, nil)
	switch {
	case err == nil:
		conn.close()
		c.ok(name, fmt.Sprintf("role %q", c.facts.Role))
	case !c.facts.Super && !c.facts.Replication:
		c.fail(name, fmt.Sprintf("role %q has no REPLICATION", c.facts.Role), "ALTER ROLE "+quote(c.facts.Role)+" REPLICATION (on a managed server the provider's way, such as GRANT rds_replication TO "+quote(c.facts.Role)+")")
	default:
		c.fail(name, err.Error(), "allow replication connections of role "+quote(c.facts.Role)+" to database "+quote(c.facts.Database)+" in pg_hba.conf; SELECT pg_reload_conf()")
	}
	return nil
}

// capacity checks that slot and connection find room, and that nothing keeps a new slot waiting.
func (c *checker) capacity(ctx context.Context) error {
	var slots, maxSlots, senders, maxSenders int
	err := c.conn.QueryRow(ctx, `
SELECT (SELECT count(*) FROM pg_replication_slots), current_setting('max_replication_slots')::int,
       (SELECT count(*) FROM pg_stat_replication), current_setting('max_wal_senders')::int`).Scan(&slots, &maxSlots, &senders, &maxSenders)
	if err != nil {
		return err
	}
	free, needed := maxSlots-slots, 2 // one to keep, one for the snapshots of rebuild and verify
	if c.facts.SlotExists {
		needed = 1
	}
	used := fmt.Sprintf("%d of %d in use", slots, maxSlots)
	raise := fmt.Sprintf("ALTER SYSTEM SET max_replication_slots = %d; then restart the server; or drop one that nobody uses: SELECT slot_name FROM pg_replication_slots WHERE NOT active", max(10, 2*maxSlots))
	switch {
	case free >= needed:
		c.ok("max_replication_slots", used)
	case free < 1 && !c.facts.SlotExists:
		c.fail("max_replication_slots", used, raise)
	default:
		c.warn("max_replication_slots", used+"; rebuild and verify need one more for as long as they read", raise)
	}
	if senders >= maxSenders {
		c.fail("max_wal_senders", fmt.Sprintf("%d of %d in use", senders, maxSenders), fmt.Sprintf("ALTER SYSTEM SET max_wal_senders = %d; then restart the server", max(10, 2*maxSenders)))
	} else {
		c.ok("max_wal_senders", fmt.Sprintf("%d of %d in use", senders, maxSenders))
	}
	if c.facts.SlotExists {
		return nil
	}
	return c.oldTransactions(ctx)
}

// oldTransactions warns of what a new slot would wait for.
func (c *checker) oldTransactions(ctx context.Context) error {
	var pid int
	var since time.Time
	err := c.conn.QueryRow(ctx, `SELECT pid, xact_start FROM pg_stat_activity
 WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND xact_start < now() - interval '1 minute' ORDER BY xact_start LIMIT 1`).Scan(&pid, &since)
	if err == pgx.ErrNoRows {
		return nil
	}
	if err != nil {
		return err
	}
	c.warn("open transactions", fmt.Sprintf("process %d has one open since %s; making the slot waits for its end", pid, since.UTC().Format(time.RFC3339)),
		fmt.Sprintf("end it, or SELECT pg_terminate_backend(%d)", pid))
	return nil
}
