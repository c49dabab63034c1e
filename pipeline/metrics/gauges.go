package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"muster/evaluator"
	"muster/pipeline"
	"muster/pipeline/event"
)

// Source is what the gauges need to know of the connection to Postgres.
type Source struct {
	Connected    bool
	Waiting      bool      // another worker reads the slot
	ServerEnd    event.LSN // end of the server's log
	Retained     int64     // bytes of log the slot holds back; negative when it is not known
	SlotStatus   string    // wal_status: reserved, extended, unreserved, lost; "" when it is not known
	Transactions uint64    // read since the start
	Changes      map[ChangeKind]uint64
}

// ChangeKind is one label pair of muster_source_changes_total.
type ChangeKind struct{ Table, Op string }

// gauges reads the pipeline and the source when it is scraped.
type gauges struct {
	pipeline *pipeline.Pipeline
	source   func() Source
}

// Watch adds the gauges of a pipeline and its source. Call it once.
func (m *Metrics) Watch(p *pipeline.Pipeline, source func() Source) {
	m.Registry.MustRegister(&gauges{p, source})
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	lagBytes        = describe("muster_source_lag_bytes", "Log written by Postgres and not yet applied.")
	lagSeconds      = describe("muster_source_lag_seconds", "Age of the last transaction applied while there is log to read; 0 when there is none.")
	transactions    = describe("muster_source_transactions_total", "Transactions read.")
	changes         = describe("muster_source_changes_total", "Row changes read, by table and operation.", "table", "op")
	retained        = describe("muster_slot_retained_bytes", "Log that the replication slot keeps Postgres from removing.")
	slotStatus      = describe("muster_slot_status", "1 for the present wal_status of the replication slot.", "status")
	waiting         = describe("muster_source_waiting", "1 while another worker reads the replication slot and this one stands by.")
	connected       = describe("muster_source_connected", "1 while the replication connection is up.")
	snapshotRows    = describe("muster_snapshot_rows", "Users read by the first snapshot.")
	snapshotTotal   = describe("muster_snapshot_rows_total", "Users the first snapshot expects, an estimate.")
	audienceMembers = describe("muster_audience_members", "Members of an audience.", "audience")
	outboxEvents    = describe("muster_outbox_events", "Events in the outbox.")
	outboxBytes     = describe("muster_outbox_bytes", "Size of the events in the outbox.")
	outboxMaxBytes  = describe("muster_outbox_max_bytes", "Size of the outbox at which reading stops: outbox.max_bytes.")
	timersPending   = describe("muster_timers_pending", "Users with a timer, counted at most every ten seconds.")
	sinkLag         = describe("muster_sink_lag_events", "Events a sink has yet to take.", "sink")
	sinkLagSeconds  = describe("muster_sink_lag_seconds", "Age of the oldest event a sink has yet to take; 0 when there is none.", "sink")
	backfillRunning = describe("muster_backfill_running", "1 while users are being brought to a new generation of definitions.")
	rereading       = describe("muster_reread_running", "1 while the users table is read again, since its rows changed without a word in the log.")
	backfillUsers   = describe("muster_backfill_users", "Users done by the running backfill.")
)

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range [...]*prometheus.Desc{lagBytes, lagSeconds, transactions, changes, retained, slotStatus, connected, waiting, snapshotRows,
		snapshotTotal, audienceMembers, outboxEvents, outboxBytes, outboxMaxBytes, timersPending, sinkLag, sinkLagSeconds, backfillRunning, rereading, backfillUsers} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	status, source := g.pipeline.Status(), g.source()
	g.collectSource(ch, gauge, status, source)
	gauge(snapshotRows, float64(status.SnapshotRows))
	// an estimate and no counter, though its name is one's: untyped
	ch <- prometheus.MustNewConstMetric(snapshotTotal, prometheus.UntypedValue, float64(status.SnapshotTotal))
	gauge(outboxEvents, float64(status.OutboxEvents))
	gauge(outboxBytes, float64(status.OutboxBytes))
	gauge(outboxMaxBytes, float64(status.OutboxLimit))
	gauge(timersPending, float64(g.pipeline.PendingTimers()))
	gauge(backfillRunning, number(status.Backfill.Running))
	gauge(rereading, number(status.Phase == pipeline.Rereading))
	gauge(backfillUsers, float64(status.Backfill.Done))
	for _, s := range status.Sinks {
		gauge(sinkLag, float64(s.Lag), s.Name)
		age := 0.0
		if s.Oldest != evaluator.NoInstant {
			age = max(0, seconds(status.SourceNow-s.Oldest))
		}
		gauge(sinkLagSeconds, age, s.Name)
	}
	for _, a := range g.pipeline.AudienceSizes() {
		gauge(audienceMembers, float64(a.Members), a.Audience)
	}
}

func (g *gauges) collectSource(ch chan<- prometheus.Metric, gauge func(*prometheus.Desc, float64, ...string), status pipeline.Status, source Source) {
	lag := 0.0
	if source.ServerEnd > status.Position {
		lag = float64(source.ServerEnd - status.Position)
	}
	gauge(lagBytes, lag)
	age := 0.0
	if !g.pipeline.Idle() && status.Position > 0 {
		age = max(0, seconds(status.SourceNow-status.Committed))
	}
	gauge(lagSeconds, age)
	gauge(connected, number(source.Connected))
	gauge(waiting, number(source.Waiting))
	if source.Retained >= 0 {
		gauge(retained, float64(source.Retained))
	}
	if source.SlotStatus != "" {
		gauge(slotStatus, 1, source.SlotStatus)
	}
	ch <- prometheus.MustNewConstMetric(transactions, prometheus.CounterValue, float64(source.Transactions))
	for kind, n := range source.Changes {
		ch <- prometheus.MustNewConstMetric(changes, prometheus.CounterValue, float64(n), kind.Table, kind.Op)
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
