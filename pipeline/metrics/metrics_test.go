package metrics_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"muster/evaluator"
	"muster/pipeline"
	"muster/pipeline/event"
	"muster/pipeline/metrics"
	"muster/pipeline/state"
)

// silentSource has nothing to read.
type silentSource struct{}

func (silentSource) Stream(ctx context.Context, _ event.LSN, _ chan<- []event.Transaction) error {
	<-ctx.Done()
	return context.Cause(ctx)
}
func (silentSource) Acknowledge(event.LSN) {}
func (silentSource) Tick(context.Context, evaluator.Instant) (evaluator.Instant, error) {
	return 0, nil
}

type noCompiler struct{}

func (noCompiler) Compile([]evaluator.Audience, *evaluator.Schema) (func() pipeline.Judge, error) {
	return func() pipeline.Judge { return nil }, nil
}

// watched is metrics over a pipeline that has not started, and what its source says.
func watched(t *testing.T, source metrics.Source) (*metrics.Metrics, *pipeline.Pipeline) {
	t.Helper()
	store, err := state.Open(t.TempDir(), state.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	m := metrics.New("v1", "abc", "go")
	p := pipeline.New(store, silentSource{}, noCompiler{}, pipeline.Options{Observer: m})
	m.Watch(p, func() metrics.Source { return source })
	return m, p
}

// observe makes every metric that has labels show once.
func observe(m *metrics.Metrics) {
	m.Committed(&pipeline.Commit{
		Transactions: 1, Changes: 2, Subjects: 2, TimerDelays: []time.Duration{time.Millisecond},
		Events: []pipeline.Tally{{Type: event.Entered, Cause: event.CauseChange, Count: 3}},
	})
	m.Delivered(&pipeline.Delivery{Sink: "kafka", Events: []event.Event{{CommittedAt: 1_000_000}}, At: 3_000_000})
	m.Failed(&pipeline.Failure{Sink: "kafka", Kind: "terminal"})
	m.Failed(&pipeline.Failure{Kind: "definition"})
	m.Request("kafka", time.Millisecond, "")
	m.HTTP("GET /v1/audiences", "200", time.Millisecond)
}

func TestEveryMetricIsExplainedAndNamedAsPrometheusWants(t *testing.T) {
	t.Parallel()
	m, _ := watched(t, metrics.Source{Connected: true, ServerEnd: 10, SlotStatus: "reserved", Changes: map[metrics.ChangeKind]uint64{{Table: "users", Op: "upsert"}: 1}})
	observe(m)
	families, err := m.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestThePublishedNamesAreThere(t *testing.T) {
	t.Parallel()
	m, _ := watched(t, metrics.Source{Connected: true, ServerEnd: 10, SlotStatus: "reserved", Changes: map[metrics.ChangeKind]uint64{{Table: "users", Op: "upsert"}: 1}})
	observe(m)
	families, err := m.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range families {
		names = append(names, f.GetName())
	}
	for _, want := range strings.Fields(`muster_source_lag_bytes muster_source_lag_seconds muster_source_transactions_total muster_source_changes_total
		muster_slot_retained_bytes muster_slot_status muster_snapshot_rows muster_snapshot_rows_total muster_evaluations_total muster_evaluation_seconds muster_predicates_visited_total
		muster_events_total muster_commit_seconds muster_batch_changes muster_outbox_events muster_outbox_bytes muster_timers_pending
		muster_timer_delay_seconds muster_sink_delivered_total muster_sink_errors_total muster_sink_request_seconds muster_end_to_end_seconds
		muster_rejected_definitions_total muster_http_request_seconds muster_build_info`) {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing", want)
		}
	}
}

func TestReadinessSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, p := watched(t, metrics.Source{})
	health := metrics.Health{Pipeline: p, Source: func() metrics.Source { return metrics.Source{} }}
	w := httptest.NewRecorder()
	health.Ready(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
	var answer struct {
		Ready   bool
		Reasons []string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusServiceUnavailable || answer.Ready || !slices.Contains(answer.Reasons, "starting") || w.Header().Get("Retry-After") == "" {
		t.Errorf("%d %+v", w.Code, answer)
	}
	w = httptest.NewRecorder()
	health.Live(w, httptest.NewRequest(http.MethodGet, "/livez", nil))
	if w.Code != http.StatusOK {
		t.Errorf("live: %d", w.Code)
	}
}
