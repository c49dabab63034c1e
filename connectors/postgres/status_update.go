package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"muster/evaluator"
	"muster/pipeline/event"
)

// positionLag is how far the server may read on in its log, through changes of other tables and databases, before the
// acknowledged position follows although no transaction came; and positionTime for how long.
const positionLag = 16 << 20

// keepalive handles the server's sign of life. walEnd is how far it has read and sent: no transaction whose commit lies
// before it is still to come. So that an idle database beside a busy one does not hold the log back, and a server that
// shuts down gets the acknowledgement it waits for, that position travels to the receiver as a transaction without
// changes: it is acknowledged only when the receiver has recorded it, and never ahead of what is in flight.
func (s *session) keepalive(walEnd event.LSN, reply bool) error {
	s.source.gauges.serverAt(walEnd)
	reached := max(s.decoder.Reached(), event.LSN(s.source.acknowledged.Load()))
	if !s.decoder.InTransaction() && walEnd > reached {
		idle := time.Since(s.idleSince) > 3*max(s.source.options.Heartbeat, pingInterval)
		if reply || idle || walEnd-reached > positionLag {
			s.decoder.Position(walEnd)
			s.idleSince = time.Now()
		}
	}
	if reply {
		return s.status(false)
	}
	return nil
}

// statusIfDue writes a status update when something new is acknowledged, or the server has not heard of us for a while.
func (s *session) statusIfDue(now time.Time) error {
	silent := now.Sub(s.reportedAt)
	if silent >= s.ping {
		return s.status(true)
	}
	if silent >= statusInterval && event.LSN(s.source.acknowledged.Load()) > s.reported {
		return s.status(false)
	}
	return nil
}

// status writes a status update. Written, flushed and applied are one and the same: what is durable here.
func (s *session) status(ping bool) error {
	position := s.source.acknowledged.Load()
	frame := make([]byte, 0, headerSize+34)
	frame = append(frame, 'd')
	frame = binary.BigEndian.AppendUint32(frame, 4+34)
	frame = append(frame, 'r')
	for range 3 {
		frame = binary.BigEndian.AppendUint64(frame, position)
	}
	frame = binary.BigEndian.AppendUint64(frame, uint64(evaluator.InstantOf(time.Now())))
	frame = append(frame, 0)
	if ping {
		frame[len(frame)-1] = 1
	}
	if err := s.write(frame); err != nil {
		return fmt.Errorf("write a status update: %w", err)
	}
	s.reported, s.reportedAt = event.LSN(position), time.Now()
	s.source.gauges.acknowledgedAt(event.LSN(position))
	return nil
}

func (s *session) write(frame []byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(pingInterval)); err != nil {
		return err
	}
	_, err := s.conn.Write(frame)
	return err
}

// finish writes the last status update and ends the stream in an orderly way: the server's answer to CopyDone proves that
// it has read the update.
func (s *session) finish(ctx context.Context) error {
	defer s.conn.Close()
	if err := s.status(false); err != nil {
		return err
	}
	if err := s.write([]byte{'c', 0, 0, 0, 4}); err != nil {
		return fmt.Errorf("end the stream: %w", err)
	}
	deadline, ok := ctx.Deadline()
	if limit := time.Now().Add(5 * time.Second); !ok || deadline.After(limit) {
		deadline = limit
	}
	if err := s.conn.SetReadDeadline(deadline); err != nil {
		return fmt.Errorf("end the stream: %w", err)
	}
	for {
		kind, _, ok, err := s.frames.next()
		if err == nil && !ok {
			_, err = s.frames.fill()
		}
		if err != nil {
			return fmt.Errorf("wait for the server to end the stream: %w", err)
		}
		if ok && kind == 'Z' {
			return errors.Join(s.write([]byte{'X', 0, 0, 0, 4}))
		}
	}
}
