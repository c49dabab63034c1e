package state

import (
	"encoding/binary"

	"muster/evaluator"
	"muster/pipeline/event"
)

const (
	metaIdentity = "identity"
	metaHead     = "head"
)

// Head is where the state stands: everything up to Position is in it, nothing after. It is written with every batch.
type Head struct {
	Position  event.LSN         // commit LSN of the last transaction applied
	End       event.LSN         // end of its commit record: what may be acknowledged
	Committed evaluator.Instant // its commit time, as the source said it
	Clock     evaluator.Instant // the last now used; never goes back
	Sequence  uint64            // of the last event; 0 before the first

	Generation   uint64               // of the definitions in force; 0 before any
	LastAudience evaluator.AudienceID // the highest id given out
	LastSchema   uint32

	Snapshot Progress // of the first snapshot
	Backfill Progress // of the scan that brings every record to Generation
	Staged   Staged   // a large transaction that is being applied in parts
	Resumed  []Range  // users that a resumed snapshot read at a later point than Position

	Reread Reread    // of the users table, which has to be read again
	Known  event.LSN // commit that the rows of all users are as of, when that lies after Position; else 0
}

// Reread says that the users table must be read again before the transaction at Position is applied, and when that is.
type Reread struct {
	Wanted    bool
	Now       evaluator.Instant
	Committed evaluator.Instant
	Position  event.LSN
}

// Range is a stretch of users that a resumed snapshot read as of Consistent. A change of one of them that was committed
// at or before that point is already in the state.
type Range struct {
	After, Through string // ids; After is excluded, Through included; "" is no bound
	Order          event.KeyOrder
	Consistent     event.LSN
}

// Holds reports whether the range already has the effect that a commit had on user.
func (r *Range) Holds(user string, commit event.LSN) bool {
	return commit <= r.Consistent && (r.After == "" || r.Order.Compare(user, r.After) > 0) && (r.Through == "" || r.Order.Compare(user, r.Through) <= 0)
}

// Progress is the place of a walk over all users in key order.
type Progress struct {
	Running bool
	After   string // the last user done; "" at the start
	Done    uint64 // users so far
}

// Staged is a large transaction whose changes all lie in the staging area and are being applied by user.
type Staged struct {
	Running     bool
	Transaction event.Position // its commit LSN; Index counts the changes staged
	End         event.LSN
	Time        evaluator.Instant
	After       string // the last user applied
}

// Head returns where the state stands; the zero Head for a new directory.
func (v *View) Head() (Head, error) {
	data, err := v.get(namedKey(prefixMeta, metaHead))
	if err != nil || data == nil {
		return Head{}, err
	}
	return decodeHead(data)
}

func (h *Head) append(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(h.Position))
	dst = binary.AppendUvarint(dst, uint64(h.End))
	dst = binary.AppendVarint(dst, int64(h.Committed))
	dst = binary.AppendVarint(dst, int64(h.Clock))
	dst = binary.AppendUvarint(dst, h.Sequence)
	dst = binary.AppendUvarint(dst, h.Generation)
	dst = binary.AppendUvarint(dst, uint64(h.LastAudience))
	dst = binary.AppendUvarint(dst, uint64(h.LastSchema))
	dst = h.Snapshot.append(dst)
	dst = h.Backfill.append(dst)
	dst = appendBool(dst, h.Staged.Running)
	if h.Staged.Running {
		dst = binary.AppendUvarint(dst, uint64(h.Staged.Transaction.LSN))
		dst = binary.AppendUvarint(dst, uint64(h.Staged.Transaction.Index))
		dst = binary.AppendUvarint(dst, uint64(h.Staged.End))
		dst = binary.AppendVarint(dst, int64(h.Staged.Time))
		dst = appendBytes(dst, h.Staged.After)
	}
	dst = binary.AppendUvarint(dst, uint64(len(h.Resumed)))
	for _, r := range h.Resumed {
		dst = appendBytes(dst, r.After)
		dst = appendBytes(dst, r.Through)
		dst = append(dst, byte(r.Order))
		dst = binary.AppendUvarint(dst, uint64(r.Consistent))
	}
	dst = binary.AppendUvarint(dst, uint64(h.Known))
	dst = appendBool(dst, h.Reread.Wanted)
	if h.Reread.Wanted {
		dst = binary.AppendVarint(dst, int64(h.Reread.Now))
		dst = binary.AppendVarint(dst, int64(h.Reread.Committed))
		dst = binary.AppendUvarint(dst, uint64(h.Reread.Position))
	}
	return dst
}

func decodeHead(data []byte) (Head, error) {
	in := reader{rest: data}
	h := Head{
		Position:     event.LSN(in.uvarint()),
		End:          event.LSN(in.uvarint()),
		Committed:    evaluator.Instant(in.varint()),
		Clock:        evaluator.Instant(in.varint()),
		Sequence:     in.uvarint(),
		Generation:   in.uvarint(),
		LastAudience: evaluator.AudienceID(in.uvarint()),
		LastSchema:   uint32(in.uvarint()),
		Snapshot:     readProgress(&in),
		Backfill:     readProgress(&in),
	}
	if in.byte() == 1 {
		h.Staged = Staged{
			Running:     true,
			Transaction: event.Position{LSN: event.LSN(in.uvarint()), Index: uint32(in.uvarint())},
			End:         event.LSN(in.uvarint()),
			Time:        evaluator.Instant(in.varint()),
			After:       in.string(),
		}
	}
	for range in.count() {
		h.Resumed = append(h.Resumed, Range{
			After: in.string(), Through: in.string(), Order: event.KeyOrder(in.byte()), Consistent: event.LSN(in.uvarint()),
		})
	}
	if len(in.rest) > 0 { // written by a version that knew of these
		h.Known = event.LSN(in.uvarint())
		if in.byte() == 1 {
			h.Reread = Reread{
				Wanted: true, Now: evaluator.Instant(in.varint()), Committed: evaluator.Instant(in.varint()), Position: event.LSN(in.uvarint()),
			}
		}
	}
	return h, in.err
}

func (p *Progress) append(dst []byte) []byte {
	dst = appendBool(dst, p.Running)
	dst = appendBytes(dst, p.After)
	return binary.AppendUvarint(dst, p.Done)
}

func readProgress(in *reader) Progress {
	return Progress{Running: in.byte() == 1, After: in.string(), Done: in.uvarint()}
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}
