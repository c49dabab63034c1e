package state

import (
	"cmp"
	"encoding/binary"
	"slices"

	"muster/evaluator"
	"muster/pipeline/event"
)

// Record is all that is known of one user id: its row as last committed, what it is and was a member of, and the static
// memberships recorded for it. It outlives the user, because entry counts and used triggers do, and it may
// precede the user, because static members may be recorded before their user exists.
type Record struct {
	Present    bool // the user is in the users table
	Schema     uint32
	Tuple      evaluator.Tuple   // the row, when present; kept after a delete only as nil
	Generation uint64            // of the definitions that judged it last
	Flip       evaluator.Instant // the timer set for it; NoInstant when none

	Memberships []Membership // ascending by (Audience, Tenant); entries of former members stay
	Recorded    []Recorded   // ascending by (Audience, Tenant)
	Waits       []Wait       // ascending by Audience
}

// Wait is an entry to, or exit from, an audience that settles: its conditions hold, or no longer hold, and the membership
// will follow at Due unless they change back before. Whether it is an entry shows in the membership, which is the other.
type Wait struct {
	Audience evaluator.AudienceID
	Due      evaluator.Instant
	Cause    event.Cause // of the flip that began it
}

// Membership is a user's relation to one audience and tenant, once it has been a member.
type Membership struct {
	Audience  evaluator.AudienceID
	Tenant    string
	In        bool
	Triggered bool   // an entry had trigger true
	Version   uint32 // of the definition that made the last change
	Count     uint64 // entries so far
	EnteredAt evaluator.Instant
	Cause     event.Cause // of the last change; 0 when it is not known
}

// Recorded is a row of the table of static members.
type Recorded struct {
	Audience evaluator.AudienceID
	Tenant   string
	AddedAt  evaluator.Instant
}

// NewRecord is the record of an id never seen.
func NewRecord() Record { return Record{Flip: evaluator.NoInstant} }

// Empty reports whether nothing needs to be remembered.
func (r *Record) Empty() bool { return !r.Present && len(r.Memberships) == 0 && len(r.Recorded) == 0 }

// Membership returns the entry of (audience, tenant), or nil. It is valid until the next insertion.
func (r *Record) Membership(audience evaluator.AudienceID, tenant string) *Membership {
	if i, found := r.find(audience, tenant); found {
		return &r.Memberships[i]
	}
	return nil
}

// Ensure returns the entry of (audience, tenant), inserting one that was never in.
func (r *Record) Ensure(audience evaluator.AudienceID, tenant string) *Membership {
	i, found := r.find(audience, tenant)
	if !found {
		r.Memberships = slices.Insert(r.Memberships, i, Membership{Audience: audience, Tenant: tenant})
	}
	return &r.Memberships[i]
}

// OfAudience returns the entries of one audience, over all tenants.
func (r *Record) OfAudience(audience evaluator.AudienceID) []Membership {
	from, _ := r.find(audience, "")
	to := from
	for to < len(r.Memberships) && r.Memberships[to].Audience == audience {
		to++
	}
	return r.Memberships[from:to]
}

// Record notes a static member; it reports whether it was new.
func (r *Record) Record(m Recorded) bool {
	i, found := r.findRecorded(m.Audience, m.Tenant)
	if !found {
		r.Recorded = slices.Insert(r.Recorded, i, m)
	}
	return !found
}

// Forget removes a static member; it reports whether it was there.
func (r *Record) Forget(audience evaluator.AudienceID, tenant string) bool {
	i, found := r.findRecorded(audience, tenant)
	if found {
		r.Recorded = slices.Delete(r.Recorded, i, i+1)
	}
	return found
}

// Wait returns the wait of an audience, or nil.
func (r *Record) Wait(audience evaluator.AudienceID) *Wait {
	for i := range r.Waits {
		if r.Waits[i].Audience == audience {
			return &r.Waits[i]
		}
	}
	return nil
}

// SetWait begins a wait, or replaces it.
func (r *Record) SetWait(w Wait) {
	if have := r.Wait(w.Audience); have != nil {
		*have = w
		return
	}
	i, _ := slices.BinarySearchFunc(r.Waits, w.Audience, func(w Wait, a evaluator.AudienceID) int { return cmp.Compare(w.Audience, a) })
	r.Waits = slices.Insert(r.Waits, i, w)
}

// EndWait ends the wait of an audience, if there is one.
func (r *Record) EndWait(audience evaluator.AudienceID) {
	r.Waits = slices.DeleteFunc(r.Waits, func(w Wait) bool { return w.Audience == audience })
}

func (r *Record) find(audience evaluator.AudienceID, tenant string) (int, bool) {
	return slices.BinarySearchFunc(r.Memberships, audience, func(m Membership, a evaluator.AudienceID) int {
		return cmp.Or(cmp.Compare(m.Audience, a), cmp.Compare(m.Tenant, tenant))
	})
}

func (r *Record) findRecorded(audience evaluator.AudienceID, tenant string) (int, bool) {
	return slices.BinarySearchFunc(r.Recorded, audience, func(m Recorded, a evaluator.AudienceID) int {
		return cmp.Or(cmp.Compare(m.Audience, a), cmp.Compare(m.Tenant, tenant))
	})
}

const (
	flagPresent = 1 << iota
	flagFlip
	flagMemberships
	flagRecorded
	flagWaits
)

const (
	flagIn = 1 << iota
	flagTriggered
	flagTenant
	causeShift = 3 // the cause is in the bits above
)

// Append encodes the record.
func (r *Record) Append(dst []byte) []byte {
	var flags byte
	if r.Present {
		flags |= flagPresent
	}
	if r.Flip != evaluator.NoInstant {
		flags |= flagFlip
	}
	if len(r.Memberships) > 0 {
		flags |= flagMemberships
	}
	if len(r.Recorded) > 0 {
		flags |= flagRecorded
	}
	if len(r.Waits) > 0 {
		flags |= flagWaits
	}
	dst = append(dst, flags)
	dst = binary.AppendUvarint(dst, r.Generation)
	if r.Present {
		dst = binary.AppendUvarint(dst, uint64(r.Schema))
		dst = appendBytes(dst, []byte(r.Tuple))
	}
	if flags&flagFlip != 0 {
		dst = binary.AppendVarint(dst, int64(r.Flip))
	}
	if flags&flagMemberships != 0 {
		dst = appendMemberships(dst, r.Memberships)
	}
	if flags&flagRecorded != 0 {
		dst = appendRecorded(dst, r.Recorded)
	}
	if flags&flagWaits != 0 {
		dst = appendWaits(dst, r.Waits)
	}
	return dst
}

// Decode sets r to the record encoded in data, reusing r's slices. The tuple points into data.
func (r *Record) Decode(data []byte) error {
	in := reader{rest: data}
	flags := in.byte()
	*r = Record{Flip: evaluator.NoInstant, Memberships: r.Memberships[:0], Recorded: r.Recorded[:0], Waits: r.Waits[:0]}
	r.Present = flags&flagPresent != 0
	r.Generation = in.uvarint()
	if r.Present {
		r.Schema = uint32(in.uvarint())
		r.Tuple = evaluator.Tuple(in.bytes())
	}
	if flags&flagFlip != 0 {
		r.Flip = evaluator.Instant(in.varint())
	}
	if flags&flagMemberships != 0 {
		r.Memberships = readMemberships(&in, r.Memberships)
	}
	if flags&flagRecorded != 0 {
		r.Recorded = readRecorded(&in, r.Recorded)
	}
	if flags&flagWaits != 0 {
		r.Waits = readWaits(&in, r.Waits)
	}
	if len(in.rest) != 0 {
		in.fail()
	}
	return in.err
}

// appendMemberships writes ids as differences, since they ascend: about two bytes each in a large catalogue.
func appendMemberships(dst []byte, list []Membership) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	last := evaluator.AudienceID(0)
	for i := range list {
		m := &list[i]
		var flags byte
		if m.In {
			flags |= flagIn
		}
		if m.Triggered {
			flags |= flagTriggered
		}
		if m.Tenant != "" {
			flags |= flagTenant
		}
		dst = append(dst, flags|byte(m.Cause)<<causeShift)
		dst = binary.AppendUvarint(dst, uint64(m.Audience-last))
		last = m.Audience
		if m.Tenant != "" {
			dst = appendBytes(dst, m.Tenant)
		}
		dst = binary.AppendUvarint(dst, uint64(m.Version))
		dst = binary.AppendUvarint(dst, m.Count)
		dst = binary.AppendVarint(dst, int64(m.EnteredAt))
	}
	return dst
}

func readMemberships(in *reader, list []Membership) []Membership {
	last := evaluator.AudienceID(0)
	for range in.count() {
		flags := in.byte()
		m := Membership{In: flags&flagIn != 0, Triggered: flags&flagTriggered != 0, Cause: event.Cause(flags >> causeShift)}
		last += evaluator.AudienceID(in.uvarint())
		m.Audience = last
		if flags&flagTenant != 0 {
			m.Tenant = in.string()
		}
		m.Version = uint32(in.uvarint())
		m.Count = in.uvarint()
		m.EnteredAt = evaluator.Instant(in.varint())
		list = append(list, m)
	}
	return list
}

func appendRecorded(dst []byte, list []Recorded) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, m := range list {
		dst = binary.AppendUvarint(dst, uint64(m.Audience))
		dst = appendBytes(dst, m.Tenant)
		dst = binary.AppendVarint(dst, int64(m.AddedAt))
	}
	return dst
}

func readRecorded(in *reader, list []Recorded) []Recorded {
	for range in.count() {
		list = append(list, Recorded{
			Audience: evaluator.AudienceID(in.uvarint()),
			Tenant:   in.string(),
			AddedAt:  evaluator.Instant(in.varint()),
		})
	}
	return list
}

func appendWaits(dst []byte, list []Wait) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, w := range list {
		dst = binary.AppendUvarint(dst, uint64(w.Audience))
		dst = binary.AppendVarint(dst, int64(w.Due))
		dst = append(dst, byte(w.Cause))
	}
	return dst
}

func readWaits(in *reader, list []Wait) []Wait {
	for range in.count() {
		list = append(list, Wait{
			Audience: evaluator.AudienceID(in.uvarint()), Due: evaluator.Instant(in.varint()), Cause: event.Cause(in.byte()),
		})
	}
	return list
}
