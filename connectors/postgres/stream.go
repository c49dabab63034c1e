package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"muster/pipeline/event"

	"github.com/jackc/pglogrepl"
)

const (
	backoffFirst = 100 * time.Millisecond
	backoffLast  = 10 * time.Second
)

// Stream sends every transaction whose Commit is above after to out, in commit order, each batch being what could be
// decoded without waiting. With after = 0 it starts where the slot stands. It connects again by itself after whatever
// passes, going on behind the last transaction it sent, and returns nil when ctx has ended, else a *Refusal.
//
// The receiver acknowledges by Acknowledge. After Stream has returned, Close tells the server what was acknowledged last.
func (s *Source) Stream(ctx context.Context, after event.LSN, out chan<- []event.Transaction) error {
	s.streaming.Lock()
	defer s.streaming.Unlock()
	s.unpark()
	s.decoder.Seek(after)

	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.watch(ctx); err != nil {
			cancel(err)
		}
	}()
	defer func() {
		cancel(nil)
		<-done
	}()

	err := s.streamOn(ctx, out)
	var refusal *Refusal
	switch {
	case errors.As(context.Cause(ctx), &refusal):
		return refusal
	case ctx.Err() != nil:
		return nil
	}
	return err
}

// streamOn streams over one connection after another.
func (s *Source) streamOn(ctx context.Context, out chan<- []event.Transaction) error {
	backoff := backoffFirst
	for first := true; ; first = false {
		began, reached := time.Now(), s.decoder.Reached()
		err := s.streamOnce(ctx, first, out)
		s.gauges.connected.Store(false)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if refusal := s.refuse(err); refusal != nil {
			return refusal
		}
		if s.decoder.Reached() > reached || time.Since(began) > backoffLast {
			backoff = backoffFirst // it worked for a while
		}
		s.gauges.reconnects.Add(1)
		if sqlState(err) == codeObjectInUse {
			s.hold.occupied()
			s.log.Info("waiting for the replication slot, which another connection uses", "reason", err)
		} else {
			s.hold.failed(time.Now())
			s.log.Warn("replication stream interrupted, connecting again", "in", backoff, "error", err)
		}
		if !pause(ctx, backoff) {
			return ctx.Err()
		}
		backoff = min(2*backoff, backoffLast)
	}
}

// pause waits for d, give or take a fifth so that workers don't come in step, and reports false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d*4/5 + rand.N(d*2/5))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// streamOnce streams over one connection, until it fails or ctx ends. In the latter case the connection is kept for the
// last status update.
func (s *Source) streamOnce(ctx context.Context, first bool, out chan<- []event.Transaction) error {
	conn, err := s.connectReplication(ctx, nil)
	if err != nil {
		return err
	}
	session, err := s.start(ctx, conn, first)
	if err != nil {
		conn.close()
		return err
	}
	s.gauges.connected.Store(true)
	s.hold.grant()
	s.log.Info("streaming", "after", s.decoder.Reached(), "pid", conn.PID())
	err = session.run(ctx, out)
	if interrupted(ctx, err) {
		s.parked = session
		return err
	}
	_ = session.conn.Close() // it failed already
	return err
}

var errRecovering = errors.New("the server is a standby or still recovering; waiting for it to be promoted, or point postgres.dsn at the primary")

// start makes sure that the stream will miss nothing and starts it.
func (s *Source) start(ctx context.Context, conn *replicationConn, first bool) (*session, error) {
	from := s.decoder.Restart()
	// Not on conn: it would decode old rows by what it had seen of the tables as they are now. Postgres 17 then stops at
	// "could not open toast relation" or "compressed pglz data is corrupt", or crashes, after a table was written anew.
	found, err := s.inspect(ctx, poolQuerier{s.pool})
	if err != nil {
		return nil, err
	}
	if found.recovering { // its timeline is not known before it is promoted, and it takes no ticks until then
		return nil, errRecovering
	}
	if err := s.sameDatabase(ctx, conn, s.decoder.End()); err != nil {
		return nil, err
	}
	if err := s.streamable(found); err != nil {
		return nil, err
	}
	if found.position < from {
		return nil, &Refusal{ErrBehind, fmt.Sprintf("it ends at %s, this worker has read up to %s", found.position, from),
			"if an older copy of the database was put in its place, muster rebuild -c FILE, which publishes only what differs", nil}
	}
	// Whatever the slot has moved by since this worker last looked, it must have been this worker that moved it: a standby
	// that waited while another one worked lacks what that one acknowledged, and the server would not say so.
	reached := max(s.decoder.End(), event.LSN(s.acknowledged.Load()), event.LSN(s.floor.Load()))
	if confirmed := found.slot.ConfirmedFlush; reached != 0 && confirmed > reached+1 { // Consistent lies one below where its slot begins
		return nil, &Refusal{ErrSlotAdvanced, fmt.Sprintf("slot %q stands at %s, this worker has read up to %s",
			s.options.Slot, confirmed, reached), "stop the other reader of this slot, then muster rebuild -c FILE", nil}
	}
	if s.decoder.UsersOID() == 0 {
		s.decoder.SetUsersOID(found.usersOID)
	}
	err = pglogrepl.StartReplication(ctx, conn.PgConn, quote(s.options.Slot), pglogrepl.LSN(from), pglogrepl.StartReplicationOptions{
		Mode: pglogrepl.LogicalReplication,
		PluginArgs: []string{"proto_version '1'", "messages 'true'",
			"publication_names " + literal(quote(s.options.Publication))},
	})
	if err != nil {
		return nil, fmt.Errorf("start replication of slot %q at %s: %w", s.options.Slot, from, err)
	}
	// Telling the server a position before the one it has would move it back on some versions.
	s.Acknowledge(found.slot.ConfirmedFlush)
	hijacked, err := conn.Hijack()
	if err != nil {
		return nil, fmt.Errorf("start replication: %w", err)
	}
	conn.frames.widen()
	ping := pingInterval
	if found.senderTimeout > 0 {
		ping = min(ping, found.senderTimeout/3)
	}
	return &session{source: s, decoder: s.decoder, conn: hijacked.Conn, frames: conn.frames, ping: ping, wake: min(ping, statusInterval)}, nil
}

// streamable refuses what START_REPLICATION would accept and lose changes over, or say unclearly.
func (s *Source) streamable(found inspection) error {
	slot, users := found.slot, s.options.Users.table()
	switch {
	case !slot.Exists:
		return &Refusal{ErrSlotMissing, s.options.Slot, "muster rebuild -c FILE, which makes a new one and publishes only what differs", nil}
	case slot.Plugin != "pgoutput" || slot.Database != found.database || slot.Temporary:
		return &Refusal{ErrSlotForeign, fmt.Sprintf("slot %q has plugin %q and belongs to database %q", s.options.Slot, slot.Plugin, slot.Database),
			"set postgres.slot to a name of its own", nil}
	case slot.WALStatus == "lost":
		return &Refusal{ErrSlotLost, fmt.Sprintf("slot %q has wal_status lost", s.options.Slot), s.recreate(), nil}
	case found.usersOID == 0:
		return &Refusal{ErrUsersMissing, users.String(), "bring the table back or correct postgres.users.table; the slot keeps its place", nil}
	case found.lacks(s.options.Publication) != "":
		return &Refusal{ErrNotPublished, found.lacks(s.options.Publication),
			found.publish(s.options.Publication) + "; changes made meanwhile are lost to the stream, so then muster rebuild -c FILE", nil}
	}
	return nil
}

func (s *Source) unpark() {
	if s.parked != nil {
		_ = s.parked.conn.Close()
		s.parked = nil
	}
}
