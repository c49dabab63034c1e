package postgres

import (
	"context"
	"fmt"
	"strings"

	"muster/pipeline/event"

	"github.com/jackc/pglogrepl"
)

// System names a database server and its history.
type System struct {
	Identifier string // of the cluster, made by initdb, shared by its standbys
	Timeline   int32  // grows by one with each promotion
	Database   string
}

// Identity is what a state must belong to in order to go on from this source.
type Identity struct {
	System
	Slot     Slot
	UsersOID uint32 // 0 when the table does not exist
}

// Serves reports whether the slot still has everything after end, the End of the last durable transaction or the
// Consistent of a snapshot. A slot that stands beyond it was moved by another reader, or made anew: what lies between is
// lost to this slot, and START_REPLICATION would pass over it silently.
func (i Identity) Serves(end event.LSN) bool {
	return i.Slot.Exists && i.Slot.ConfirmedFlush <= end+1 // Consistent is one below the slot's consistent point
}

// Identity asks the server who it is and where the slot stands.
func (s *Source) Identity(ctx context.Context) (Identity, error) {
	conn, err := s.connectReplication(ctx, nil)
	if err != nil {
		return Identity{}, s.explain(err)
	}
	defer conn.close()
	system, err := identify(ctx, conn)
	if err != nil {
		return Identity{}, s.explain(err)
	}
	found, err := s.inspect(ctx, conn)
	if err != nil {
		return Identity{}, s.explain(err)
	}
	if found.slot.ActivePID != 0 {
		s.hold.occupied()
	}
	s.floor.Store(uint64(found.slot.ConfirmedFlush))
	return Identity{System: system, Slot: found.slot, UsersOID: found.usersOID}, nil
}

// explain returns err as a Refusal if it is one.
func (s *Source) explain(err error) error {
	if refusal := s.refuse(err); refusal != nil {
		return refusal
	}
	return err
}

func identify(ctx context.Context, conn *replicationConn) (System, error) {
	answer, err := pglogrepl.IdentifySystem(ctx, conn.PgConn)
	if err != nil {
		return System{}, fmt.Errorf("identify the system: %w", err)
	}
	return System{Identifier: answer.SystemID, Timeline: answer.Timeline, Database: answer.DBName}, nil
}

// sameDatabase refuses when a later connection leads to another cluster, or to one whose history parted from what was
// read before position: a standby that was promoted without having had all of it.
func (s *Source) sameDatabase(ctx context.Context, conn *replicationConn, position event.LSN) error {
	now, err := identify(ctx, conn)
	if err != nil {
		return err
	}
	was := s.system
	switch {
	case was == nil:
	case was.Identifier != now.Identifier || was.Database != now.Database:
		return &Refusal{ErrOtherDatabase, fmt.Sprintf("system %s database %q, was system %s database %q",
			now.Identifier, now.Database, was.Identifier, was.Database), "correct postgres.dsn, or muster rebuild -c FILE to follow the new database", nil}
	case was.Timeline != now.Timeline:
		parted, err := s.partedAt(ctx, conn, was.Timeline, now.Timeline)
		if err != nil {
			return err
		}
		if parted < position {
			return &Refusal{ErrTimeline, fmt.Sprintf("timeline %d left timeline %d at %s, this worker has read up to %s",
				now.Timeline, was.Timeline, parted, position), "muster rebuild -c FILE, which publishes only what differs", nil}
		}
		s.log.Warn("the server was promoted; its log holds all that was read, going on", "timeline", now.Timeline, "was", was.Timeline)
	}
	s.system = &now
	return nil
}

// partedAt returns where the history of timeline now left that of was; 0 when they have none in common.
func (s *Source) partedAt(ctx context.Context, conn *replicationConn, was, now int32) (event.LSN, error) {
	history, err := pglogrepl.TimelineHistory(ctx, conn.PgConn, now)
	if err != nil {
		return 0, fmt.Errorf("read the history of timeline %d: %w", now, err)
	}
	for line := range strings.Lines(string(history.Content)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != fmt.Sprint(was) {
			continue
		}
		position, err := pglogrepl.ParseLSN(fields[1])
		if err != nil {
			return 0, fmt.Errorf("read the history of timeline %d: %w", now, err)
		}
		return event.LSN(position), nil
	}
	return 0, nil
}
