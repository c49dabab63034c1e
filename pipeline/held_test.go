package pipeline_test

import (
	"context"
	"testing"
	"time"

	"muster/pipeline"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// shared is a log that another worker reads until it is free.
type shared struct {
	*script
	free  chan struct{}
	asked chan struct{} // gets a value for each sink that waits
}

func (s *shared) Held(ctx context.Context) error {
	s.asked <- struct{}{}
	select {
	case <-s.free:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Stream is let in when the other worker is gone.
func (s *shared) Stream(ctx context.Context, after event.LSN, out chan<- []event.Transaction) error {
	select {
	case <-s.free:
		return s.script.Stream(ctx, after, out)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// recovering tells when it is made to recover, which fences whoever published before.
type recovering struct {
	*memory
	recovered chan struct{}
}

func (r recovering) Recover(context.Context) error {
	close(r.recovered)
	return nil
}

// A standby has, in its copy of the state, events that the worker it stands by for is about to publish.
func TestStandbyLeavesSinksAloneUntilItReads(t *testing.T) {
	t.Parallel()
	s := newScript()
	s.snapshot = []event.SnapshotChunk{{Consistent: 1000, Time: 10 * day, Schema: schema, Definitions: []event.Definition{pro},
		Users: []event.SnapshotUser{{ID: "a", Row: row("a", "pro", 0)}}, Last: true}}
	dir := t.TempDir()
	begin := func(source pipeline.Source, sink pipeline.Sink, drain time.Duration) (p *pipeline.Pipeline, stop func()) {
		store, err := state.Open(dir, state.Options{})
		if err != nil {
			t.Fatal(err)
		}
		p = pipeline.New(store, source, plainly{}, pipeline.Options{Environment: "test"})
		p.AddSink(sink, pipeline.SinkOptions{})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- p.Run(ctx, drain) }()
		return p, func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
			if err := store.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	first, stop := begin(s, refusing{}, time.Nanosecond) // leaves an event in the outbox
	reach(t, first, s.commit(10*day+1, upsert("b", "pro", 0)))
	stop()

	source := &shared{script: s, free: make(chan struct{}), asked: make(chan struct{}, 1)}
	sink := recovering{newMemory(), make(chan struct{})}
	_, stop = begin(source, sink, time.Hour)
	waits := func() {
		t.Helper()
		select {
		case <-source.asked:
		case <-sink.recovered:
			t.Fatal("the sink of a standby recovered")
		}
	}
	waits()
	stop() // a standby that is told to stop does not wait for what it may not deliver
	select {
	case <-sink.recovered:
		t.Fatal("the sink of a standby recovered")
	default:
	}

	_, stop = begin(source, sink, time.Hour)
	waits()
	s.commit(10*day+2, upsert("c", "pro", 0))
	close(source.free)
	<-sink.recovered
	sink.await(3)
	stop()
	var users string
	for _, e := range sink.all() {
		users += e.User
	}
	if users != "abc" {
		t.Errorf("delivered events of %q", users)
	}
}

// refusing is a sink that takes nothing while it runs.
type refusing struct{}

func (refusing) Name() string                  { return "memory" }
func (refusing) Recover(context.Context) error { return nil }

func (refusing) Deliver(ctx context.Context, _ []event.Event) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

func reach(t *testing.T, p *pipeline.Pipeline, at event.LSN) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.AwaitPosition(ctx, at); err != nil {
		t.Fatal(err)
	}
}

// await waits for n events.
func (m *memory) await(n int) {
	for {
		m.mu.Lock()
		have, grown := len(m.events), m.grown
		m.mu.Unlock()
		if have >= n {
			return
		}
		<-grown
	}
}
