package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"muster/connectors/postgres/pgoutput"
	"muster/evaluator"
	"muster/pipeline/event"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	statusInterval = time.Second      // how soon the server learns of an acknowledgement
	pingInterval   = 10 * time.Second // how often it hears from us at least, unless its wal_sender_timeout asks for more
	silenceLimit   = 90 * time.Second // after which a connection that answers nothing is given up

	behindBy    = 20_000 // microseconds from a commit to its sending, from which on throughput counts and not latency
	smallRead   = 64 << 10
	pileUpTime  = 500 * time.Microsecond
	heldChanges = 2_000 // decoded changes that are held back while behind, so that batches are worth their handing over
	heldTime    = 10 * time.Millisecond
)

// session is one replication connection after START_REPLICATION. It belongs to one goroutine, which reads, decodes,
// delivers and writes status updates: while it waits to deliver, it goes on telling the server that it lives.
type session struct {
	source  *Source
	decoder *pgoutput.Decoder
	conn    net.Conn
	frames  *frames

	ping time.Duration // how often the server must hear from us
	wake time.Duration // how long to wait for anything before looking at what else is due

	reported   event.LSN // last acknowledgement told
	reportedAt time.Time
	heard      time.Time // last bytes from the server
	lastRead   int
	behind     bool
	heldSince  time.Time // when the first of what is held back was decoded; zero when nothing is
	idleSince  time.Time // since when only keepalives moved the server's position
}

// run streams until ctx ends or the connection fails.
func (s *session) run(ctx context.Context, out chan<- []event.Transaction) error {
	cut := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cut)
		_ = s.conn.SetReadDeadline(time.Unix(1, 0))
	})
	defer func() {
		if !stop() { // it has begun, and must not undo the deadline of whoever ends the stream
			<-cut
		}
	}()
	s.heard, s.idleSince = time.Now(), time.Now()
	err := s.status(false)
	for err == nil {
		err = s.step(ctx, out)
	}
	if !interrupted(ctx, err) {
		// What was decoded before the failure is whole and in order; going on after it is shorter than reading it again.
		err = errors.Join(err, s.deliver(ctx, out))
	}
	return err
}

// step handles one message, or, when the buffer is dry, delivers what there is and reads.
func (s *session) step(ctx context.Context, out chan<- []event.Transaction) error {
	kind, body, ok, err := s.frames.next()
	switch {
	case err != nil:
		return err
	case ok:
		if err := s.handle(ctx, kind, body); err != nil {
			return err
		}
		if s.decoder.Full() {
			return s.deliver(ctx, out)
		}
		return nil
	}
	if !s.hold() {
		if err := s.deliver(ctx, out); err != nil {
			return err
		}
	}
	return s.read(ctx)
}

// hold reports whether what is decoded should wait for more. It never does while the stream keeps up.
func (s *session) hold() bool {
	switch n := s.decoder.PendingChanges(); {
	case !s.behind || n == 0 || n >= heldChanges:
		return false
	case s.heldSince.IsZero():
		s.heldSince = time.Now()
	}
	return time.Since(s.heldSince) < heldTime
}

// read waits for bytes, not for long. When the stream is behind, it lets them pile up first: the server makes one system
// call per change for a reader that takes each at once, and both sides then spend more on that than on the work.
func (s *session) read(ctx context.Context) error {
	wait := s.wake
	if s.behind {
		wait = pileUpTime // nothing within it: not behind any more, and what is held back goes out
		if s.lastRead < smallRead {
			doze(pileUpTime)
		}
	}
	now := time.Now()
	if err := s.statusIfDue(now); err != nil {
		return err
	}
	if err := s.conn.SetReadDeadline(now.Add(wait)); err != nil {
		return fmt.Errorf("read from the replication connection: %w", err)
	}
	if ctx.Err() != nil { // after the deadline is set, or that would undo what the end of ctx has set
		return ctx.Err()
	}
	n, err := s.frames.fill()
	s.lastRead = n
	switch {
	case err == nil:
		s.heard = time.Now()
		return nil
	case !errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("read from the replication connection: %w", err)
	case ctx.Err() != nil:
		return ctx.Err()
	case time.Since(s.heard) > silenceLimit:
		return fmt.Errorf("the server has not answered for %s", silenceLimit)
	}
	s.behind = false
	return nil
}

// handle handles one message of the protocol.
func (s *session) handle(ctx context.Context, kind byte, body []byte) error {
	switch kind {
	case 'd':
		if len(body) >= 25 && body[0] == 'w' {
			sent := evaluator.Instant(binary.BigEndian.Uint64(body[17:]))
			if err := s.decoder.Decode(ctx, body[25:]); err != nil {
				return err
			}
			s.behind = int64(sent)-int64(s.decoder.CommitTime()) > behindBy
			return nil
		}
		if len(body) >= 18 && body[0] == 'k' {
			return s.keepalive(event.LSN(binary.BigEndian.Uint64(body[1:])), body[17] != 0)
		}
		return fmt.Errorf("%w: %d bytes of unknown copy data", pgoutput.ErrMalformed, len(body))
	case 'E':
		var response pgproto3.ErrorResponse
		if err := response.Decode(body); err != nil {
			return err
		}
		return fmt.Errorf("stream: %w", pgconn.ErrorResponseToPgError(&response))
	case 'N', 'S': // a notice, a changed setting
		return nil
	}
	return fmt.Errorf("the server ended the stream (message %q)", kind)
}

// deliver hands over what is decoded. While the receiver is busy the server is told that we live, and what has become
// durable meanwhile. A connection that breaks during that wait is reported only after the delivery.
func (s *session) deliver(ctx context.Context, out chan<- []event.Transaction) error {
	if !s.decoder.Pending() {
		return nil
	}
	batch := s.decoder.Take()
	s.idleSince, s.heldSince = time.Now(), time.Time{}
	s.source.gauges.decoded(s.decoder, batch)
	select {
	case out <- batch:
		return nil
	default:
	}
	ticker := time.NewTicker(s.wake)
	defer ticker.Stop()
	var broken error
	for {
		select {
		case out <- batch:
			s.heard = time.Now() // we did not listen
			return broken
		case <-ctx.Done():
			return ctx.Err()
		case now := <-ticker.C:
			if broken == nil {
				broken = s.statusIfDue(now)
			}
		}
	}
}
