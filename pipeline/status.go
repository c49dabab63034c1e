package pipeline

import (
	"maps"
	"slices"
	"strings"
	"time"

	"muster/evaluator"
	"muster/pipeline/event"
	"muster/pipeline/state"
)

// Status is where a running pipeline stands, for metrics, health and people.
type Status struct {
	Phase      Phase
	Position   event.LSN         // applied and seen by readers
	Durable    event.LSN         // on disk
	Committed  evaluator.Instant // commit time of the last transaction applied
	Clock      evaluator.Instant // the last now used
	Sequence   uint64            // of the last event
	Generation uint64            // of the definitions in force

	OutboxEvents, OutboxBytes   int64
	OutboxLimit                 int64 // bytes at which reading stops
	SnapshotRows, SnapshotTotal int64
	Backfill                    state.Progress
	NextTimer                   evaluator.Instant // NoInstant when none
	SourceNow                   evaluator.Instant // an estimate of the source's clock
	Sinks                       []SinkStatus
}

// Status may be called at any time, from any goroutine.
func (p *Pipeline) Status() Status {
	h, d := p.applied.get(), p.durable.get()
	s := Status{
		Phase: Phase(p.phase.Load()), Position: h.Position, Durable: d.Position, Committed: h.Committed, Clock: h.Clock,
		Sequence: h.Sequence, Generation: h.Generation, Backfill: h.Backfill,
		OutboxEvents: p.outbox.events.Load(), OutboxBytes: p.outbox.bytes.Load(),
		OutboxLimit:  p.options.OutboxLimit,
		SnapshotRows: p.snapshotRows.Load(), SnapshotTotal: p.snapshotTotal.Load(),
		SourceNow: p.clock.now(), NextTimer: evaluator.NoInstant,
	}
	if next, err := p.nextTimer(); err == nil {
		s.NextTimer = next
	}
	for _, sink := range p.sinks {
		s.Sinks = append(s.Sinks, sink.status(d.Sequence))
	}
	return s
}

func (d *delivery) status(last uint64) SinkStatus {
	s := SinkStatus{
		Name: d.sink.Name(), Ready: d.ready.Load(), Stopped: d.dead.Load(),
		Delivered: d.delivered.get().Sequence, Oldest: evaluator.NoInstant,
	}
	if last > s.Delivered {
		s.Lag = last - s.Delivered
		oldest, err := d.pipeline.store.Outbox(nil, s.Delivered+1, s.Delivered+1, 1)
		if err == nil && len(oldest) == 1 {
			s.Oldest = oldest[0].CommittedAt
		}
	}
	return s
}

// AudienceSizes returns how many members each audience in force has, by key.
func (p *Pipeline) AudienceSizes() []AudienceSize {
	g := p.inForce.Load()
	if g == nil {
		return nil
	}
	p.sizes.mu.Lock()
	defer p.sizes.mu.Unlock()
	list := make([]AudienceSize, 0, len(g.rules))
	for _, id := range slices.Sorted(maps.Keys(g.rules)) {
		list = append(list, AudienceSize{Audience: g.rules[id].key, Members: p.sizes.members[id]})
	}
	slices.SortFunc(list, func(a, b AudienceSize) int { return strings.Compare(a.Audience, b.Audience) })
	return list
}

// Idle reports whether everything that was read has been applied.
func (p *Pipeline) Idle() bool { return !p.busy.Load() }

// countTimersEvery bounds how often the timers are counted, which reads all of them.
const countTimersEvery = 10 * time.Second

// PendingTimers is the number of users with a timer, at most ten seconds old.
func (p *Pipeline) PendingTimers() uint64 {
	p.timers.Lock()
	defer p.timers.Unlock()
	if time.Since(p.timers.counted) > countTimersEvery {
		if n, err := p.store.Timers(); err == nil {
			p.timers.pending, p.timers.counted = n, time.Now()
		}
	}
	return p.timers.pending
}
