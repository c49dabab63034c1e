package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"muster/pipeline/event"
	"muster/pipeline/state"
)

// ErrNoSnapshotter is returned when a new state needs a snapshot and the source has none to give.
var ErrNoSnapshotter = errors.New("source cannot make a snapshot")

// snapshot fills a new state from the source's tables, chunk by chunk, each an atomic batch that remembers how far it
// came. It does nothing when the state is complete.
func (p *Pipeline) snapshot(ctx context.Context) error {
	if p.head.Position > 0 && !p.head.Snapshot.Running {
		return nil
	}
	source, ok := p.source.(Snapshotter)
	if !ok {
		return ErrNoSnapshotter
	}
	p.phase.Store(int32(Snapshotting))
	return p.patiently(ctx, "the first snapshot", func() error {
		return source.Snapshot(ctx, p.resume(), func(ctx context.Context, chunk event.SnapshotChunk) error {
			if err := p.outbox.room(ctx, p.options.OutboxLimit); err != nil {
				return err
			}
			return p.work(ctx, func(w *state.Batch) (*batch, error) { return p.chunk(&chunk, w) })
		})
	})
}

// resume is where the snapshot goes on. Users come last, so that there is one in the state only if all static members are;
// members that come twice are one.
func (p *Pipeline) resume() event.SnapshotResume {
	started := p.head.Snapshot.Running && p.catalogue.current() != nil
	after := p.head.Snapshot.After
	return event.SnapshotResume{Started: started, Members: started && after != "", AfterKey: after}
}

// chunk builds the batch of one chunk.
func (p *Pipeline) chunk(c *event.SnapshotChunk, w *state.Batch) (*batch, error) {
	b := p.newBatch()
	b.snapshot, b.rebuild = true, p.rebuilding
	t := chunkTransaction(c)
	if err := p.begin(b, c, &t, w); err != nil {
		return nil, err
	}
	if err := p.include(b, &t, max(c.Time, b.head.Clock), w); err != nil {
		return nil, err
	}
	b.horizon = horizon{instant: b.head.Clock, whole: true}
	p.placeChunk(b, c)
	b.head.Snapshot = state.Progress{Running: !c.Last, After: c.Through, Done: b.head.Snapshot.Done + uint64(len(c.Users))}
	p.snapshotRows.Store(int64(b.head.Snapshot.Done))
	p.snapshotTotal.Store(c.Total)
	if c.Last {
		b.head.Snapshot = state.Progress{}
		b.head.Backfill = state.Progress{}
		if len(p.catalogue.generations) > 1 {
			// The table was altered while the snapshot was interrupted: what was read before may be of other rows.
			b.head.Reread = state.Reread{Wanted: true, Now: b.head.Clock, Committed: c.Time, Position: b.head.Position}
		}
		p.log.Info("snapshot complete", "users", p.snapshotRows.Load(), "position", c.Consistent)
	}
	return b, nil
}

// placeChunk keeps the position at the consistent point of the first chunk, from where streaming goes on, and notes what
// a resumed snapshot read later than that.
func (p *Pipeline) placeChunk(b *batch, c *event.SnapshotChunk) {
	if b.origin == 0 || b.origin == c.Consistent {
		return
	}
	b.head.Position, b.head.End = p.head.Position, p.head.End
	if len(c.Users) == 0 && !c.Last {
		return
	}
	through := c.Through
	if c.Last { // no user behind the last was there either
		through = ""
	}
	ranges := slices.Clone(b.head.Resumed)
	if n := len(ranges); n > 0 && ranges[n-1].Consistent == c.Consistent {
		ranges[n-1].Through = through
	} else {
		ranges = append(ranges, state.Range{After: c.After, Through: through, Order: c.Order, Consistent: c.Consistent})
	}
	b.head.Resumed = ranges
}

// known reports whether the state already has the effect that a commit had on user, because a resumed snapshot, or a
// reading of the table again, read the user later than that.
func known(h *state.Head, user string, commit event.LSN) bool {
	if commit <= h.Known {
		return true
	}
	for i := range h.Resumed {
		if h.Resumed[i].Holds(user, commit) {
			return true
		}
	}
	return false
}

// forgetRanges drops what no later transaction can concern.
func forgetRanges(h *state.Head) {
	if h.Known <= h.Position {
		h.Known = 0
	}
	h.Resumed = slices.DeleteFunc(slices.Clone(h.Resumed), func(r state.Range) bool { return r.Consistent <= h.Position })
}

// chunkTransaction is a chunk in the form of a transaction.
func chunkTransaction(c *event.SnapshotChunk) event.Transaction {
	t := event.Transaction{Commit: c.Consistent, End: c.Consistent, Time: c.Time}
	for i := range c.Members {
		t.Changes = append(t.Changes, event.Change{Op: event.MemberAdd, Member: &c.Members[i]})
	}
	for i := range c.Users {
		t.Changes = append(t.Changes, event.Change{Op: event.Upsert, User: c.Users[i].ID, Schema: c.Schema, Row: c.Users[i].Row})
	}
	return t
}

// begin puts the first generation into force, from the definitions of the snapshot.
func (p *Pipeline) begin(b *batch, c *event.SnapshotChunk, t *event.Transaction, w *state.Batch) error {
	g := p.catalogue.current()
	if g != nil && (c.Schema == nil || c.Schema.Identical(g.schema)) {
		return nil
	}
	if c.Schema == nil {
		return fmt.Errorf("first chunk of the snapshot names no columns")
	}
	return p.advance(b, t, c.Schema, c.Definitions, w)
}

// Phase is what a pipeline is doing.
type Phase int32

const (
	Starting Phase = iota
	Snapshotting
	Streaming
	Rereading // the users table, since rows changed without a word in the log
)
