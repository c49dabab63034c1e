package pipeline_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"muster/pipeline"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// late is a sink that holds one event of before, and can say so only when the snapshot has been read.
type late struct {
	*memory
	pipeline *pipeline.Pipeline
}

func (l *late) Recover(ctx context.Context) error {
	_, _, err := l.pipeline.Listen(0).Next(ctx) // the new state's first event, on disk
	return err
}

func (l *late) LastSequence() uint64 { return 1 }

// TestALostStateIsNotedAfterTheSnapshotToo loses a state that had made one event. By the time the sink can be asked, the new
// state has made one as well: comparing the two would find nothing amiss.
func TestALostStateIsNotedAfterTheSnapshotToo(t *testing.T) {
	t.Parallel()
	s := newScript()
	s.snapshot = []event.SnapshotChunk{{
		Consistent: 1000, Time: 10 * day, Schema: schema, Definitions: []event.Definition{pro},
		Users: []event.SnapshotUser{{ID: "a", Row: row("a", "pro", 0)}}, Last: true,
	}}
	store, err := state.Open(t.TempDir(), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := pipeline.New(store, s, plainly{}, pipeline.Options{Environment: "test", Workers: 2})
	sink := &late{newMemory(), p}
	p.AddSink(sink, pipeline.SinkOptions{})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.Run(ctx, time.Second); !errors.Is(err, pipeline.ErrLostState) {
		t.Errorf("Run: %v", err)
	}
	if events := sink.all(); len(events) != 0 {
		t.Errorf("the sink was given %v", events)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}
