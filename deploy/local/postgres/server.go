package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"muster/deploy/local/loopback"
	"muster/deploy/local/watchdog"
)

// Options of a server. The zero value is a server of any version in a folder of its own.
type Options struct {
	// Version is the major version wanted ("15", "17"), or "" for whatever is found first.
	Version string
	// Dir keeps the data and the log, and is made when absent; a cluster already there is used again. "" is a temporary
	// folder that Stop removes, in memory (/dev/shm) when fsync is off and there is plenty.
	Dir string
	// Settings are lines of postgresql.conf on top of this package's (tests set fsync to off).
	Settings map[string]string
	// Port to listen on; 0 is a free one.
	Port int
	// Log is told what takes long, such as downloads. It may be nil.
	Log func(line string)
}

// Database and User of every server made here. Connections from this machine need no password.
const (
	Database = "muster"
	User     = "postgres"
)

// Server is a running Postgres. Its methods may be called from any goroutine.
type Server struct {
	binaries binaries
	account  account
	options  Options
	dir      string // holds the data folder and the log
	own      bool   // dir was made by Start and goes at Stop
	log      *os.File
	guard    *watchdog.Watchdog

	mu      sync.Mutex
	port    int
	process *process // the latest run
	stopped bool
}

// Start makes a cluster and returns when it accepts connections. ctx bounds the start, downloads included, and not the
// life of the server.
func Start(ctx context.Context, options Options) (*Server, error) {
	if options.Log == nil {
		options.Log = func(string) {}
	}
	s := &Server{options: options, account: chooseAccount(), port: options.Port}
	var err error
	if s.binaries, err = s.chooseBinaries(ctx); err != nil {
		return nil, err
	}
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

func (s *Server) data() string { return filepath.Join(s.dir, dataFolder) }

// DSN is the connection string of the database muster as superuser.
func (s *Server) DSN() string {
	return fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", User, loopback.Address(s.Port()), Database)
}

// Port the server listens on, the same for its whole life.
func (s *Server) Port() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.port
}

// BinDir is the folder of the server's programs. Portable binaries hold no psql.
func (s *Server) BinDir() string { return s.binaries.dir }

// Version is the server's, such as 17.10.
func (s *Server) Version() string { return s.binaries.version }

// Kill ends every process of the server by SIGKILL, as a crash of the machine would, and waits until they are gone.
// The data stays for Restart.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process != nil {
		s.process.stop(crash)
	}
}

// Restart stops the server if it runs (a fast shutdown, with a checkpoint) and starts it again on the same port and data.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errors.New("restart Postgres: it was stopped for good")
	}
	s.process.stop(fast)
	return s.launch(ctx)
}

// Stop ends the server, waits for all of its processes, and removes the folder if Start made it. It may be called again.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	ladder := fast
	if s.own {
		ladder = immediate // a checkpoint of data about to be removed would be for nothing
	}
	if s.process != nil {
		s.process.stop(ladder)
	}
	return s.clear()
}

// clear gives back what the server held outside its processes.
func (s *Server) clear() error {
	var faults []error
	if s.log != nil {
		faults = append(faults, s.log.Close())
	}
	if s.dir != "" {
		faults = append(faults, removeSharedMemory(s.data()))
	}
	if s.own && s.dir != "" {
		faults = append(faults, os.RemoveAll(s.dir))
	}
	if s.guard != nil {
		s.guard.Release() // last: it would do the same if this process died in between
	}
	return errors.Join(faults...)
}
