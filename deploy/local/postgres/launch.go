package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"muster/deploy/local/loopback"
	"muster/deploy/local/watchdog"
)

// chooseBinaries finds a server of the version asked for, or of the cluster that is already in Dir.
func (s *Server) chooseBinaries(ctx context.Context) (binaries, error) {
	version := s.options.Version
	if s.options.Dir != "" {
		existing, err := clusterVersion(filepath.Join(s.options.Dir, dataFolder))
		if err != nil {
			return binaries{}, err
		}
		if version != "" && existing != "" && version != existing {
			return binaries{}, fmt.Errorf("%s holds a cluster of Postgres %s and version %s is asked for; remove it or choose another folder",
				s.options.Dir, existing, version)
		}
		if existing != "" {
			version = existing
		}
	}
	return findBinaries(ctx, version, s.account, s.options.Log)
}

// open makes the folder and the cluster in it, under the watchdog's eye, and starts the server.
func (s *Server) open(ctx context.Context) (err error) {
	if err := s.openDir(); err != nil {
		return err
	}
	guarded := ""
	if s.own {
		guarded = s.dir
	}
	if s.guard, err = watchdog.Start(guarded); err != nil {
		return err
	}
	if s.log, err = os.OpenFile(filepath.Join(s.dir, logName), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644); err != nil {
		return fmt.Errorf("open Postgres's log: %w", err)
	}
	if err := s.makeCluster(ctx); err != nil {
		return err
	}
	return s.launch(ctx)
}

func (s *Server) openDir() (err error) {
	if s.options.Dir == "" {
		s.own = true
		s.dir, err = temporaryDir(s.account, s.options.Settings["fsync"] == "off")
		return err
	}
	if s.dir, err = filepath.Abs(s.options.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return fmt.Errorf("make Postgres's folder: %w", err)
	}
	return s.account.reach(s.dir)
}

const (
	portTries  = 20
	portPause  = 250 * time.Millisecond
	dataFolder = "data"
	logName    = "postgres.log"
)

// launch runs the server, on another port when a free one was lost to somebody, and on the same one, waiting for its
// release, when the port was chosen by the caller or is already known to clients.
func (s *Server) launch(ctx context.Context) error {
	fixed := s.port != 0
	for try := 0; ; try++ {
		port := s.port
		if !fixed {
			var err error
			if port, err = loopback.FreePort(); err != nil {
				return err
			}
		}
		err := s.launchOn(ctx, port)
		switch {
		case err == nil:
			s.port = port
			return nil
		case !errors.Is(err, errPortTaken) || try == portTries:
			return fmt.Errorf("start Postgres %s on %s: %w", s.binaries.version, loopback.Address(port), err)
		case fixed:
			select {
			case <-ctx.Done():
				return fmt.Errorf("wait for port %d: %w", port, ctx.Err())
			case <-time.After(portPause):
			}
		}
	}
}

func (s *Server) launchOn(ctx context.Context, port int) error {
	if err := writeSettings(s.data(), port, s.options.Settings); err != nil {
		return err
	}
	p, err := startProcess(s.binaries.dir, s.data(), s.account, s.log, s.guard)
	if err != nil {
		return err
	}
	s.process = p
	return p.ready(ctx, s.data())
}
