package state

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
)

// logger passes Pebble's messages on. Its Fatalf is how Pebble reports a write it cannot retry; the default would
// exit the process on the spot.
type logger struct {
	log    *slog.Logger
	failed func(error)
}

func (l logger) Infof(format string, args ...any) {
	if l.log != nil {
		l.log.Debug("state: " + fmt.Sprintf(format, args...))
	}
}

func (l logger) Errorf(format string, args ...any) {
	if l.log != nil {
		l.log.Error("state: " + fmt.Sprintf(format, args...))
	}
}

// Fatalf must not return, Pebble's own invariants depend on it. The goroutine that failed ends here; whoever waits for
// its write is released by the owner of the store, which hears of the failure first.
func (l logger) Fatalf(format string, args ...any) {
	err := errors.New(fmt.Sprintf(format, args...))
	if l.failed == nil {
		panic(err)
	}
	l.failed(fmt.Errorf("state: the disk refused a write: %w", err))
	runtime.Goexit()
}
