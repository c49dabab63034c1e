package app

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"muster/pipeline"
	"muster/pipeline/event"
	"muster/pipeline/state"
	"muster/sinks/kafka"
)

// published reads everything that the topic of the test holds.
func (s *served) published() []event.Event {
	s.Helper()
	o, err := KafkaOptions(s.config, slog.New(slog.DiscardHandler))
	if err != nil {
		s.Fatal(err)
	}
	events, _, err := kafka.Published(context.Background(), o, 0)
	if err != nil {
		s.Fatal(err)
	}
	return events
}

func (s *served) rebuild(o RebuildOptions) (*RebuildReport, error) {
	s.Helper()
	log := slog.New(slog.NewTextHandler(testWriter{s.TB}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return Rebuild(context.Background(), s.config, log, Build{Version: "test"}, o)
}

const proOnce = `{"audience": {"name":"Pro","type":"dynamic","trigger_frequency":"once_per_user","segments":[{"conditions":[{"property":"recipient.plan","operator":"equal_to","argument":"pro"}]}]}}`

// inForce commits a definition and waits until the state has it.
func (s *served) inForce(key, body string) {
	s.Helper()
	s.commit(key, body)
	s.settle()
}

// settle waits until everything written so far is applied and delivered.
func (s *served) settle() {
	s.Helper()
	at, err := s.worker.control.Reach(context.Background())
	if err != nil {
		s.Fatal(err)
	}
	exec(s.TB, s.db, `SELECT pg_logical_emit_message(true, 'muster.tick', '')`)
	if err := s.worker.pipeline.AwaitPosition(context.Background(), at); err != nil {
		s.Fatal(err)
	}
	s.eventually("the sinks", func() bool {
		status := s.worker.Status()
		for _, sink := range status.Sinks {
			if sink.Delivered < status.Sequence {
				return false
			}
		}
		return true
	})
}

func TestRebuildPublishesNetDifferences(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	exec(t, s.db, `INSERT INTO users (id, plan) VALUES ('stays','free'), ('leaves','pro'), ('comes','free'), ('goes','pro'), ('was','pro')`)
	s.inForce("pro", proOnce)
	exec(t, s.db, `UPDATE users SET plan = 'pro' WHERE id = 'stays'`)
	exec(t, s.db, `UPDATE users SET plan = 'free' WHERE id = 'was'`)
	s.settle()
	s.stop()
	before := s.published()

	if _, err := s.rebuild(RebuildOptions{}); err != nil { // nothing has changed
		t.Fatal(err)
	}
	if again := s.published(); len(again) != len(before) {
		t.Fatalf("a rebuild of what is right published %v", again[len(before):])
	}

	exec(t, s.db, `SELECT pg_drop_replication_slot($1)`, s.name) // changes are lost to the stream
	exec(t, s.db, `UPDATE users SET plan = 'free' WHERE id = 'leaves'`)
	exec(t, s.db, `UPDATE users SET plan = 'pro' WHERE id = 'comes'`)
	exec(t, s.db, `DELETE FROM users WHERE id = 'goes'`)
	exec(t, s.db, `INSERT INTO users (id, plan) VALUES ('new', 'pro')`)
	report, err := s.rebuild(RebuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Baseline != "state" || report.Entered != 2 || report.Exited != 2 || report.Users != 5 {
		t.Errorf("report %+v", report)
	}
	got := make(map[string]event.Event)
	for i, e := range s.published()[len(before):] {
		if want := before[len(before)-1].Sequence + uint64(i) + 1; e.Sequence != want || e.Cause != event.CauseRebuild || e.Trigger {
			t.Errorf("event %+v, want sequence %d, cause rebuild and no trigger", e, want)
		}
		got[e.User] = e
	}
	want := map[string]event.Type{"leaves": event.Exited, "goes": event.Exited, "comes": event.Entered, "new": event.Entered}
	if len(got) != len(want) {
		t.Errorf("published %v", got)
	}
	for user, kind := range want {
		if got[user].Type != kind || got[user].EntryCount != 1 {
			t.Errorf("%s: %+v, want %s", user, got[user], kind)
		}
	}

	// The worker goes on, and what was used up stays used up.
	s.start()
	exec(t, s.db, `UPDATE users SET plan = 'free' WHERE id IN ('stays', 'was')`)
	exec(t, s.db, `UPDATE users SET plan = 'pro' WHERE id IN ('stays', 'was')`)
	s.settle()
	entries := make(map[string]event.Event)
	for _, e := range s.published() {
		if e.Type == event.Entered {
			entries[e.User] = e
		}
	}
	if e := entries["stays"]; e.EntryCount != 2 || e.Trigger {
		t.Errorf("second entry of one who has triggered: %+v", e)
	}
	if e := entries["was"]; e.EntryCount != 2 || !e.Trigger {
		t.Errorf("second entry of one who has not triggered: %+v", e)
	}
}

func TestRebuildOfLostState(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	exec(t, s.db, `INSERT INTO users (id, plan) VALUES ('a','pro'), ('b','free')`)
	s.inForce("pro", proOnce)
	s.settle()
	s.stop()
	if _, err := s.rebuild(RebuildOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(s.config.State.Dir); err != nil {
		t.Fatal(err)
	}
	report, err := s.rebuild(RebuildOptions{}) // the topic still has every event there ever was
	if err != nil {
		t.Fatal(err)
	}
	if report.Baseline != "history" || report.Entered != 0 || len(s.published()) != 1 {
		t.Errorf("report %+v", report)
	}
	if report, err = s.rebuild(RebuildOptions{FromNothing: true}); err != nil {
		t.Fatal(err)
	}
	if report.Baseline != "nothing" || report.Entered != 1 {
		t.Errorf("report %+v", report)
	}
	events := s.published()
	if last := events[len(events)-1]; len(events) != 2 || last.Sequence != 2 || last.Cause != event.CauseRebuild || last.Trigger {
		t.Errorf("published %+v", events)
	}
	s.start()
	s.settle()
}

func TestRebuildOfDamagedStatePutsItAside(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	exec(t, s.db, `INSERT INTO users (id, plan) VALUES ('a','pro')`)
	s.inForce("pro", proOnce)
	s.settle()
	s.stop()
	manifests, err := filepath.Glob(filepath.Join(s.config.State.Dir, "MANIFEST-*"))
	if err != nil || len(manifests) == 0 {
		t.Fatalf("no manifest: %v", err)
	}
	for _, path := range manifests {
		if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	report, err := s.rebuild(RebuildOptions{FromNothing: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Notes) == 0 || report.Entered != 1 {
		t.Errorf("report %+v", report)
	}
	if aside, _ := filepath.Glob(filepath.Join(s.config.State.Dir, "replaced-*", "MANIFEST-*")); len(aside) == 0 {
		t.Error("the damaged state was not put aside")
	}
	s.start()
	s.settle()
}

func TestRebuildRefusesWhileTheWorkerRuns(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	if _, err := s.rebuild(RebuildOptions{}); !errors.Is(err, ErrWorkerRuns) {
		t.Fatalf("rebuild beside a worker: %v", err)
	}
}

// TestInterruptedRebuildGoesOn leaves a state as a rebuild that was killed leaves it.
func TestInterruptedRebuildGoesOn(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	s.populate(40)
	s.settle()
	s.stop()
	before := len(s.published())
	exec(t, s.db, `DELETE FROM users WHERE id = 'u1'`)
	store, err := state.Open(s.config.State.Dir, state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := store.SetMemo("rebuild", []byte("begun")); err != nil {
		t.Fatal(err)
	}
	p := pipeline.New(store, nil, nil, pipeline.Options{})
	if err := p.Run(context.Background(), 0); !errors.Is(err, pipeline.ErrRebuildBegun) {
		t.Fatalf("run of a state that is half prepared: %v", err)
	}
	if err := pipeline.PrepareRebuild(context.Background(), store, nil); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	s.start()
	s.settle()
	for _, e := range s.published()[before:] {
		if e.User != "u1" || e.Type != event.Exited || e.Cause != event.CauseRebuild {
			t.Errorf("published %+v", e)
		}
	}
	if line := s.verify(); line.Result == nil || line.Result.Differences != 0 {
		t.Errorf("%+v %+v", line.Error, line.Result)
	}
}
