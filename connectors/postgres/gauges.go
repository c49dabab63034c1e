package postgres

import (
	"sync"
	"sync/atomic"
	"time"

	"muster/connectors/postgres/pgoutput"
	"muster/evaluator"
	"muster/pipeline/event"
)

// Status is how the source is doing, for metrics and health.
type Status struct {
	Connected    bool      // the stream runs
	Waiting      bool      // another worker reads the slot
	ReceivedLSN  event.LSN // end of the last transaction that was sent on
	AckedLSN     event.LSN // last acknowledgement that the server was told
	ServerWALEnd event.LSN // how far the server has read its log, as it last said
	LastCommit   evaluator.Instant

	RetainedBytes     int64  // of log that the server keeps for the slot
	SlotWALStatus     string // reserved, extended, unreserved or lost; "" before the first look
	SlotSeen          time.Time
	ServerClockOffset time.Duration // server's clock minus ours

	Reconnects    uint64
	Transactions  uint64
	Changes       map[TableOp]uint64
	Bytes         uint64 // of changes, as received
	SnapshotRows  int64
	SnapshotTotal int64
}

// gauges collects what Status returns. The stream, the watch and readers of Status touch them at once.
type gauges struct {
	connected   atomic.Bool
	reconnects  atomic.Uint64
	serverEnd   atomic.Uint64
	acked       atomic.Uint64
	clockOffset atomic.Int64

	snapshotRows, snapshotTotal atomic.Int64

	mu         sync.Mutex
	received   event.LSN
	lastCommit evaluator.Instant
	counts     pgoutput.Counts
	bytes      uint64
	slot       Slot
	slotSeen   time.Time
}

func (g *gauges) serverAt(walEnd event.LSN)         { g.serverEnd.Store(uint64(walEnd)) }
func (g *gauges) acknowledgedAt(position event.LSN) { g.acked.Store(uint64(position)) }

func (g *gauges) decoded(d *pgoutput.Decoder, batch []event.Transaction) {
	bytes := 0
	for i := range batch {
		bytes += batch[i].Bytes
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.received, g.lastCommit, g.counts = d.End(), d.CommitTime(), d.Counts()
	g.bytes += uint64(bytes)
}

func (g *gauges) saw(slot Slot) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.slot, g.slotSeen = slot, time.Now()
}

// transactions counts what came, whatever it was: it says whether the log has been silent.
func (g *gauges) transactions() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.counts.Transactions
}

// Status returns the present figures.
func (s *Source) Status() Status {
	g := &s.gauges
	g.mu.Lock()
	defer g.mu.Unlock()
	return Status{
		Connected:         g.connected.Load(),
		Waiting:           s.hold.waiting(),
		ReceivedLSN:       g.received,
		AckedLSN:          event.LSN(g.acked.Load()),
		ServerWALEnd:      max(event.LSN(g.serverEnd.Load()), g.received),
		LastCommit:        g.lastCommit,
		RetainedBytes:     g.slot.RetainedBytes,
		SlotWALStatus:     g.slot.WALStatus,
		SlotSeen:          g.slotSeen,
		ServerClockOffset: time.Duration(g.clockOffset.Load()) * time.Microsecond,
		Reconnects:        g.reconnects.Load(),
		Transactions:      g.counts.Transactions,
		Changes:           g.counts.Changes(),
		Bytes:             g.bytes,
		SnapshotRows:      g.snapshotRows.Load(),
		SnapshotTotal:     g.snapshotTotal.Load(),
	}
}

// TableOp names a kind of change: a table (users, members, commits, messages) and what was done.
type TableOp = pgoutput.TableOp
