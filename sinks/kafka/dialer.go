package kafka

import (
	"context"
	"net"
	"sync"
	"time"
)

// dialer remembers the connections it made, so that closing the producer ends those that wait for an answer too: kafka-go
// lets them wait for their deadline, long after the caller went away.
type dialer struct {
	net net.Dialer

	mu     sync.Mutex
	closed bool
	conns  map[*conn]struct{}
}

type conn struct {
	net.Conn
	dialer *dialer
}

func newDialer() *dialer {
	return &dialer{net: net.Dialer{KeepAlive: 15 * time.Second}, conns: make(map[*conn]struct{})}
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.net.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		c.Close()
		return nil, net.ErrClosed
	}
	tracked := &conn{Conn: c, dialer: d}
	d.conns[tracked] = struct{}{}
	return tracked, nil
}

// Close closes the connection and forgets it.
func (c *conn) Close() error {
	c.dialer.mu.Lock()
	delete(c.dialer.conns, c)
	c.dialer.mu.Unlock()
	return c.Conn.Close()
}

func (d *dialer) close() {
	d.mu.Lock()
	open := d.conns
	d.conns, d.closed = nil, true
	d.mu.Unlock()
	for c := range open {
		c.Conn.Close()
	}
}
