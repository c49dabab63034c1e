package pgoutput

import (
	"math"

	"muster/evaluator"
	"muster/pipeline/event"
)

// open is the transaction between Begin and Commit.
type open struct {
	active bool
	skip   bool // decoded before, all of it
	commit event.LSN
	time   evaluator.Instant
	first  int // its changes are pending.changes[first:]
	bytes  int // that its changes took since the last part
	made   int // changes made so far, those of parts given out included
	known  int // changes that were given out on an earlier connection: not to be added again
}

// place is how far the stream has been decoded and given out.
type place struct {
	after   event.LSN // commit of the last whole transaction
	end     event.LSN // end of the last whole transaction
	partial event.LSN // commit of the transaction that is out in part
	changes int       // how many of its changes are
}

// pending is what waits for Take. All transactions' changes lie in one slice, which is left behind with them.
type pending struct {
	transactions []event.Transaction
	changes      []event.Change
	held         int // bytes of the rows that changes keeps in memory
	count, bytes int
}

const (
	changesChunk = 512     // changes that share a slice, unless one transaction has more
	heldBytes    = 4 << 20 // of their rows, beyond which the next transaction gets a slice of its own
)

// Restart prepares for a new connection: what the server told on the old one is forgotten, an open transaction is
// dropped, and what will be sent again is skipped. It returns the position to ask the server for.
func (d *Decoder) Restart() event.LSN {
	d.pending.changes = d.pending.changes[:d.openStart()]
	d.open = open{}
	clear(d.relations)
	return d.Reached()
}

// Seek sets the position: transactions with a commit LSN above after come out, none at or below. What is pending is
// dropped. It is for a new stream; Restart is for going on with one.
func (d *Decoder) Seek(after event.LSN) {
	d.pending, d.open, d.place = pending{}, open{}, place{after: after}
	clear(d.relations)
}

func (d *Decoder) openStart() int {
	if d.open.active {
		return d.open.first
	}
	return len(d.pending.changes)
}

// InTransaction reports whether a transaction has begun and not ended.
func (d *Decoder) InTransaction() bool { return d.open.active }

// End returns the end of the last whole transaction that came out, 0 before there was one.
func (d *Decoder) End() event.LSN { return d.place.end }

// Reached returns the position up to which everything came out, the one of Seek before anything did.
func (d *Decoder) Reached() event.LSN { return max(d.place.after, d.place.end) }

// CommitTime returns the commit time of the transaction that was met last.
func (d *Decoder) CommitTime() evaluator.Instant { return d.time }

func (d *Decoder) begin(c *cursor) error {
	commit, at := event.LSN(c.uint64()), evaluator.Instant(c.uint64())
	if c.bad || d.open.active {
		return ErrMalformed
	}
	d.time = at
	if d.pending.held > heldBytes {
		d.pending.changes, d.pending.held = nil, 0
	}
	d.open = open{active: true, commit: commit, time: at, skip: commit <= d.place.after, first: len(d.pending.changes)}
	if commit == d.place.partial {
		d.open.known = d.place.changes
	}
	return nil
}

func (d *Decoder) commit(c *cursor) error {
	c.take(1) // flags, unused
	commit, end := event.LSN(c.uint64()), event.LSN(c.uint64())
	if c.bad || !d.open.active || commit != d.open.commit {
		return ErrMalformed
	}
	if !d.open.skip {
		d.push(end, false)
		d.place = place{after: commit, end: end}
		d.counts.Transactions++
	}
	d.open.active = false
	return nil
}

// add appends a change to the open transaction, unless it came out before the connection was cut, and first gives out
// what has gathered as a part when that is large.
func (d *Decoder) add(of table, change event.Change) error {
	if !d.open.active {
		return ErrMalformed
	}
	if d.open.skip {
		return nil
	}
	if n := d.open.made - d.place.changesOf(d.open.commit); n > 0 && (n >= d.partChanges || d.open.bytes >= d.partBytes) {
		d.cut()
	}
	d.open.made++
	d.open.bytes += d.size
	d.size = 0 // counted once, also when a message makes several changes
	if d.open.made <= d.open.known {
		d.open.bytes = 0
		return nil
	}
	d.counts.add(of, change.Op)
	p := &d.pending
	p.held += len(change.Row)
	if len(p.changes) == cap(p.changes) {
		d.grow()
	}
	p.changes = append(p.changes, change)
	return nil
}

// changesOf returns how many changes of the transaction with that commit are out.
func (p *place) changesOf(commit event.LSN) int {
	if p.partial == commit {
		return p.changes
	}
	return 0
}

// cut gives the open transaction's changes out as a part.
func (d *Decoder) cut() {
	d.push(d.open.commit, true)
	d.place.partial, d.place.changes = d.open.commit, d.open.made
	d.open.bytes, d.open.first = 0, 0
	d.pending.changes, d.pending.held = nil, 0
}

// grow moves the open transaction's changes to a new slice, so that they stay contiguous. The old one stays with the
// transactions before.
func (d *Decoder) grow() {
	held := d.pending.changes[d.open.first:]
	size := min(max(16, 2*cap(d.pending.changes)), changesChunk)
	changes := make([]event.Change, len(held), max(size, min(2*len(held), PartChanges)))
	copy(changes, held)
	d.pending.changes, d.open.first = changes, 0
}

// push makes the open transaction's changes a pending transaction. A mere position before it that nobody has taken yet says
// nothing more; a commit without changes does: it is the one that passes the timers due up to its time, however much of the
// log was read at once.
func (d *Decoder) push(end event.LSN, more bool) {
	p, o := &d.pending, &d.open
	changes := p.changes[o.first:len(p.changes):len(p.changes)]
	o.first = len(p.changes)
	p.count += len(changes)
	p.bytes += o.bytes
	if n := len(p.transactions); n > 0 && len(changes) == 0 && !more {
		if last := &p.transactions[n-1]; len(last.Changes) == 0 && !last.More && last.End-last.Commit == 1 { // from Position
			last.Commit, last.End, last.Time = o.commit, end, max(last.Time, o.time)
			last.Bytes += o.bytes
			return
		}
	}
	p.transactions = append(p.transactions, event.Transaction{
		Commit: o.commit, End: end, Time: o.time, Changes: changes, More: more, Bytes: o.bytes,
	})
}

// Position adds a transaction without changes that says only: nothing with a commit before end is still to come. It has
// the time of the transaction before it, and a commit just below end, since a commit record may begin exactly at end.
func (d *Decoder) Position(end event.LSN) {
	if d.open.active || d.place.partial != 0 || end <= d.place.end || end-1 <= d.place.after {
		return
	}
	d.open = open{commit: end - 1, time: d.time, first: len(d.pending.changes)}
	d.push(end, false)
	d.place = place{after: end - 1, end: end}
}

// Pending reports whether Take would return anything.
func (d *Decoder) Pending() bool { return len(d.pending.transactions) > 0 }

// PendingChanges returns how many changes Take would return.
func (d *Decoder) PendingChanges() int { return d.pending.count }

// Full reports whether so much is pending that it should be taken before more is decoded.
func (d *Decoder) Full() bool {
	p := &d.pending
	return p.count >= batchChanges || p.bytes >= batchBytes || len(p.transactions) >= batchChanges
}

// Take returns what is pending, which is the caller's from then on. An open transaction stays.
func (d *Decoder) Take() []event.Transaction {
	p := &d.pending
	taken := p.transactions
	p.transactions, p.count, p.bytes = nil, 0, 0
	if len(taken) > 4 { // under load; a single transaction should not hold room for many
		p.transactions = make([]event.Transaction, 0, min(len(taken), math.MaxUint16))
	}
	return taken
}
