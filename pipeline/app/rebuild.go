package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"muster/config"
	"muster/pipeline"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// RebuildOptions say how a state is made anew.
type RebuildOptions struct {
	FromNothing bool // forget what was published: everybody enters, nothing triggers
	Progress    func(RebuildProgress)
}

// RebuildProgress is how far a rebuild is.
type RebuildProgress struct {
	Step         string `json:"step"` // prepare, snapshot, sweep or deliver
	Users, Total int64
	Remaining    uint64 // events that the slowest sink has yet to take
}

// RebuildReport is what a rebuild did.
type RebuildReport struct {
	Baseline string    `json:"baseline"` // what was taken for published: state, history or nothing
	Users    int64     `json:"users"`
	Entered  int64     `json:"entered"`
	Exited   int64     `json:"exited"`
	Sequence uint64    `json:"sequence"` // of the last event
	Position event.LSN `json:"-"`
	At       string    `json:"position"`
	Pending  uint64    `json:"pending"` // events that the sinks have yet to take
	Notes    []string  `json:"notes,omitempty"`
	TookMS   int64     `json:"took_ms"`
}

// ErrWorkerRuns is returned when a worker has the state or the slot.
var ErrWorkerRuns = errors.New("a worker is running; stop it first")

// rebuild is one rebuild at work.
type rebuild struct {
	config *config.Config
	log    *slog.Logger
	o      RebuildOptions
	failed broken // while it prepares
	report RebuildReport
}

// mendDisk is what to do when the disk refuses a write.
const mendDisk = "mend the disk and run the rebuild again"

// Rebuild makes the state anew from Postgres and publishes only how that differs from the membership last published. What
// was published it takes from the old state where that can be read and no sink is ahead of it, else from ClickHouse and what
// Kafka holds beyond. It returns when the sinks have taken the differences; ended before, the next run goes on with it.
func Rebuild(ctx context.Context, c *config.Config, log *slog.Logger, build Build, o RebuildOptions) (*RebuildReport, error) {
	began := time.Now()
	if o.Progress == nil {
		o.Progress = func(RebuildProgress) {}
	}
	r := &rebuild{config: c, log: log, o: o, failed: newBroken()}
	if err := r.failed.unless(mendDisk, func() error { return r.prepare(ctx) }); err != nil {
		return nil, err
	}
	count := new(rebuildCount)
	worker, err := New(c, log, build, count)
	if err != nil {
		return nil, err
	}
	if err := worker.failed.unless(mendDisk, func() error { return r.run(ctx, worker) }); err != nil {
		return nil, err
	}
	r.report.Entered, r.report.Exited, r.report.TookMS = count.entered.Load(), count.exited.Load(), time.Since(began).Milliseconds()
	r.report.At = r.report.Position.String()
	return &r.report, nil
}

func (r *rebuild) note(format string, args ...any) {
	r.report.Notes = append(r.report.Notes, fmt.Sprintf(format, args...))
}

// prepare makes the state directory one that a rebuild goes on from.
func (r *rebuild) prepare(ctx context.Context) error {
	r.o.Progress(RebuildProgress{Step: "prepare"})
	identity, err := r.identity(ctx)
	if err != nil {
		return err
	}
	store, err := r.open(identity)
	if err != nil {
		return err
	}
	err = func() error {
		baseline, err := r.baseline(ctx, store)
		if err != nil {
			return err
		}
		if err := pipeline.PrepareRebuild(ctx, store, baseline); err != nil {
			return fmt.Errorf("prepare the rebuild: %w", err)
		}
		return store.SetIdentity(identity)
	}()
	return errors.Join(err, store.Close())
}

// identity asks the database who it is, and makes sure that nobody streams from the slot.
func (r *rebuild) identity(ctx context.Context) (state.Identity, error) {
	source, err := NewSource(r.config, r.log)
	if err != nil {
		return state.Identity{}, err
	}
	found, err := source.Identity(ctx)
	err = errors.Join(err, source.Close(ctx))
	slot := found.Slot
	switch {
	case err != nil:
		return state.Identity{}, err
	case slot.Exists && slot.ActivePID != 0:
		return state.Identity{}, fmt.Errorf("replication slot %q is in use by process %d of the server: %w", r.config.Postgres.Slot, slot.ActivePID, ErrWorkerRuns)
	case slot.Exists && slot.WALStatus == "lost":
		return state.Identity{}, fmt.Errorf("replication slot %q is lost and has to be dropped: SELECT pg_drop_replication_slot('%s'), then muster rebuild again",
			r.config.Postgres.Slot, strings.ReplaceAll(r.config.Postgres.Slot, "'", "''"))
	}
	return identityOf(r.config, found), nil
}

// open opens the old state. One that cannot be read, or is to be forgotten, is put aside within its directory, which may
// be the root of a volume, and a new one is begun.
func (r *rebuild) open(identity state.Identity) (*state.Store, error) {
	dir := r.config.State.Dir
	store, err := state.Open(dir, state.Options{Logger: r.log, Failed: r.failed.tell})
	if errors.Is(err, state.ErrLocked) {
		return nil, fmt.Errorf("%w (%w)", ErrWorkerRuns, err)
	}
	if err == nil {
		var was state.Identity
		var exists bool
		was, exists, err = store.Identity()
		switch {
		case err == nil && exists && was.Environment != identity.Environment && !r.o.FromNothing:
			return nil, errors.Join(fmt.Errorf("the state in %s is that of environment %q, and what was published there is not what was published in %q; use another state.dir",
				dir, was.Environment, identity.Environment), store.Close())
		case err == nil && !r.o.FromNothing:
			err = readable(store)
		}
		if err == nil && !r.o.FromNothing {
			return store, nil
		}
		if cerr := store.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		r.note("the old state could not be read: %v", err)
	}
	if err := r.putAside(dir); err != nil {
		return nil, err
	}
	return state.Open(dir, state.Options{Logger: r.log, Failed: r.failed.tell})
}

// readable reads all that a rebuild takes over.
func readable(store *state.Store) error {
	if _, err := store.Head(); err != nil {
		return err
	}
	if _, err := store.Audiences(); err != nil {
		return err
	}
	var record state.Record
	err := store.Users("", func(user string, encoded []byte) (bool, error) {
		return true, record.Decode(encoded)
	})
	if err == nil {
		_, _, err = store.OutboxSize()
	}
	return err
}

func (r *rebuild) putAside(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		return nil // state.Open says what is wrong with it
	}
	aside := filepath.Join(dir, "replaced-"+time.Now().UTC().Format("20060102T150405.000"))
	if err := os.Mkdir(aside, 0o700); err != nil {
		return fmt.Errorf("put the old state aside: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "replaced-") {
			continue
		}
		if err := os.Rename(filepath.Join(dir, e.Name()), filepath.Join(aside, e.Name())); err != nil {
			return fmt.Errorf("put the old state aside: %w", err)
		}
	}
	r.note("the old state is in %s; remove it when nothing of it is needed any more", aside)
	return nil
}

// run takes the snapshot and waits for the sinks.
func (r *rebuild) run(ctx context.Context, w *Worker) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := w.source.Prepare(ctx)
	if err == nil {
		err = w.identify(ctx)
	}
	if err != nil {
		return errors.Join(ended(ctx, err), w.close())
	}
	done := make(chan error, 1)
	go func() { done <- w.pipeline.Run(ctx, drain) }()
	err = r.watch(ctx, w, done, func() { cancel(nil) })
	return errors.Join(err, w.close())
}

// watch returns when the pipeline has ended, which it makes it do once everything is published.
func (r *rebuild) watch(ctx context.Context, w *Worker, done <-chan error, stop func()) error {
	const look = 100 * time.Millisecond
	ticker := time.NewTicker(look)
	defer ticker.Stop()
	target, stopped := uint64(0), false
	for {
		select {
		case err := <-done:
			r.conclude(w.pipeline.Status(), target)
			if err == nil && !stopped {
				err = fmt.Errorf("stopped before everything was done; `muster run` goes on with it")
			}
			return err
		case <-ticker.C:
		}
		s := w.pipeline.Status()
		if s.Phase == pipeline.Streaming && target == 0 {
			target = max(s.Sequence, 1)
		}
		progress := progressOf(s, target)
		r.report.Users = max(r.report.Users, s.SnapshotRows)
		r.o.Progress(progress)
		if !stopped && target > 0 && progress.Remaining == 0 {
			stopped = true
			stop()
		}
	}
}

func progressOf(s pipeline.Status, target uint64) RebuildProgress {
	p := RebuildProgress{Step: "snapshot", Users: s.SnapshotRows, Total: s.SnapshotTotal}
	if target > 0 {
		p.Step = "deliver"
		p.Remaining = pending(s, min(target, s.Sequence))
	}
	return p
}

// pending is how many events up to a sequence the slowest sink that works has yet to take.
func pending(s pipeline.Status, target uint64) (n uint64) {
	for _, sink := range s.Sinks {
		if !sink.Stopped && sink.Delivered < target {
			n = max(n, target-sink.Delivered)
		}
	}
	return n
}

func (r *rebuild) conclude(s pipeline.Status, target uint64) {
	r.report.Users = max(r.report.Users, s.SnapshotRows)
	r.report.Sequence, r.report.Position = s.Sequence, s.Position
	for _, sink := range s.Sinks {
		if sink.Delivered < target {
			r.report.Pending = max(r.report.Pending, s.Sequence-sink.Delivered)
		}
	}
}

// rebuildCount counts what a rebuild publishes.
type rebuildCount struct{ entered, exited atomic.Int64 }

func (c *rebuildCount) Committed(commit *pipeline.Commit) {
	for _, t := range commit.Events {
		switch {
		case t.Cause != event.CauseRebuild:
		case t.Type == event.Entered:
			c.entered.Add(int64(t.Count))
		default:
			c.exited.Add(int64(t.Count))
		}
	}
}

func (*rebuildCount) Delivered(*pipeline.Delivery) {}
func (*rebuildCount) Failed(*pipeline.Failure)     {}
