package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"muster/evaluator"
	"muster/pipeline"
)

// Metrics is the Observer of a pipeline and the registry of everything measured.
type Metrics struct {
	Registry *prometheus.Registry

	evaluations   prometheus.Counter
	visited       prometheus.Counter
	disagreements prometheus.Counter
	judging       prometheus.Histogram
	events        *prometheus.CounterVec
	commit        prometheus.Histogram
	batch         prometheus.Histogram
	timerDelay    prometheus.Histogram
	delivered     *prometheus.CounterVec
	errors        *prometheus.CounterVec
	request       *prometheus.HistogramVec
	endToEnd      *prometheus.HistogramVec
	rejected      prometheus.Counter
	interrupted   prometheus.Counter
	http          *prometheus.HistogramVec
}

// New returns metrics that carry the program's version.
func New(version, commit, goVersion string) *Metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &Metrics{
		Registry:      prometheus.NewRegistry(),
		evaluations:   counter("muster_evaluations_total", "Users judged against all audiences."),
		visited:       counter("muster_predicates_visited_total", "Predicates looked at, found by their value or judged one by one: what is done for a change, however many audiences there are."),
		disagreements: counter("muster_disagreements_total", "Verdicts that the stored membership already agreed with; anything but 0 is a bug."),
		judging:       histogram("muster_evaluation_seconds", "Time to judge one batch.", prometheus.ExponentialBuckets(10e-6, 4, 10)),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_events_total", Help: "Membership events, by type and cause."}, []string{"type", "cause"}),
		commit:     histogram("muster_commit_seconds", "Time from the write of a batch until it was on disk.", prometheus.ExponentialBuckets(100e-6, 2.5, 12)),
		batch:      histogram("muster_batch_changes", "Row changes in a batch.", prometheus.ExponentialBuckets(1, 4, 8)),
		timerDelay: histogram("muster_timer_delay_seconds", "Time from the instant a timer was set for to the commit that fired it.", prometheus.ExponentialBuckets(0.001, 4, 10)),
		delivered: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_sink_delivered_total", Help: "Events a sink has taken."}, []string{"sink"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "muster_sink_errors_total", Help: "Faults of a sink, by kind."}, []string{"sink", "kind"}),
		request: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "muster_sink_request_seconds", Help: "Time of one request to a sink.",
			Buckets: prometheus.ExponentialBuckets(250e-6, 2.5, 12)}, []string{"sink"}),
		endToEnd: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "muster_end_to_end_seconds", Help: "Time from the commit in Postgres until the sink acknowledged the event.",
			Buckets: prometheus.ExponentialBuckets(500e-6, 2, 16)}, []string{"sink"}),
		interrupted: counter("muster_source_interruptions_total", "Times that a reading of the users table broke off because Postgres went away, and was gone on with."),
		rejected:    counter("muster_rejected_definitions_total", "Committed definitions that were refused; the version before keeps serving."),
		http: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "muster_http_request_seconds", Help: "Time of one HTTP request, by route and status code.",
			Buckets: prometheus.ExponentialBuckets(100e-6, 2.5, 12)}, []string{"route", "code"}),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "muster_build_info", Help: "Always 1; the labels say which program this is."}, []string{"version", "commit", "go_version"})
	build.WithLabelValues(version, commit, goVersion).Set(1)
	m.Registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), build,
		m.evaluations, m.visited, m.disagreements, m.judging, m.events, m.commit, m.batch, m.timerDelay, m.delivered, m.errors, m.request,
		m.endToEnd, m.rejected, m.interrupted, m.http)
	return m
}

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
}

// Committed implements pipeline.Observer.
func (m *Metrics) Committed(c *pipeline.Commit) {
	m.evaluations.Add(float64(c.Subjects))
	m.visited.Add(float64(c.Visited))
	m.disagreements.Add(float64(c.Disagreed))
	m.judging.Observe(c.Judging.Seconds())
	m.commit.Observe(c.Syncing.Seconds())
	m.batch.Observe(float64(c.Changes))
	for _, t := range c.Events {
		m.events.WithLabelValues(t.Type.String(), t.Cause.String()).Add(float64(t.Count))
	}
	for _, d := range c.TimerDelays {
		m.timerDelay.Observe(d.Seconds())
	}
}

// Delivered implements pipeline.Observer.
func (m *Metrics) Delivered(d *pipeline.Delivery) {
	m.delivered.WithLabelValues(d.Sink).Add(float64(len(d.Events)))
	observer := m.endToEnd.WithLabelValues(d.Sink)
	for i := range d.Events {
		observer.Observe(max(0, seconds(d.At-d.Events[i].CommittedAt)))
	}
}

// Failed implements pipeline.Observer.
func (m *Metrics) Failed(f *pipeline.Failure) {
	switch f.Kind {
	case "definition":
		m.rejected.Inc()
		return
	case "reading":
		m.interrupted.Inc()
		return
	}
	m.errors.WithLabelValues(f.Sink, f.Kind).Inc()
}

// Request notes one request to a sink; kind is the kind of its fault, "" when it went well.
func (m *Metrics) Request(sink string, took time.Duration, kind string) {
	m.request.WithLabelValues(sink).Observe(took.Seconds())
	if kind != "" {
		m.errors.WithLabelValues(sink, kind).Inc()
	}
}

// HTTP notes one request that was served.
func (m *Metrics) HTTP(route, code string, took time.Duration) {
	m.http.WithLabelValues(route, code).Observe(took.Seconds())
}

func seconds(micros evaluator.Instant) float64 { return float64(micros) / 1e6 }
