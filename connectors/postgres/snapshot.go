package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"muster/connectors/postgres/pgoutput"
	"muster/evaluator"
	"muster/pipeline/event"

	"github.com/jackc/pgx/v5"
)

const (
	snapshotUsers = 5_000   // at most, in one chunk
	snapshotBytes = 4 << 20 // of their rows, beyond which a chunk ends
	snapshotRows  = 5_000   // static members in one chunk
)

// Snapshot makes the slot if it is absent and emits the source as it was at one point of the log: definitions, static
// members, then users by key, so that Stream after the first chunk's Consistent misses nothing and repeats nothing. It
// reads no faster than emit returns. An error of emit, or the end of ctx, ends it; it may then go on later behind the last
// chunk that emit took, under a newer snapshot (see event.SnapshotChunk.Consistent), or begin anew. That is worth trying
// where event.ErrUnreachable is in the error.
func (s *Source) Snapshot(ctx context.Context, resume event.SnapshotResume, emit func(context.Context, event.SnapshotChunk) error) error {
	s.streaming.Lock()
	defer s.streaming.Unlock()
	s.unpark()
	var refused error // by emit, whatever it is
	err := s.snapshot(ctx, resume, func(ctx context.Context, chunk event.SnapshotChunk) error {
		refused = emit(ctx, chunk)
		return refused
	})
	if err != nil && refused == nil && passes(err) {
		return event.Unreachable(err)
	}
	return err
}

func (s *Source) snapshot(ctx context.Context, resume event.SnapshotResume, emit func(context.Context, event.SnapshotChunk) error) error {
	if err := s.Prepare(ctx); err != nil {
		return err
	}
	for {
		export, err := s.exportSnapshot(ctx, resume)
		if err != nil {
			return s.explain(err)
		}
		if err := s.read(ctx, export, s.decoder, resume, emit); !errors.Is(err, errReshaped) {
			return err
		}
		s.log.Info("taking another snapshot: the users table was altered while this one was made")
	}
}

// Beside emits a whole snapshot without touching the slot, or waiting for whoever streams from it: under a temporary slot,
// at a point of its own. It is for comparing: what is known at exactly the chunks' Consistent has to be the same. It may
// run beside Stream.
func (s *Source) Beside(ctx context.Context, emit func(context.Context, event.SnapshotChunk) error) error {
	for {
		export, err := s.export(ctx, func(*replicationConn) (string, error) { return temporarySlot(), nil })
		if err != nil {
			return s.explain(err)
		}
		if err := s.read(ctx, export, s.newDecoder(), event.SnapshotResume{}, emit); !errors.Is(err, errReshaped) {
			return err
		}
	}
}

// read emits what the exported snapshot holds. The decoder makes the rows.
func (s *Source) read(ctx context.Context, export *exported, decoder *pgoutput.Decoder, resume event.SnapshotResume, emit func(context.Context, event.SnapshotChunk) error) error {
	reader, err := s.readSnapshot(ctx, export)
	if err != nil {
		return s.explain(err)
	}
	defer reader.close()
	reader.decoder, reader.emit = decoder, emit
	return s.explain(reader.run(ctx, resume))
}

// snapshotReader reads under one exported snapshot.
type snapshotReader struct {
	source  *Source
	decoder *pgoutput.Decoder
	conn    *pgx.Conn
	emit    func(context.Context, event.SnapshotChunk) error
	base    event.SnapshotChunk // what all chunks share
}

// readSnapshot takes the exported snapshot over on an ordinary connection, which then keeps it alive by itself.
func (s *Source) readSnapshot(ctx context.Context, export *exported) (*snapshotReader, error) {
	defer export.conn.close() // drops a temporary slot, too
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("connect for the snapshot: %w", err)
	}
	r := &snapshotReader{source: s, conn: conn}
	for _, statement := range []string{
		`BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY`,
		`SET TRANSACTION SNAPSHOT ` + literal(export.name),
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			r.close()
			return nil, fmt.Errorf("take over the slot's snapshot: %w", err)
		}
	}
	var now time.Time
	if err := conn.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now); err != nil {
		r.close()
		return nil, fmt.Errorf("read the server's clock: %w", err)
	}
	// A commit record may begin exactly at the consistent point, and is then streamed.
	r.base = event.SnapshotChunk{Consistent: export.consistent - 1, Time: evaluator.InstantOf(now)}
	s.log.Info("reading a snapshot", "consistent", export.consistent)
	return r, nil
}

func (r *snapshotReader) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = r.conn.Close(ctx) // it only read
}

func (r *snapshotReader) run(ctx context.Context, resume event.SnapshotResume) error {
	scan, err := r.plan(ctx, resume.AfterKey)
	if err != nil {
		return err
	}
	if !resume.Started {
		if err := r.definitions(ctx); err != nil {
			return err
		}
	}
	if !resume.Members {
		if err := r.members(ctx); err != nil {
			return err
		}
	}
	r.base.After = resume.AfterKey
	return r.users(ctx, scan)
}

// definitions emits the latest version of each audience, in one chunk: there are never more than one worker holds.
func (r *snapshotReader) definitions(ctx context.Context) error {
	definitions, err := latestDefinitions(ctx, r.conn, r.source.options.Schema, r.source.options.Environment)
	if err != nil {
		return err
	}
	chunk := r.base
	chunk.Definitions = definitions
	return r.emit(ctx, chunk)
}

// members emits the static members.
func (r *snapshotReader) members(ctx context.Context) error {
	rows, err := r.conn.Query(ctx, `SELECT audience, user_id, tenant, added_at FROM `+tableName{r.source.options.Schema, "members"}.quoted()+`
 WHERE environment = $1 ORDER BY audience, user_id, tenant`, r.source.options.Environment)
	if err != nil {
		return fmt.Errorf("read the static members: %w", err)
	}
	defer rows.Close()
	chunk := r.base
	flush := func() error {
		if len(chunk.Members) == 0 {
			return nil
		}
		full := chunk
		chunk.Members = nil
		return r.emit(ctx, full)
	}
	for rows.Next() {
		var m event.Member
		var added time.Time
		if err := rows.Scan(&m.Audience, &m.User, &m.Tenant, &added); err != nil {
			return fmt.Errorf("read the static members: %w", err)
		}
		m.AddedAt = evaluator.InstantOf(added)
		chunk.Members = append(chunk.Members, m)
		if len(chunk.Members) == snapshotRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the static members: %w", err)
	}
	return flush()
}
