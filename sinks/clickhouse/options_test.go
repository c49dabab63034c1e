package clickhouse

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestOptionsReportEveryFault(t *testing.T) {
	t.Parallel()
	_, err := New(Options{Addr: []string{"localhost"}, TTL: -time.Second, FlushRows: 2_000_000, FlushInterval: -1, RequestTimeout: -1})
	for _, want := range []string{"environment", "clickhouse.addr", "clickhouse.ttl", "clickhouse.flush.rows", "clickhouse.flush.interval", "request timeout"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

func TestOptionsDefaults(t *testing.T) {
	t.Parallel()
	s, err := New(Options{Environment: "e", Addr: []string{"localhost:9000"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if rows, wait := s.BatchSize(); rows != 50_000 || wait != 500*time.Millisecond {
		t.Errorf("batches are of %d rows and %s", rows, wait)
	}
	if s.Name() != "clickhouse" || s.options.Database != "muster" || s.options.Username != "default" {
		t.Errorf("defaults are %v", s.options)
	}
}

func TestPasswordIsNotPrinted(t *testing.T) {
	t.Parallel()
	o := Options{Environment: "e", Addr: []string{"localhost:9000"}, Password: "hunter22"}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("options", "options", o)
	for _, text := range []string{fmt.Sprint(o), fmt.Sprintf("%v %+v %#v %s", o, o, o, o), fmt.Sprintf("%v", &o), log.String()} {
		if strings.Contains(text, "hunter22") {
			t.Errorf("the password is in %q", text)
		}
	}
}
