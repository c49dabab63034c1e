package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"muster/deploy/local/lastwords"
	"muster/deploy/local/loopback"
)

// Server is a running engine.
type Server struct {
	setup     setup
	temporary bool
	log       *lastwords.Writer

	mu      sync.Mutex // guards process, over a whole start or stop
	process *process
}

// stopPatience is how long the engine may take to finish what runs. It gives up by itself before.
const stopPatience = 2 * drainPatience

// portTries is how often ports found free may turn out to be taken.
const portTries = 5

// Start fetches the engine if this machine has none yet, starts it and returns when it answers. ctx ends the starting
// only, not the engine.
func Start(ctx context.Context, o Options) (*Server, error) {
	if !ranChild {
		return nil, errNoRunChild
	}
	s := &Server{log: lastwords.New(o.Log)}
	lib, err := library(ctx, func(line string) { _, _ = fmt.Fprintln(s.log, line) })
	if err != nil {
		return nil, fmt.Errorf("start the ClickHouse engine: %w", err)
	}
	if s.temporary, err = o.place(); err != nil {
		return nil, fmt.Errorf("start the ClickHouse engine: %w", err)
	}
	s.setup = setup{Library: lib, Dir: o.Dir, Temporary: s.temporary}
	for try := 1; ; try++ {
		if s.setup.Port, s.setup.HTTPPort, err = o.ports(); err == nil {
			s.process, err = startProcess(ctx, s.setup, s.log)
		}
		if err == nil {
			return s, nil
		}
		if !errors.Is(err, errPortTaken) || o.fixed() || try == portTries {
			s.remove()
			return nil, fmt.Errorf("start the ClickHouse engine: %w", err)
		}
	}
}

// Addr is where the native protocol is served, host:port.
func (s *Server) Addr() string { return loopback.Address(s.setup.Port) }

// HTTPAddr is where HTTP is served, host:port.
func (s *Server) HTTPAddr() string { return loopback.Address(s.setup.HTTPPort) }

// Dir is the data directory.
func (s *Server) Dir() string { return s.setup.Dir }

// Stop lets what runs finish, ends the engine and removes its directory if it was a temporary one. It may be called
// again, and after Kill.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.end()
	s.remove()
	return err
}

// Kill ends the engine as a crash would, by SIGKILL, and returns when it is gone. The directory stays.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		s.process.kill()
		s.process = nil
	}
}

// Restart starts the engine again on the same directory and the same addresses, stopping it first if it runs.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.end(); err != nil && !errors.Is(err, errEnded) {
		return err
	}
	p, err := startProcess(ctx, s.setup, s.log)
	if err != nil {
		return fmt.Errorf("restart the ClickHouse engine: %w", err)
	}
	s.process = p
	return nil
}

func (s *Server) end() error {
	if s.process == nil {
		return nil
	}
	p := s.process
	s.process = nil
	return p.stop(stopPatience)
}

func (s *Server) remove() {
	if s.temporary {
		_ = os.RemoveAll(s.setup.Dir) // a temporary directory is nobody's loss
	}
}

// What the child does about statements that go on after it was told to stop.
const (
	cancelPatience = 2 * time.Second // then it cancels them
	drainPatience  = 5 * time.Second // then it gives up
)
