package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"testing"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"muster/deploy/local/engine"
	"muster/pipeline"
	"muster/pipeline/event"
	"muster/sinks/clickhouse"
)

// clickHouse starts the real engine for one test and returns the section of the configuration that points at it.
func clickHouse(t *testing.T) string {
	t.Helper()
	server, err := engine.Start(context.Background(), engine.Options{})
	if err != nil {
		t.Fatalf("start ClickHouse: %v", err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	return fmt.Sprintf("clickhouse: {addr: [%q], flush: {interval: 10ms}}", server.Addr())
}

// onRecord asks ClickHouse for a number.
func (s *served) onRecord(query string) (n uint64) {
	s.Helper()
	conn, err := driver.Open(&driver.Options{Addr: s.config.ClickHouse.Addr})
	if err != nil {
		s.Fatal(err)
	}
	defer conn.Close()
	if err := conn.QueryRow(context.Background(), query).Scan(&n); err != nil {
		s.Fatal(err)
	}
	return n
}

// TestRebuildFromHistory loses the state: what was published comes from ClickHouse, completed by Kafka.
func TestRebuildFromHistory(t *testing.T) {
	t.Parallel()
	s := serve(t, clickHouse(t))
	s.commit("pro", proOnce)
	s.commit("list", static)
	exec(t, s.db, `INSERT INTO users (id, plan) VALUES ('stays','free'), ('leaves','free'), ('comes','free')`)
	exec(t, s.db, `INSERT INTO muster.members (environment, audience, user_id, tenant) VALUES ('development', 'list', 'stays', 't1')`)
	exec(t, s.db, `UPDATE users SET plan = 'pro' WHERE id IN ('stays', 'leaves')`)
	s.settle()
	if line := s.verify(); line.Result == nil || line.Result.Differences != 0 || line.Result.History == nil || *line.Result.History != 3 {
		t.Fatalf("%+v %+v", line.Error, line.Result)
	}
	s.eventually("the versions to be on record", func() bool { return s.onRecord(`SELECT count() FROM muster.audience_definitions`) == 2 })
	s.stop()
	before := s.published()

	if err := os.RemoveAll(s.config.State.Dir); err != nil {
		t.Fatal(err)
	}
	exec(t, s.db, `UPDATE users SET plan = 'pro' WHERE id = 'comes'`)
	exec(t, s.db, `UPDATE users SET plan = 'free' WHERE id = 'leaves'`)
	report, err := s.rebuild(RebuildOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if report.Baseline != "history" || report.Entered != 1 || report.Exited != 1 || len(report.Notes) == 0 {
		t.Errorf("report %+v", report)
	}
	for i, e := range s.published()[len(before):] {
		if e.Sequence != before[len(before)-1].Sequence+uint64(i)+1 || e.Cause != event.CauseRebuild || e.EntryCount != 1 {
			t.Errorf("%+v", e)
		}
	}
	s.start()
	exec(t, s.db, `UPDATE users SET plan = 'free' WHERE id = 'stays'`)
	exec(t, s.db, `UPDATE users SET plan = 'pro' WHERE id = 'stays'`)
	s.settle()
	events := s.published()
	if last := events[len(events)-1]; last.User != "stays" || last.EntryCount != 2 || last.Trigger {
		t.Errorf("one who has triggered, as the history knows: %+v", last)
	}
	if line := s.verify(); line.Result == nil || line.Result.Differences != 0 {
		t.Errorf("%+v %+v", line.Error, line.Result)
	}
}

// TestLostStateIsRefusedByTheHistory loses the state where there is no Kafka to notice it.
func TestLostStateIsRefusedByTheHistory(t *testing.T) {
	t.Parallel()
	s := serve(t, clickHouse(t))
	s.commit("pro", plan("pro"))
	exec(t, s.db, `INSERT INTO users (id, plan) VALUES ('a','pro')`)
	s.settle()
	s.eventually("the entry to be on record", func() bool { return s.onRecord(`SELECT count() FROM muster.members`) == 1 })
	s.stop()

	if err := os.RemoveAll(s.config.State.Dir); err != nil {
		t.Fatal(err)
	}
	s.config.Kafka.Enabled = false
	worker, err := New(s.config, slog.New(slog.DiscardHandler), Build{Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	if err := worker.Run(ctx); !errors.Is(err, pipeline.ErrLostState) || !strings.Contains(err.Error(), "muster rebuild") {
		t.Errorf("a start without the state: %v", err)
	}
}

// TestVerifyFindsWhatClickHouseLacks takes a row out of the record.
func TestVerifyFindsWhatClickHouseLacks(t *testing.T) {
	t.Parallel()
	s := serve(t, clickHouse(t))
	s.commit("pro", plan("pro"))
	exec(t, s.db, `INSERT INTO users (id, plan) VALUES ('a','pro'), ('b','pro')`)
	s.settle()
	o, err := ClickHouseOptions(s.config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	stray, err := clickhouse.New(o)
	if err != nil {
		t.Fatal(err)
	}
	wrong := event.Event{Sequence: 2, Type: event.Exited, Environment: "development", Audience: "pro", Version: 1, User: "stranger", Cause: event.CauseChange, EntryCount: 1}
	if err := errors.Join(stray.Deliver(context.Background(), []event.Event{wrong}), stray.Close()); err != nil {
		t.Fatal(err)
	}
	line := s.verify()
	if line.Result == nil || line.Result.Differences != 1 || line.Result.Found[0].Kind != "clickhouse" || line.Result.Found[0].User != "stranger" {
		t.Errorf("%+v %+v", line.Error, line.Result)
	}
}
