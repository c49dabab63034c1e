package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"muster/deploy/local"
	"muster/deploy/local/sample"
	"muster/pipeline"
	"muster/pipeline/event"
)

// latencies collects, for live events, the time from the commit in Postgres to Kafka's acknowledgement.
type latencies struct {
	sequence atomic.Uint64 // of the last event that became durable

	mu     sync.Mutex
	micros []int64
}

// Committed implements pipeline.Observer.
func (l *latencies) Committed(c *pipeline.Commit) { l.sequence.Store(c.Sequence) }

// Failed implements pipeline.Observer. What fails is in the worker's log.
func (l *latencies) Failed(*pipeline.Failure) {}

// Delivered implements pipeline.Observer.
func (l *latencies) Delivered(d *pipeline.Delivery) {
	if d.Sink != "kafka" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range d.Events {
		if e := &d.Events[i]; e.Cause != event.CauseSnapshot && e.Cause != event.CauseDefinition {
			l.micros = append(l.micros, int64(d.At-e.CommittedAt))
		}
	}
}

// quantile is in milliseconds; 0 when nothing was measured.
func (l *latencies) quantile(q float64) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.micros) == 0 {
		return 0
	}
	slices.Sort(l.micros)
	i := int(math.Ceil(q*float64(len(l.micros)))) - 1
	return math.Round(float64(max(0, l.micros[max(i, 0)]))/10) / 100
}

// demoSummary is what happened, counted at every end of the pipeline.
type demoSummary struct {
	Seconds        float64 `json:"seconds"`
	Changes        int64   `json:"changes"`         // committed in Postgres
	Events         uint64  `json:"events"`          // in the outbox's numbering, the first snapshot's included
	KafkaEvents    int64   `json:"kafka_events"`    // read back from the topic
	ClickHouseRows int64   `json:"clickhouse_rows"` // counted by ClickHouse
	Doubled        int64   `json:"doubled"`         // events read from Kafka more than once
	LiveEvents     int     `json:"live_events"`     // of changes and of time, after the first snapshot
	P50            float64 `json:"p50_ms"`
	P99            float64 `json:"p99_ms"`

	latency *latencies
}

func newSummary(s sample.Stats, l *latencies) *demoSummary {
	return &demoSummary{Seconds: math.Round(s.Elapsed.Seconds()*10) / 10, Changes: s.Changes, latency: l}
}

// settle counts at every end. The worker has stopped, after giving its sinks the time to take what there was, so nothing
// moves any more; the consumer gets a little longer to read what Kafka has.
func (d *demoSummary) settle(w *watch, info local.Info) error {
	d.Events = d.latency.sequence.Load()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(15 * time.Second); w.events.Load() < int64(d.Events) && time.Now().Before(deadline); {
		<-ticker.C
	}
	d.KafkaEvents, d.Doubled = w.events.Load(), w.doubled.Load()
	d.P50, d.P99 = d.latency.quantile(0.50), d.latency.quantile(0.99)
	d.LiveEvents = len(d.latency.micros)
	var err error
	d.ClickHouseRows, err = countRows(info.ClickHouse.HTTP)
	return err
}

func (d *demoSummary) agree() bool {
	return int64(d.Events) == d.KafkaEvents && d.KafkaEvents == d.ClickHouseRows && d.Doubled == 0
}

// verdict is an error when the ends do not agree.
func (d *demoSummary) verdict() error {
	if d.agree() {
		return nil
	}
	return fmt.Errorf("the ends disagree: %d events numbered, %d in Kafka (%d doubled), %d rows in ClickHouse", d.Events, d.KafkaEvents, d.Doubled, d.ClickHouseRows)
}

func (d *demoSummary) String() string {
	return fmt.Sprintf(`
%d changes in %.1f s made %d events (the first snapshot's included):
  %d numbered by the worker = %d in Kafka = %d rows in ClickHouse
  commit in Postgres to acknowledged by Kafka: p50 %.1f ms, p99 %.1f ms over %d live events
`, d.Changes, d.Seconds, d.Events, d.Events, d.KafkaEvents, d.ClickHouseRows, d.P50, d.P99, d.LiveEvents)
}

// countRows asks ClickHouse as curl would. FINAL counts a repeated insert once.
func countRows(address string) (int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	query := "SELECT count() FROM muster.membership_events FINAL FORMAT TSV"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/?query="+url.QueryEscape(query), nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("count rows in ClickHouse: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return 0, fmt.Errorf("count rows in ClickHouse: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("count rows in ClickHouse: %s", strings.TrimSpace(string(body)))
	}
	return strconv.ParseInt(strings.TrimSpace(string(body)), 10, 64)
}
