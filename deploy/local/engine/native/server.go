package native

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"runtime/debug"
	"sync"

	"muster/deploy/local/engine/session"
)

// Server serves an engine on one listener.
type Server struct {
	engine   *session.Engine
	listener net.Listener
	log      *log.Logger

	group sync.WaitGroup
	mu    sync.Mutex
	open  map[net.Conn]bool // connections, true while a statement runs
	down  bool
}

// Serve starts to serve; Stop ends it.
func Serve(engine *session.Engine, listener net.Listener, logger *log.Logger) *Server {
	s := &Server{engine: engine, listener: listener, log: logger, open: map[net.Conn]bool{}}
	s.group.Go(s.accept)
	return s
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				s.log.Printf("native protocol: accept: %v", err)
			}
			return
		}
		if !s.add(conn) {
			_ = conn.Close()
			continue
		}
		s.group.Go(func() { s.serve(conn) })
	}
}

// serve runs one connection. Whatever goes wrong in it, a panic too, ends this connection and nothing else.
func (s *Server) serve(conn net.Conn) {
	defer s.remove(conn)
	defer func() {
		if p := recover(); p != nil {
			s.log.Printf("native protocol: panic: %v\n%s", p, debug.Stack())
		}
	}()
	c := &connection{server: s, conn: conn, in: newInput(conn), out: output{w: conn}}
	var fault *protocolError
	if err := c.run(); errors.As(err, &fault) && !isGone(err) {
		s.log.Printf("native protocol: %v", err)
	}
}

// Stop takes no more connections and no more statements, closes idle connections, and waits for what runs.
func (s *Server) Stop() {
	_ = s.listener.Close()
	s.mu.Lock()
	s.down = true
	for conn, busy := range s.open {
		if !busy {
			_ = conn.Close()
		}
	}
	s.mu.Unlock()
	s.group.Wait()
}

func (s *Server) add(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		return false
	}
	s.open[conn] = false
	return true
}

func (s *Server) remove(conn net.Conn) {
	_ = conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
}

// errDown ends a connection when the server stops.
var errDown = errors.New("the engine is stopping")

// busy marks a connection as running a statement, or no longer. It fails when the server stops.
func (s *Server) busy(conn net.Conn, busy bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[conn] = busy
	if s.down {
		return errDown
	}
	return nil
}

// isGone reports whether the client has merely left, or the server has been told to stop.
func isGone(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) || errors.Is(err, errDown) || errors.As(err, &op)
}

// protocolError is a fault of the client after which the stream of packets cannot be followed any more.
type protocolError struct{ err error }

func (e *protocolError) Error() string { return fmt.Sprintf("bad packet from client: %v", e.err) }
func (e *protocolError) Unwrap() error { return e.err }
