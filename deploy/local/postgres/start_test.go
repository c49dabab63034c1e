package postgres

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/deploy/local/loopback"
)

func TestStartFails(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", loopback.Host+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	foreign := enterable(t)
	if err := os.MkdirAll(filepath.Join(foreign, dataFolder, "family-photos"), 0o755); err != nil {
		t.Fatal(err)
	}
	closed := filepath.Join(enterable(t), "closed")
	if err := os.MkdirAll(closed, 0o600); err != nil {
		t.Fatal(err)
	}
	port := taken.Addr().(*net.TCPAddr).Port
	for _, tt := range []struct {
		name    string
		options Options
		limit   time.Duration
		want    string
	}{
		{"a version too old", Options{Version: "9.6"}, time.Minute, `Postgres version "9.6"`},
		{"a setting Postgres refuses", Options{Settings: map[string]string{"work_mem": "plenty"}}, time.Minute, "work_mem"},
		{"a setting that is no name", Options{Settings: map[string]string{"a b": "1"}}, time.Minute, `"a b"`},
		{"a setting of two lines", Options{Settings: map[string]string{"work_mem": "1MB\nfsync = off"}}, time.Minute, "work_mem"},
		{"a taken port", Options{Port: port}, time.Minute, strconv.Itoa(port)},
		{"a data folder of something else", Options{Dir: foreign}, time.Minute, filepath.Join(foreign, dataFolder)},
		{"a folder nobody may enter", Options{Dir: closed}, time.Minute, closed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), tt.limit)
			defer cancel()
			s, err := Start(ctx, tt.options)
			if err == nil {
				_ = s.Stop()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error does not name %s: %v", tt.want, err)
			}
			if tt.options.Dir == foreign && !exists(t, filepath.Join(foreign, dataFolder, "family-photos")) {
				t.Error("somebody else's folder was emptied")
			}
		})
	}
}

// A client's own connection may hold the port of a server that is down. It lets go of it in time.
func TestStartWaitsForItsPort(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", loopback.Host+":0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	dir := enterable(t)
	options := Options{Dir: dir, Port: taken.Addr().(*net.TCPAddr).Port}
	started := make(chan error, 1)
	go func() {
		s, err := Start(t.Context(), options)
		if err == nil {
			err = s.Stop()
		}
		started <- err
	}()
	until(t, "the server finds its port taken", func() bool {
		log, _ := os.ReadFile(filepath.Join(dir, logName))
		return strings.Contains(string(log), "could not bind")
	})
	if err := taken.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Error(err)
	}
}
