package pipeline

import "muster/pipeline/state"

// spares are subjects of batches that are written, for the batches to come: what they hold of memory for memberships and
// events is used again. They belong to the run loop.
type spares struct{ subjects []*subject }

const (
	spareSubjects = 8192 // kept, about two full batches' worth
	spareItems    = 64   // memberships, events or touches of one that are kept: most users have few, and a few have thousands
)

// take returns a subject for a user.
func (p *spares) take(user string) *subject {
	last := len(p.subjects) - 1
	if last < 0 {
		return &subject{user: user}
	}
	s := p.subjects[last]
	p.subjects[last] = nil
	p.subjects = p.subjects[:last]
	s.user = user
	return s
}

// give takes subjects back that nobody refers to any more, nor to their events.
func (p *spares) give(subjects []*subject) {
	for _, s := range subjects[:min(len(subjects), spareSubjects-len(p.subjects))] {
		*s = subject{
			touches: spare(s.touches), events: spare(s.events), recorded: spare(s.recorded),
			record: state.Record{Memberships: spare(s.record.Memberships), Recorded: spare(s.record.Recorded), Waits: spare(s.record.Waits)},
		}
		p.subjects = append(p.subjects, s)
	}
}

// spare returns the memory of a slice, emptied, or nothing when it is too much to keep.
func spare[T any](items []T) []T {
	if cap(items) > spareItems {
		return nil
	}
	clear(items[:cap(items)])
	return items[:0]
}
