//go:build unix

package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socket is a connection that Go's network poller does not know. The server sends a segment for each change, and each
// would wake the poller, whether anybody is reading or not: that costs several times what decoding does, on both sides. A
// reader of a socket waits in poll(2) instead, on a thread of its own, and is woken only while it waits.
type socket struct {
	addresses   net.Conn // closed; for what it remembers
	fd          int
	read, write side

	mu     sync.Mutex
	users  int // calls that hold fd
	closed bool
}

// dialSocket dials like the driver would.
func dialSocket(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	filer, ok := conn.(interface{ File() (*os.File, error) })
	if !ok {
		return conn, nil
	}
	s, err := newSocket(conn, filer.File)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("take the connection out of the network poller: %w", err)
	}
	return s, nil
}

func newSocket(conn net.Conn, duplicate func() (*os.File, error)) (*socket, error) {
	file, err := duplicate()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0) // one that no finalizer closes
	if err != nil {
		return nil, err
	}
	s := &socket{addresses: conn, fd: fd}
	if err := errors.Join(unix.SetNonblock(fd, true), s.read.open(), s.write.open()); err != nil {
		s.release()
		return nil, err
	}
	return s, conn.Close() // the connection lives on in its duplicate
}

// Read implements net.Conn.
func (s *socket) Read(p []byte) (int, error) {
	n, err := s.work(&s.read, unix.POLLIN, func() (int, error) { return unix.Read(s.fd, p) })
	if n == 0 && err == nil && len(p) > 0 {
		return 0, io.EOF
	}
	return n, err
}

// Write implements net.Conn.
func (s *socket) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := s.work(&s.write, unix.POLLOUT, func() (int, error) { return unix.Write(s.fd, p[done:]) })
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// work tries, and waits while the socket is not ready.
func (s *socket) work(side *side, events int16, try func() (int, error)) (int, error) {
	if !s.acquire() {
		return 0, net.ErrClosed
	}
	defer s.leave()
	for !side.expired() {
		n, err := try()
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EINTR):
			continue
		case !errors.Is(err, syscall.EAGAIN):
			return 0, os.NewSyscallError("socket", err)
		}
		if s.isClosed() {
			return 0, net.ErrClosed
		}
		if err := side.wait(s.fd, events); err != nil {
			return 0, os.NewSyscallError("poll", err)
		}
	}
	return 0, os.ErrDeadlineExceeded
}

func (s *socket) acquire() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.users++
	}
	return !s.closed
}

func (s *socket) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users--; s.closed && s.users == 0 {
		s.release()
	}
}

func (s *socket) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// release gives the descriptors back, once nobody uses them.
func (s *socket) release() {
	_ = unix.Close(s.fd)
	s.read.close()
	s.write.close()
}

// Close implements net.Conn. Calls that wait return.
func (s *socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	s.closed = true
	if s.users == 0 {
		s.release()
		return nil
	}
	_ = unix.Shutdown(s.fd, unix.SHUT_RDWR) // the peer learns of it at once
	s.read.wake()
	s.write.wake()
	return nil
}

// LocalAddr implements net.Conn.
func (s *socket) LocalAddr() net.Addr { return s.addresses.LocalAddr() }

// RemoteAddr implements net.Conn.
func (s *socket) RemoteAddr() net.Addr { return s.addresses.RemoteAddr() }

// SetDeadline implements net.Conn.
func (s *socket) SetDeadline(t time.Time) error {
	return errors.Join(s.SetReadDeadline(t), s.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (s *socket) SetReadDeadline(t time.Time) error { return s.set(&s.read, t) }

// SetWriteDeadline implements net.Conn.
func (s *socket) SetWriteDeadline(t time.Time) error { return s.set(&s.write, t) }

func (s *socket) set(side *side, t time.Time) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.leave()
	side.set(t)
	return nil
}

// side is one direction of a socket: its deadline, and a pipe that ends a wait early.
type side struct {
	deadline atomic.Int64 // Unix nanoseconds, 0 for none
	waiting  atomic.Bool
	pipe     [2]int // read end, write end
	opened   bool
}

func (d *side) open() error {
	if err := unix.Pipe(d.pipe[:]); err != nil {
		return err
	}
	d.opened = true
	for _, fd := range d.pipe {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			return err
		}
	}
	return nil
}

func (d *side) close() {
	if d.opened {
		_, _ = unix.Close(d.pipe[0]), unix.Close(d.pipe[1])
	}
}

func (d *side) set(t time.Time) {
	at := int64(0)
	if !t.IsZero() {
		at = max(t.UnixNano(), 1)
	}
	d.deadline.Store(at)
	if d.waiting.Load() { // after the store: a wait that begins now sees the new deadline
		d.wake()
	}
}

func (d *side) wake() { _, _ = unix.Write(d.pipe[1], []byte{0}) } // a full pipe wakes as well

func (d *side) expired() bool {
	at := d.deadline.Load()
	return at != 0 && time.Now().UnixNano() >= at
}

// wait returns when the descriptor may be ready, the deadline has passed or moved, or wake was called.
func (d *side) wait(fd int, events int16) error {
	d.waiting.Store(true)
	defer d.waiting.Store(false)
	timeout := -1
	if at := d.deadline.Load(); at != 0 {
		left := time.Duration(at - time.Now().UnixNano())
		timeout = int(max(0, min((left+time.Millisecond-1)/time.Millisecond, 1<<30)))
	}
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}, {Fd: int32(d.pipe[0]), Events: unix.POLLIN}}
	if _, err := unix.Poll(fds, timeout); err != nil && !errors.Is(err, syscall.EINTR) {
		return err
	}
	if fds[1].Revents != 0 {
		var drained [64]byte
		_, _ = unix.Read(d.pipe[0], drained[:])
	}
	return nil
}

// doze blocks for about d, on the thread itself: for half a millisecond Go's timers cost as much as what they wait for. A
// signal may end it early.
func doze(d time.Duration) {
	timeout := unix.NsecToTimeval(int64(d))
	_, _ = unix.Select(0, nil, nil, nil, &timeout)
}
