package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"muster/pipeline"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// A disk refuses its n-th write, counted over everything that changes it: creating, writing, syncing, renaming, removing.
// With lasting set it refuses all from there on, as a full disk does.
type disk struct {
	n       int64
	lasting bool
	reason  error
	writes  atomic.Int64
	refused atomic.Int64
}

func (d *disk) decide(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
		return nil
	}
	if i := d.writes.Add(1) - 1; i == d.n || d.lasting && i > d.n {
		d.refused.Add(1)
		return d.reason
	}
	return nil
}

// TestDiskThatRefusesAnyWrite lets each write of a short life fail in turn, until there is none left to fail: first filling,
// changes, a large transaction, an orderly stop and another start. Each time the worker either goes on as if nothing had
// happened or stops and says why, and a start on what is then on the disk, without what was not synced, publishes exactly
// what was still to be published.
func TestDiskThatRefusesAnyWrite(t *testing.T) {
	for name, kind := range map[string]struct {
		lasting bool
		reason  error
	}{
		"once":            {false, syscall.EIO},
		"from then on":    {true, syscall.ENOSPC},
		"read-only so on": {true, syscall.EROFS},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stopped := 0
			for n := int64(0); ; n++ {
				d := &disk{n: n, lasting: kind.lasting, reason: kind.reason}
				if liveWith(t, d) {
					stopped++
				}
				if t.Failed() {
					t.Fatalf("write %d", n)
				}
				if d.refused.Load() == 0 {
					t.Logf("%d writes, %d of them the worker cannot do without", n, stopped)
					break
				}
			}
			if stopped < 20 {
				t.Errorf("only %d of the failures stopped the worker; hardly anything was tried", stopped)
			}
		})
	}
}

// liveWith runs the life on a disk, then again on what is left of it, and reports whether the disk ended the first.
func liveWith(t *testing.T, d *disk) (stopped bool) {
	t.Helper()
	l := &life{source: newScript(), sink: newMemory(), disk: d}
	last := l.write()
	fs := vfs.NewCrashableMem()
	err := l.run(errorfs.Wrap(fs, errorfs.InjectorFunc(d.decide)), last)
	if err != nil && !(strings.Contains(err.Error(), "state") && strings.Contains(err.Error(), d.reason.Error())) {
		t.Errorf("the error does not say what happened: %v", err)
	}
	acked := event.LSN(l.source.acked.Load())
	left := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 0, RNG: rand.New(rand.NewPCG(1, 1))})
	head, err2 := headOf(left)
	if err2 != nil {
		t.Errorf("open what is left: %v", err2)
		return true
	}
	if acked > head.End {
		t.Errorf("acknowledged %s, on disk is %s", acked, head.End)
	}
	if events := uint64(len(l.sink.all())); events > head.Sequence {
		t.Errorf("the sink has %d events, on disk are %d", events, head.Sequence)
	}
	if err := l.run(left, last); err != nil {
		t.Errorf("the next life: %v", err)
	}
	(&rig{t: t, sink: l.sink}).expect(lifeEvents...)
	return err != nil
}

func headOf(fs vfs.FS) (state.Head, error) {
	store, err := state.Open("state", state.Options{FS: fs})
	if err != nil {
		return state.Head{}, err
	}
	head, err := store.Head()
	return head, errors.Join(err, store.Close())
}

// life is a log and what a sink has taken of it.
type life struct {
	source *script
	sink   *memory
	disk   *disk
}

// taker is the sink of one run. It takes nothing more when the disk has failed, as the process would be gone.
type taker struct {
	*memory
	dead atomic.Bool
}

var errDead = errors.New("the process is gone")

func (k *taker) Deliver(ctx context.Context, events []event.Event) error {
	if k.dead.Load() {
		return errDead
	}
	return k.memory.Deliver(ctx, events)
}

var lifeEvents = []string{
	"1 a pro audience.entered snapshot@864000000000 n=1",
	"2 a recent audience.entered snapshot@864000000000 n=1",
	"3 a both audience.entered snapshot@864000000000 n=1",
	"4 b pro audience.entered change@864000000001 n=1 trigger",
	"5 c pro audience.entered change@864000000002 n=1 trigger",
	"6 a pro audience.exited delete@864000000003 n=1", // a large transaction is applied by user
	"7 a recent audience.exited delete@864000000003 n=1",
	"8 a both audience.exited delete@864000000003 n=1",
	"9 b pro audience.exited change@864000000003 n=1",
	"10 d pro audience.entered change@864000000004 n=1 trigger",
}

// write writes the log and returns its last position.
func (l *life) write() event.LSN {
	s := l.source
	s.snapshot = []event.SnapshotChunk{
		{Consistent: 1000, Time: 10 * day, Schema: schema, Definitions: []event.Definition{pro, recent, both, invited}},
		{Consistent: 1000, Time: 10 * day, Schema: schema, Users: []event.SnapshotUser{{ID: "a", Row: row("a", "pro", 10*day)}, {ID: "b", Row: row("b", "free", 0)}}, Last: true},
	}
	s.commit(10*day+1, upsert("b", "pro", 0))
	s.commit(10*day+2, upsert("c", "pro", 0))
	s.parts(10*day+3, []event.Change{upsert("b", "free", 0)}, []event.Change{remove("a")})
	return s.commit(10*day+4, upsert("d", "pro", 0))
}

// run lives twice: up to the second transaction, and then to the end. It returns what ended it early.
func (l *life) run(fs vfs.FS, last event.LSN) error {
	for _, to := range []event.LSN{1200, last} {
		sink := &taker{memory: l.sink}
		if err := l.once(fs, sink, to); err != nil {
			sink.dead.Store(true)
			return err
		}
	}
	return nil
}

// broken is a failure that the store reported by itself. Its goroutines may hang for ever then, as they would in a process
// that is about to exit.
type broken struct{ error }

func (l *life) once(fs vfs.FS, sink *taker, to event.LSN) error {
	failed := make(chan error, 16)
	// Whatever waits for the disk may never return: each step races against the failure.
	step := func(do func() error) error {
		done := make(chan error, 1)
		go func() { done <- do() }()
		select {
		case err := <-done:
			return err
		case err := <-failed:
			return broken{err}
		case <-time.After(time.Minute):
			return fmt.Errorf("hangs")
		}
	}
	var store *state.Store
	err := step(func() (err error) {
		store, err = state.Open("state", state.Options{FS: fs, Failed: func(err error) { failed <- err }})
		return err
	})
	if err != nil {
		return err
	}
	p := pipeline.New(store, l.source, plainly{}, pipeline.Options{Environment: "test", Workers: 2, BatchLimit: 1, TickEvery: time.Hour})
	p.AddSink(sink, pipeline.SinkOptions{Stable: true, MaxEvents: 2})
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	ran := make(chan error, 1)
	go func() {
		err := p.Run(ctx, time.Minute)
		cancel(err)
		ran <- err
	}()
	err = step(func() error { return p.AwaitPosition(ctx, to) })
	if err == nil {
		cancel(nil)
		err = step(func() error { return <-ran })
	} else if ctx.Err() != nil { // Run has ended by itself, and knows why
		err = step(func() error { return <-ran })
	}
	if errors.As(err, new(broken)) {
		return err
	}
	return errors.Join(err, step(store.Close))
}
