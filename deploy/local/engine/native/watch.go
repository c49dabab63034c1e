package native

import (
	"context"
	"time"
)

// past is a deadline that has been missed.
var past = time.Unix(1, 0)

// watch listens to the client while a statement runs, and cancels the statement when the client says so or leaves. It is
// over when stop has returned; a packet that came meanwhile is kept for later.
func (c *connection) watch() (stop func()) {
	running, finish := context.WithCancel(context.Background())
	done := make(chan struct{})
	c.server.group.Go(func() {
		defer close(done)
		code, err := c.in.uvarint()
		switch {
		case err == nil && code != clientCancel:
			c.pushed = append(c.pushed, code)
		case running.Err() == nil:
			c.session.Cancel(running)
		}
	})
	return func() {
		finish()
		_ = c.conn.SetReadDeadline(past) // wakes the listener; on a closed connection it is awake
		<-done
		_ = c.conn.SetReadDeadline(time.Time{})
	}
}
