package app

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/sourcegraph/conc"

	"muster/config"
	"muster/connectors/postgres"
	"muster/pipeline"
	"muster/pipeline/metrics"
	"muster/pipeline/state"
)

// drain is how long the sinks get to take what is in the outbox when the worker stops.
const drain = 10 * time.Second

// Build says which program this is.
type Build struct{ Version, Commit string }

// Worker is everything that `muster run` runs.
type Worker struct {
	config    *config.Config
	build     Build
	log       *slog.Logger
	source    *postgres.Source
	control   *postgres.Control
	directory *postgres.Directory
	store     *state.Store
	pipeline  *pipeline.Pipeline
	metrics   *metrics.Metrics
	recorder  *recorder       // nil without ClickHouse
	tables    <-chan struct{} // closed when those in ClickHouse are made
	closers   []func() error
	failed    broken
	ending    chan struct{} // closed when the worker begins to stop: answers that never end by themselves end then
	end       func()
}

// New builds a worker. It opens the state directory and connects to nothing yet. Further observers hear what the metrics hear.
func New(c *config.Config, log *slog.Logger, build Build, watch ...pipeline.Observer) (*Worker, error) {
	w := &Worker{config: c, build: build, log: log, failed: newBroken(), ending: make(chan struct{})}
	w.end = sync.OnceFunc(func() { close(w.ending) })
	w.metrics = metrics.New(build.Version, build.Commit, runtime.Version())
	var err error
	if w.source, err = NewSource(c, log); err != nil {
		return nil, err
	}
	w.store, err = state.Open(c.State.Dir, state.Options{Logger: log, Failed: w.failed.tell})
	if err != nil {
		return nil, errors.Join(err, w.source.Close(context.Background()))
	}
	w.closers = append(w.closers, w.store.Close)
	if w.control, err = postgres.OpenControl(c.Postgres.DSN.Reveal(), c.Postgres.Schema, apiConnections); err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.closers = append(w.closers, func() error { w.control.Close(); return nil })
	w.directory = postgres.NewDirectory(w.control, c.Environment, sourceOptions(c, log).Users, c.Postgres.Identify)
	compiler := newCompiler(log)
	w.closers = append(w.closers, func() error { compiler.Close(); return nil })
	w.pipeline = pipeline.New(w.store, w.source, compiler, pipeline.Options{
		Environment: c.Environment, Workers: c.Evaluator.Workers, OutboxLimit: int64(c.Outbox.MaxBytes),
		Logger: log, Observer: append(observers{w.metrics}, watch...),
	})
	w.metrics.Watch(w.pipeline, w.sourceStatus)
	if err := w.addSinks(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	if w.recorder, err = w.newRecorder(); err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

// Status is where the worker stands.
func (w *Worker) Status() pipeline.Status { return w.pipeline.Status() }

// observers are several as one.
type observers []pipeline.Observer

func (all observers) Committed(c *pipeline.Commit) {
	for _, o := range all {
		o.Committed(c)
	}
}

func (all observers) Delivered(d *pipeline.Delivery) {
	for _, o := range all {
		o.Delivered(d)
	}
}

func (all observers) Failed(f *pipeline.Failure) {
	for _, o := range all {
		o.Failed(f)
	}
}

// Run works until ctx ends, and then finishes in an orderly way, or until something breaks that only an operator can
// mend, which it returns.
func (w *Worker) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	return w.failed.unless("mend the disk and start again, nothing is lost", func() error { return w.run(ctx, cancel) })
}

func (w *Worker) run(ctx context.Context, cancel context.CancelCauseFunc) error {
	defer context.AfterFunc(ctx, w.end)()
	stopServing, err := w.serve()
	if err != nil {
		return errors.Join(err, w.close())
	}
	if err := w.patiently(ctx, w.prepare); err != nil {
		w.end()
		return errors.Join(ended(ctx, err), stopServing(), w.close())
	}
	background := conc.NewWaitGroup()
	background.Go(func() { w.directory.RunBulks(ctx, w.log) })
	background.Go(func() { w.checkpoints(ctx) })
	background.Go(func() { w.recorder.run(ctx) })
	err = ended(ctx, w.pipeline.Run(ctx, drain))
	w.end()
	cancel(nil)
	background.Wait()
	return errors.Join(err, stopServing(), w.close())
}

// ended makes nothing of an error that only says that the worker was told to stop.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// prepare makes what must be there before the pipeline runs and refuses what would lose or mix up data.
func (w *Worker) prepare(ctx context.Context) error {
	if err := w.source.Prepare(ctx); err != nil {
		return err
	}
	if err := w.identify(ctx); err != nil {
		return err
	}
	return PushDirectory(ctx, w.config, w.source, w.log)
}

// close ends every connection; the slot is told what was acknowledged last.
func (w *Worker) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := w.source.Close(ctx)
	for i := len(w.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, w.closers[i]())
	}
	return err
}

func (w *Worker) sourceStatus() metrics.Source {
	s := w.source.Status()
	m := metrics.Source{
		Connected: s.Connected, Waiting: s.Waiting, ServerEnd: s.ServerWALEnd, Retained: s.RetainedBytes, SlotStatus: s.SlotWALStatus,
		Transactions: s.Transactions, Changes: make(map[metrics.ChangeKind]uint64, len(s.Changes)),
	}
	if s.SlotSeen.IsZero() {
		m.Retained = -1
	}
	for kind, n := range s.Changes {
		m.Changes[metrics.ChangeKind{Table: kind.Table, Op: kind.Op}] = n
	}
	return m
}
