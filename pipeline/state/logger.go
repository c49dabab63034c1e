package state

import (
	"fmt"
	"log/slog"
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

// Fatalf does not return.
func (l logger) Fatalf(format string, args ...any) {
	l.failed(fmt.Errorf(format, args...))
}
