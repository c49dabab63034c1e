package pipeline_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/evaluator"
	"muster/evaluator/plain"
	"muster/pipeline"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// script is a source whose log is written by the test: the place to make situations that a real database makes too
// rarely. It keeps the whole log, so a pipeline may be restarted against it.
type script struct {
	mu       sync.Mutex
	log      []event.Transaction
	snapshot []event.SnapshotChunk
	read     func(event.SnapshotResume) ([]event.SnapshotChunk, error) // what a reading of the tables brings before it fails; nil: snapshot
	grown    chan struct{}
	acked    atomic.Uint64
	chunk    int // transactions sent at once; 0: all there are
	clock    func() evaluator.Instant
	lsn      event.LSN
}

func newScript() *script {
	return &script{grown: make(chan struct{}), lsn: 1000, clock: func() evaluator.Instant { return 0 }}
}

// commit appends a transaction and returns its commit LSN.
func (s *script) commit(at evaluator.Instant, changes ...event.Change) event.LSN {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lsn += 100
	s.log = append(s.log, event.Transaction{Commit: s.lsn, End: s.lsn + 50, Time: at, Changes: changes})
	close(s.grown)
	s.grown = make(chan struct{})
	return s.lsn
}

// parts appends one large transaction in parts.
func (s *script) parts(at evaluator.Instant, parts ...[]event.Change) event.LSN {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lsn += 100
	for i, changes := range parts {
		s.log = append(s.log, event.Transaction{Commit: s.lsn, End: s.lsn + 50, Time: at, Changes: changes, More: i < len(parts)-1})
	}
	close(s.grown)
	s.grown = make(chan struct{})
	return s.lsn
}

func (s *script) Stream(ctx context.Context, after event.LSN, out chan<- []event.Transaction) error {
	next := 0
	for {
		s.mu.Lock()
		for next < len(s.log) && s.log[next].Commit <= after {
			next++
		}
		end := len(s.log)
		if s.chunk > 0 {
			end = min(end, next+s.chunk)
		}
		ready, grown := append([]event.Transaction(nil), s.log[next:end]...), s.grown
		s.mu.Unlock()
		next = end
		if len(ready) > 0 {
			select {
			case out <- ready:
				continue
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (s *script) Acknowledge(end event.LSN) { s.acked.Store(uint64(end)) }

func (s *script) Tick(_ context.Context, due evaluator.Instant) (evaluator.Instant, error) {
	now := s.clock()
	if now >= due {
		s.commit(now)
	}
	return now, nil
}

func (s *script) Snapshot(ctx context.Context, resume event.SnapshotResume, emit func(context.Context, event.SnapshotChunk) error) error {
	chunks, failure := s.snapshot, error(nil)
	if s.read != nil {
		chunks, failure = s.read(resume)
	}
	for _, c := range chunks {
		if err := emit(ctx, c); err != nil {
			return err
		}
	}
	return failure
}

// memory is a sink that remembers.
type memory struct {
	mu     sync.Mutex
	events []event.Event
	grown  chan struct{}
}

func newMemory() *memory { return &memory{grown: make(chan struct{})} }

func (m *memory) Name() string                  { return "memory" }
func (m *memory) Recover(context.Context) error { return nil }

func (m *memory) Deliver(_ context.Context, events []event.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range events {
		if n := uint64(len(m.events)); e.Sequence == n+1 { // a repeated one is known
			m.events = append(m.events, e)
		} else if e.Sequence > n+1 {
			return fmt.Errorf("event %d after %d: a gap in the sequence", e.Sequence, n)
		}
	}
	close(m.grown)
	m.grown = make(chan struct{})
	return nil
}

func (m *memory) all() []event.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]event.Event(nil), m.events...)
}

// plainly compiles with the plain evaluator.
type plainly struct{}

func (plainly) Compile(audiences []evaluator.Audience, schema *evaluator.Schema) (func() pipeline.Judge, error) {
	set, err := plain.Compile(audiences, schema)
	if err != nil {
		return nil, err
	}
	return func() pipeline.Judge { return set.NewJudge() }, nil
}

// rig is a pipeline under test.
type rig struct {
	t      testing.TB
	source *script
	sink   *memory
	dir    string
	stop   context.CancelFunc
	done   chan error
	store  *state.Store
	*pipeline.Pipeline
}

func newRig(t testing.TB, s *script) *rig {
	return &rig{t: t, source: s, sink: newMemory(), dir: t.TempDir()}
}

func (r *rig) start() {
	r.t.Helper()
	store, err := state.Open(r.dir, state.Options{})
	if err != nil {
		r.t.Fatal(err)
	}
	r.store = store
	r.Pipeline = pipeline.New(store, r.source, plainly{}, pipeline.Options{Environment: "test", Workers: 2})
	r.AddSink(r.sink, pipeline.SinkOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	r.stop, r.done = cancel, make(chan error, 1)
	go func() { r.done <- r.Run(ctx, 10*time.Second) }()
}

// halt stops the pipeline in an orderly way.
func (r *rig) halt() {
	r.t.Helper()
	r.stop()
	if err := <-r.done; err != nil {
		r.t.Errorf("Run: %v", err)
	}
	if err := r.store.Close(); err != nil {
		r.t.Errorf("close state: %v", err)
	}
}

// reach waits until a position is applied.
func (r *rig) reach(at event.LSN) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := r.AwaitPosition(ctx, at); err != nil {
		select {
		case err := <-r.done:
			r.t.Fatalf("Run ended: %v", err)
		default:
		}
		r.t.Fatalf("position %s not reached: %v", at, err)
	}
}
