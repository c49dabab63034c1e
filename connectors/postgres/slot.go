package postgres

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"muster/pipeline/event"

	"github.com/jackc/pglogrepl"
)

// exported is a snapshot that a connection in replication mode has exported. It lasts until that connection does
// anything else.
type exported struct {
	conn       *replicationConn
	name       string
	consistent event.LSN
}

const slotLockTimeout = "5s"

// exportSnapshot makes the slot and returns the snapshot of its consistent point. Where the slot exists already, it gets
// the snapshot from a temporary one that is made beside it: the slot holds the log from before that point, so a stream
// that starts from it after that point misses nothing. So an interrupted snapshot needs no new slot, and a slot whose
// snapshot was never finished is of use all the same.
func (s *Source) exportSnapshot(ctx context.Context, resume event.SnapshotResume) (*exported, error) {
	return s.export(ctx, func(conn *replicationConn) (string, error) { return s.planSlot(ctx, conn, resume) })
}

// export creates the slot that plan says and returns its snapshot.
func (s *Source) export(ctx context.Context, plan func(*replicationConn) (statement string, err error)) (*exported, error) {
	conn, err := s.connectReplication(ctx, map[string]string{"lock_timeout": slotLockTimeout})
	if err != nil {
		return nil, err
	}
	statement, err := plan(conn)
	var snapshot *exported
	if err == nil {
		snapshot, err = s.createSlot(ctx, conn, statement)
	}
	if err != nil {
		conn.close()
		return nil, err
	}
	return snapshot, nil
}

// planSlot decides which slot is to be made: the slot itself, once nobody uses it, or a temporary one beside it.
func (s *Source) planSlot(ctx context.Context, conn *replicationConn, resume event.SnapshotResume) (string, error) {
	if err := s.sameDatabase(ctx, conn, 0); err != nil {
		return "", err
	}
	found, err := s.awaitSlot(ctx, conn)
	switch {
	case err != nil:
		return "", err
	case found.slot.Exists:
		return temporarySlot(), nil
	}
	if err := s.mayCreateSlot(resume); err != nil {
		return "", err
	}
	if found.version >= 170000 { // a standby may then take the slot over
		return fmt.Sprintf("CREATE_REPLICATION_SLOT %s LOGICAL pgoutput (SNAPSHOT 'export', FAILOVER)", quote(s.options.Slot)), nil
	}
	return fmt.Sprintf("CREATE_REPLICATION_SLOT %s LOGICAL pgoutput EXPORT_SNAPSHOT", quote(s.options.Slot)), nil
}

// temporarySlot is one that ends with its connection.
func temporarySlot() string {
	return fmt.Sprintf("CREATE_REPLICATION_SLOT %s TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT", quote("muster_snapshot_"+random()))
}

// createSlot waits, as long as it takes, for the transactions that are open, and says so.
func (s *Source) createSlot(ctx context.Context, conn *replicationConn, statement string) (*exported, error) {
	for {
		answer, err := pglogrepl.ParseCreateReplicationSlot(conn.Exec(ctx, statement))
		if sqlState(err) == codeLockNotAvailable {
			s.logOldTransactions(ctx)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("create a replication slot: %w", err)
		}
		point, err := pglogrepl.ParseLSN(answer.ConsistentPoint)
		if err != nil {
			return nil, fmt.Errorf("create a replication slot: %w", err)
		}
		return &exported{conn: conn, name: answer.SnapshotName, consistent: event.LSN(point)}, nil
	}
}

// mayCreateSlot refuses a new slot in place of one that earlier chunks of this snapshot rely on.
func (s *Source) mayCreateSlot(resume event.SnapshotResume) error {
	if resume.Started {
		return &Refusal{ErrSlotMissing, fmt.Sprintf("%s is gone, and with it what changed since the snapshot began", s.options.Slot),
			"muster rebuild -c FILE, which begins a new snapshot", nil}
	}
	if !s.options.Create {
		return &Refusal{ErrSlotMissing, s.options.Slot,
			fmt.Sprintf("SELECT pg_create_logical_replication_slot(%s, 'pgoutput'), or set postgres.create to true", literal(s.options.Slot)), nil}
	}
	return nil
}

// awaitSlot waits until nobody streams from the slot, as a standby does: a snapshot beside a running worker would be of no
// use to either.
func (s *Source) awaitSlot(ctx context.Context, conn *replicationConn) (inspection, error) {
	for backoff := backoffFirst; ; backoff = min(2*backoff, backoffLast) {
		found, err := s.inspect(ctx, conn)
		if err != nil {
			return inspection{}, err
		}
		if found.slot.Exists {
			if err := s.streamable(found); err != nil {
				return inspection{}, err
			}
		}
		if found.slot.ActivePID == 0 {
			s.hold.grant()
			return found, nil
		}
		s.hold.occupied()
		s.log.Info("waiting for the replication slot, which another worker uses", "pid", found.slot.ActivePID)
		if !pause(ctx, backoff) {
			return inspection{}, ctx.Err()
		}
	}
}

// logOldTransactions says what a new slot is waiting for: every transaction that was open when it was asked for.
func (s *Source) logOldTransactions(ctx context.Context) {
	var pid int
	var state, query string
	var since time.Time
	err := s.pool.QueryRow(ctx, `
SELECT pid, coalesce(state, ''), left(query, 200), xact_start FROM pg_stat_activity
 WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 1`).Scan(&pid, &state, &query, &since)
	if err != nil {
		s.log.Warn("creating the replication slot waits for transactions that were open before it")
		return
	}
	s.log.Warn("creating the replication slot waits for transactions that were open before it; to end the oldest: SELECT pg_terminate_backend(pid)",
		"pid", pid, "state", state, "since", since, "query", query)
}

// random returns 12 characters that are valid in a slot's name.
func random() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x", b)
}
