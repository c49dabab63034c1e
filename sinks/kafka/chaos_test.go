package kafka

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
)

// action is what becomes of one request on its way to the broker and back.
type action int

const (
	pass       action = iota
	cutBefore         // the connection breaks and the request is lost
	dropAnswer        // the broker does the request, then the connection breaks
	delay             // the connection breaks; the request reaches the broker later, when release is called
	throttle          // the answer, of a produce request, says to wait
)

var errChaos = errors.New("chaos: connection reset")

// chaos sits between a producer and its connections, and decides about every request by its API key.
type chaos struct {
	decide func(key int16) action

	mu      sync.Mutex
	delayed []func() error
}

// join puts c into p's way. It must come before p's first request.
func (c *chaos) join(p *Producer) {
	dial := p.cluster.transport.Dial
	p.cluster.transport.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &chaosConn{Conn: conn, chaos: c, address: address}, nil
	}
}

// release sends the delayed requests to the broker and waits for its answers.
func (c *chaos) release(tb testing.TB) int {
	tb.Helper()
	c.mu.Lock()
	delayed := c.delayed
	c.delayed = nil
	c.mu.Unlock()
	for _, send := range delayed {
		if err := send(); err != nil {
			tb.Fatal(err)
		}
	}
	return len(delayed)
}

type chaosConn struct {
	net.Conn
	chaos   *chaos
	address string

	frame  []byte // of the request being written
	action action
	answer []byte // read ahead and not taken yet
	broken bool
}

// Write gathers one frame, then does what was decided about it.
func (c *chaosConn) Write(b []byte) (int, error) {
	if c.broken {
		return 0, errChaos
	}
	c.frame = append(c.frame, b...)
	if len(c.frame) < 6 || len(c.frame) < 4+int(binary.BigEndian.Uint32(c.frame)) {
		return len(b), nil
	}
	frame := c.frame
	c.frame = nil
	c.action = c.chaos.decide(int16(binary.BigEndian.Uint16(frame[4:])))
	switch c.action {
	case cutBefore:
		return 0, c.breakOff()
	case delay:
		c.chaos.mu.Lock()
		c.chaos.delayed = append(c.chaos.delayed, func() error { return c.sendLate(frame) })
		c.chaos.mu.Unlock()
		return 0, c.breakOff()
	}
	if _, err := c.Conn.Write(frame); err != nil {
		return 0, err
	}
	if c.action == dropAnswer {
		if _, err := readFrame(c.Conn); err != nil {
			return 0, err
		}
		return len(b), c.breakOff()
	}
	return len(b), nil
}

func (c *chaosConn) Read(b []byte) (int, error) {
	if c.broken {
		return 0, errChaos
	}
	if c.action == throttle && len(c.answer) == 0 {
		frame, err := readFrame(c.Conn)
		if err != nil {
			return 0, err
		}
		binary.BigEndian.PutUint32(frame[len(frame)-4:], 3_600_000) // an hour: throttle_time_ms ends a produce answer before version 9
		c.answer, c.action = frame, pass
	}
	if len(c.answer) > 0 {
		n := copy(b, c.answer)
		c.answer = c.answer[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

func (c *chaosConn) breakOff() error {
	c.broken = true
	c.Conn.Close()
	return errChaos
}

// sendLate is a request that was held up in the network while its connection broke.
func (c *chaosConn) sendLate(frame []byte) error {
	conn, err := net.Dial("tcp", c.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(frame); err != nil {
		return err
	}
	_, err = readFrame(conn)
	return err
}

func readFrame(r io.Reader) ([]byte, error) {
	frame := make([]byte, 4)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, err
	}
	frame = append(frame, make([]byte, binary.BigEndian.Uint32(frame))...)
	_, err := io.ReadFull(r, frame[4:])
	return frame, err
}
