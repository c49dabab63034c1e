package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"muster/config"
	"muster/connectors/api"
	"muster/connectors/postgres"
	"muster/pipeline"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// verifier compares the state with a snapshot of the database and with ClickHouse.
type verifier struct {
	config   *config.Config
	log      *slog.Logger
	source   *postgres.Source
	pipeline *pipeline.Pipeline
	ending   <-chan struct{} // closed when the worker stops
}

const (
	verifyAttempts = 4
	verifyLag      = 250 * time.Millisecond // doubled four times over with each attempt
)

// ErrMoving is returned when definitions keep changing, so that no user's memberships stand still enough to be compared.
var ErrMoving = errors.New("the definitions in force are just changing and not every user has come to them yet; try again when the backfill is over")

// Verify implements api.Verifier.
func (v verifier) Verify(ctx context.Context, progress func(api.VerifyProgress)) (*api.Verified, error) {
	began := time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	watch := make(chan struct{})
	go func() {
		defer close(watch)
		select {
		case <-v.ending:
			cancel(pipeline.ErrStopped)
		case <-ctx.Done():
		}
	}()
	defer func() {
		cancel(nil)
		<-watch
	}()
	for attempt := range verifyAttempts {
		progress(api.VerifyProgress{Step: "snapshot"})
		c, err := v.compare(ctx, verifyLag<<(2*attempt), progress)
		if errors.Is(err, pipeline.ErrPassed) {
			continue // the server was slower to make the snapshot than the worker to pass it
		}
		if err != nil {
			return nil, err
		}
		c.result.TookMS = time.Since(began).Milliseconds()
		return &c.result, nil
	}
	return nil, fmt.Errorf("the worker has passed the snapshot's point %d times over: %w; try again when the database is less busy", verifyAttempts, pipeline.ErrPassed)
}

// compare takes a snapshot of the database beside the stream, the state at exactly its point, and compares.
func (v verifier) compare(ctx context.Context, lag time.Duration, progress func(api.VerifyProgress)) (*comparison, error) {
	release := v.pipeline.Lag(lag)
	defer release()
	var c *comparison
	defer func() {
		if c != nil {
			c.close(v.log)
		}
	}()
	err := v.source.Beside(ctx, func(ctx context.Context, chunk event.SnapshotChunk) error {
		if c == nil {
			reading, err := v.at(ctx, chunk.Consistent)
			release()
			if err != nil {
				return err
			}
			if c, err = newComparison(reading, max(v.config.Evaluator.Workers, 1)); err != nil {
				return err
			}
		}
		if err := c.chunk(ctx, &chunk); err != nil {
			return err
		}
		progress(api.VerifyProgress{Step: "users", Users: chunk.Rows, Total: max(chunk.Total, chunk.Rows)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	progress(api.VerifyProgress{Step: "history", Users: c.result.Users, Total: c.result.Users})
	return c, c.conclude(ctx, v.config, v.log)
}

// at returns the state at a point of the log. An empty transaction sees to it that something comes after that.
func (v verifier) at(ctx context.Context, point event.LSN) (*pipeline.Reading, error) {
	if _, err := v.source.Tick(ctx, 0); err != nil {
		return nil, err
	}
	reading, err := v.pipeline.ReadAt(ctx, point)
	if err != nil {
		return nil, err
	}
	if reading.Backfilling() {
		return nil, errors.Join(ErrMoving, reading.Close())
	}
	return reading, nil
}

// Verify compares the state that no worker runs on. It brings the state up to the snapshot first, as the next start
// would, and leaves the events of that to the sinks of the next start.
func Verify(ctx context.Context, c *config.Config, log *slog.Logger, progress func(api.VerifyProgress)) (verified *api.Verified, err error) {
	failed := newBroken()
	err = failed.unless("mend the disk and verify again", func() (err error) {
		verified, err = verifyStopped(ctx, c, log, progress, failed)
		return err
	})
	if err != nil {
		return nil, err
	}
	return verified, nil
}

func verifyStopped(ctx context.Context, c *config.Config, log *slog.Logger, progress func(api.VerifyProgress), failed broken) (*api.Verified, error) {
	store, err := state.Open(c.State.Dir, state.Options{Logger: log, Failed: failed.tell})
	if err != nil {
		return nil, err
	}
	source, err := NewSource(c, log)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	compiler := newCompiler(log)
	w := &Worker{config: c, log: log, source: source, store: store, closers: []func() error{store.Close, func() error { compiler.Close(); return nil }}}
	w.pipeline = pipeline.New(store, source, compiler, pipeline.Options{
		Environment: c.Environment, Workers: c.Evaluator.Workers, OutboxLimit: int64(c.Outbox.MaxBytes), Logger: log,
	})
	result, err := w.verifyAlone(ctx, progress)
	return result, errors.Join(err, w.close())
}

// ErrNoState is returned when there is nothing to verify.
var ErrNoState = errors.New("there is no complete state to verify; `muster run` makes one")

func (w *Worker) verifyAlone(ctx context.Context, progress func(api.VerifyProgress)) (*api.Verified, error) {
	head, err := w.store.Head()
	switch {
	case err != nil:
		return nil, err
	case head.Position == 0 || head.Snapshot.Running:
		return nil, fmt.Errorf("%w (%s)", ErrNoState, w.config.State.Dir)
	}
	if err := w.identify(ctx); err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	var broken error
	go func() {
		defer close(ended)
		broken = w.pipeline.Run(running, 0)
	}()
	v := verifier{config: w.config, log: w.log, source: w.source, pipeline: w.pipeline, ending: ended}
	result, err := v.Verify(ctx, progress)
	cancel()
	<-ended
	return result, errors.Join(err, broken)
}
