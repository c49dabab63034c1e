package app

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"muster/connectors/api"
)

const (
	firstPause   = 500 * time.Millisecond
	longestPause = 10 * time.Second
)

// patiently repeats what needs the database until it succeeds, ctx ends, or it fails for a reason that waiting does not
// mend. A worker that starts while Postgres is away, or restarts, is not broken: it waits.
func (w *Worker) patiently(ctx context.Context, work func(context.Context) error) error {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		err := work(ctx)
		if err == nil || ctx.Err() != nil || !passes(err) {
			return err
		}
		w.log.Warn("Postgres cannot be used now; waiting for it", "retry_in", pause.String(), "error", err)
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
	}
}

// passes reports whether an error is of a connection or of a server that is starting or stopping.
func passes(err error) bool {
	var network net.Error
	return classify(err) == api.Unavailable || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || err.Error() == "conn closed"
}
