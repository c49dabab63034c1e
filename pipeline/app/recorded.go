package app

import (
	"context"
	"log/slog"
	"sync"

	"muster/config"
	"muster/connectors/postgres"
	"muster/evaluator"
	"muster/pipeline"
	"muster/pipeline/event"
	"muster/sinks/clickhouse"
)

// recorder keeps the versions of all audiences on record in ClickHouse, for those who read the history there. It writes all
// versions at each start, since writing one again changes nothing, and new ones when they come into force. Nothing waits for it.
type recorder struct {
	sink     *clickhouse.Sink // of its own: a sink is used by one goroutine
	ready    <-chan struct{}  // closed when the pipeline's sink has made the tables
	control  *postgres.Control
	pipeline *pipeline.Pipeline
	config   *config.Config
	log      *slog.Logger
}

// announcing is a sink that tells when it has recovered for the first time. Until then nobody else may touch what it
// prepares: two that migrate one schema at once do everything twice, and a worker that stands by touches nothing at all.
type announcing struct {
	historian
	recovered func()
}

// historian is a sink that knows the last event it holds.
type historian interface {
	pipeline.Sink
	LastSequence() uint64
}

func announce(sink historian) (*announcing, <-chan struct{}) {
	ready := make(chan struct{})
	return &announcing{sink, sync.OnceFunc(func() { close(ready) })}, ready
}

// Recover implements pipeline.Sink.
func (a *announcing) Recover(ctx context.Context) error {
	err := a.historian.Recover(ctx)
	if err == nil {
		a.recovered()
	}
	return err
}

// newRecorder returns nil where there is no ClickHouse.
func (w *Worker) newRecorder() (*recorder, error) {
	if !w.config.ClickHouse.Enabled {
		return nil, nil
	}
	o, err := ClickHouseOptions(w.config, w.log)
	if err != nil {
		return nil, err
	}
	sink, err := clickhouse.New(o)
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, sink.Close)
	return &recorder{sink, w.tables, w.control, w.pipeline, w.config, w.log}, nil
}

// run records until ctx ends.
func (r *recorder) run(ctx context.Context) {
	if r == nil {
		return
	}
	if err := r.record(ctx); ctx.Err() == nil { // it goes on until it fails
		r.log.Error("the versions of audiences are no longer recorded in ClickHouse; the next start records those that are missing", "error", err)
	}
}

func (r *recorder) record(ctx context.Context) error {
	if err := r.pipeline.AwaitGeneration(ctx, 0); err != nil {
		return err
	}
	select {
	case <-r.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	last, generation := uint64(0), uint64(0)
	for {
		generation = r.pipeline.Status().Generation
		var err error
		if last, err = r.since(ctx, last); err != nil {
			return err
		}
		if err := r.pipeline.AwaitGeneration(ctx, generation); err != nil {
			return err
		}
	}
}

// since records the commits behind one and returns the last.
func (r *recorder) since(ctx context.Context, last uint64) (uint64, error) {
	const page = 500
	for {
		commits, err := r.control.ListCommits(ctx, event.CommitFilter{Environment: r.config.Environment}, last, true, page)
		if err != nil {
			if ctx.Err() != nil {
				return last, err
			}
			r.log.Warn("the commits of definitions cannot be read for the record in ClickHouse; they are with the next one", "error", err)
			return last, nil
		}
		versions := make([]clickhouse.Definition, len(commits))
		for i := range commits {
			versions[i] = clickhouse.Definition{Definition: commits[i].Definition, CommittedAt: evaluator.InstantOf(commits[i].CreatedAt)}
			last = commits[i].ID
		}
		if err := r.sink.RecordDefinitions(ctx, versions...); err != nil {
			return last, err
		}
		if len(commits) < page {
			return last, nil
		}
	}
}
