//go:build unix

package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// pair is a socket and the other end of its connection.
func pair(t *testing.T) (*socket, net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	conn, err := dialSocket(context.Background(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(); _ = peer.Close() })
	return conn.(*socket), peer
}

func TestSocketCarriesBytesBothWaysAndEnds(t *testing.T) {
	t.Parallel()
	s, peer := pair(t)
	sent := bytes.Repeat([]byte("0123456789"), 1<<20) // more than the buffers hold: both sides wait
	var group sync.WaitGroup
	group.Go(func() {
		if n, err := s.Write(sent); err != nil || n != len(sent) {
			t.Errorf("wrote %d: %v", n, err)
		}
	})
	group.Go(func() { _, _ = peer.Write(sent); _ = peer.(*net.TCPConn).CloseWrite() })
	group.Go(func() {
		got := make([]byte, len(sent))
		if _, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got, sent) {
			t.Errorf("the peer got something else: %v", err)
		}
	})
	got, err := io.ReadAll(s)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
	group.Wait()
	if n, err := s.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the end: %d, %v", n, err)
	}
	if s.RemoteAddr().String() != peer.LocalAddr().String() || s.LocalAddr().String() != peer.RemoteAddr().String() {
		t.Errorf("addresses %s, %s", s.LocalAddr(), s.RemoteAddr())
	}
}

func TestSocketDeadlines(t *testing.T) {
	t.Parallel()
	s, peer := pair(t)
	buffer := make([]byte, 10)
	_ = s.SetReadDeadline(time.Now().Add(time.Millisecond))
	if _, err := s.Read(buffer); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a read that waits until its deadline: %v", err)
	}
	_ = s.SetReadDeadline(time.Now().Add(time.Hour))
	if _, err := peer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Read(buffer); n != 1 || err != nil {
		t.Errorf("before the deadline: %d, %v", n, err)
	}
	// The end of a context moves the deadline while the read waits.
	for range 200 {
		_ = s.SetReadDeadline(time.Now().Add(time.Hour))
		var group sync.WaitGroup
		group.Go(func() { _ = s.SetReadDeadline(time.Unix(1, 0)) })
		if _, err := s.Read(buffer); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("a read whose deadline is moved: %v", err)
		}
		group.Wait()
	}
	_ = s.SetDeadline(time.Time{})
	if _, err := peer.Write([]byte("y")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Read(buffer); n != 1 || err != nil {
		t.Errorf("without a deadline: %d, %v", n, err)
	}
	more := make([]byte, 64<<20)                                   // than buffers hold; made before, since it takes a while on a busy machine
	_ = s.SetWriteDeadline(time.Now().Add(500 * time.Millisecond)) // enough to begin writing
	if n, err := s.Write(more); !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 {
		t.Errorf("a write that nobody reads: %d, %v", n, err)
	}
}

func TestSocketCloseEndsWaits(t *testing.T) {
	t.Parallel()
	for range 50 {
		s, peer := pair(t)
		var group sync.WaitGroup
		group.Go(func() {
			if _, err := s.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) && err != io.EOF {
				t.Errorf("a read: %v", err)
			}
		})
		group.Go(func() {
			if _, err := s.Write(make([]byte, 64<<20)); err == nil {
				t.Error("a write went through")
			}
		})
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		group.Wait()
		if err := s.Close(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed twice: %v", err)
		}
		if _, err := s.Read(nil); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a read after: %v", err)
		}
		if err := s.SetReadDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("a deadline after: %v", err)
		}
		if _, err := io.Copy(io.Discard, peer); err != nil && !errors.Is(err, net.ErrClosed) {
			// The peer must see the end, however: orderly, or by a reset because of what was not read.
			var operation *net.OpError
			if !errors.As(err, &operation) {
				t.Errorf("the peer: %v", err)
			}
		}
	}
}

func TestSocketsGiveTheirDescriptorsBack(t *testing.T) {
	count := func() int {
		entries, err := os.ReadDir("/dev/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	before := count()
	for range 30 {
		conn, err := dialSocket(context.Background(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		peer, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(conn.Close(), peer.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if after := count(); after > before+5 {
		t.Errorf("%d descriptors, were %d", after, before)
	}
}
