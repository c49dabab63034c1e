package engine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"muster/deploy/local/loopback"
)

// Options say where the engine keeps its data and where it listens. The zero value is good for a test.
type Options struct {
	Dir      string    // made when absent; "" is a temporary one that Stop removes
	Port     int       // of the native protocol; 0 is a free one
	HTTPPort int       // 0 is a free one
	Log      io.Writer // takes the lines about downloading and the engine's own; may be nil
}

// place makes the data directory ready.
func (o *Options) place() (temporary bool, err error) {
	if o.Dir == "" {
		o.Dir, err = os.MkdirTemp("", "muster-clickhouse-")
		return true, err
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return false, err
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return false, fmt.Errorf("make data directory: %w", err)
	}
	return false, nil
}

// ports chooses those that were left open. A port found free may be taken by somebody else before the child has it.
func (o Options) ports() (native, http int, err error) {
	native, http = o.Port, o.HTTPPort
	for native == 0 || native == http {
		if native, err = loopback.FreePort(); err != nil {
			return 0, 0, err
		}
	}
	for http == 0 || http == native {
		if http, err = loopback.FreePort(); err != nil {
			return 0, 0, err
		}
	}
	return native, http, nil
}

// fixed reports that trying other ports would not help.
func (o Options) fixed() bool { return o.Port != 0 && o.HTTPPort != 0 }

var errNoRunChild = errors.New("engine.RunChild was not called: call it first thing in main, and in TestMain of tests that start the engine")
