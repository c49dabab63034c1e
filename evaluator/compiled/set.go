package compiled

import (
	"errors"
	"fmt"

	"muster/evaluator"
)

// Set is a compiled list of audiences over one schema. It is immutable and may be shared by any number of judges.
type Set struct {
	schema    *evaluator.Schema
	audiences []evaluator.Audience // as given
	base      *base
	parts     []*part                           // the base, and what came after it
	order     []handle                          // of all dynamic audiences: each after those it refers to
	ids       []evaluator.AudienceID            // in that order, and some that nobody has
	referring []uint64                          // bitmap in that order: audiences with membership conditions
	given     map[evaluator.AudienceID][]handle // by audience whose membership is given: those that ask about it
}

// part is a segment in a set: what of it is in force, and what its references mean there.
type part struct {
	segment  *segment
	dead     []uint64 // bitmap of audiences replaced or removed since; nil when there are none
	live     []uint64 // by group: audiences in force
	position []int32  // by audience: its place in Set.order
	targets  []target // by reference
	asking   asking
	members  []members // by group, from the first on that bits do not decide
}

// handle names an audience of a set.
type handle struct {
	part, audience int32
}

// target is what a reference leads to.
type target struct {
	kind  targetKind
	bit   uint8 // of targetBit, in the group
	group int32
	handle
	given *evaluator.Given
}

type targetKind uint8

const (
	targetNone   targetKind = iota // no such audience: nobody is a member
	targetGiven                    // its membership is an input
	targetJudged                   // its membership is its verdict
	targetBit                      // and that is a bit
)

// ErrCycle is returned for audiences that depend on themselves.
var ErrCycle = errors.New("audiences refer to one another in a circle")

// Compile prepares audiences for rows of schema. The definitions are expected to have passed evaluator.CheckSet. A reference
// to an audience that is not among them reads as no membership; a circle is refused with ErrCycle, and so is a number or a
// key that occurs twice.
func Compile(audiences []evaluator.Audience, schema *evaluator.Schema) (*Set, error) {
	return compileSet(audiences, schema, options{})
}

func compileSet(audiences []evaluator.Audience, schema *evaluator.Schema, o options) (*Set, error) {
	sorted, err := topological(audiences)
	if err != nil {
		return nil, err
	}
	return compose(audiences, sorted, newBase(sorted, schema, o), o), nil
}

// topological returns the dynamic audiences in an order in which each comes after all that it refers to; independent ones
// keep the order given. It is the order in which changes are told, so it depends on nothing but the list.
func topological(audiences []evaluator.Audience) ([]evaluator.Audience, error) {
	byKey, err := indexKeys(audiences)
	if err != nil {
		return nil, err
	}
	const entered, done = 1, 2
	state := make([]uint8, len(audiences))
	sorted := make([]evaluator.Audience, 0, len(audiences))
	var visit func(i int) error
	visit = func(i int) error {
		switch state[i] {
		case done:
			return nil
		case entered:
			return fmt.Errorf("compile audience %q: %w", audiences[i].Definition.Key, ErrCycle)
		}
		state[i] = entered
		for _, ref := range audiences[i].Definition.References() {
			if to, ok := byKey[ref.Audience]; ok {
				if err := visit(to); err != nil {
					return err
				}
			}
		}
		state[i] = done
		if audiences[i].Definition.Type == evaluator.Dynamic {
			sorted = append(sorted, audiences[i])
		}
		return nil
	}
	for i := range audiences {
		if err := visit(i); err != nil {
			return nil, err
		}
	}
	return sorted, nil
}

func indexKeys(audiences []evaluator.Audience) (map[string]int, error) {
	byKey := make(map[string]int, len(audiences))
	ids := make(map[evaluator.AudienceID]bool, len(audiences))
	for i, a := range audiences {
		if _, twice := byKey[a.Definition.Key]; twice || ids[a.ID] {
			return nil, fmt.Errorf("compile audiences: %q (number %d) occurs twice", a.Definition.Key, a.ID)
		}
		byKey[a.Definition.Key] = i
		ids[a.ID] = true
	}
	return byKey, nil
}

// link resolves the references of all parts and gives every audience its place in the order.
func (s *Set) link(sorted []evaluator.Audience) {
	at := make(map[evaluator.AudienceID]handle, len(sorted))
	for n, p := range s.parts {
		p.position = make([]int32, len(p.segment.audiences))
		for i := range p.segment.audiences {
			if !p.isDead(int32(i)) {
				at[p.segment.audiences[i].id] = handle{int32(n), int32(i)}
			}
		}
	}
	s.order = make([]handle, len(sorted))
	s.ids = make([]evaluator.AudienceID, 64*bitmapWords(len(sorted))+1) // whole words, and one for the bit that none has
	s.referring = make([]uint64, bitmapWords(len(sorted)))
	for i := range sorted {
		h := at[sorted[i].ID]
		p := s.parts[h.part]
		s.order[i], s.ids[i], p.position[h.audience] = h, sorted[i].ID, int32(i)
		if p.segment.audiences[h.audience].referring {
			s.referring[i/64] |= 1 << (i % 64)
		}
	}
	s.given = make(map[evaluator.AudienceID][]handle)
	s.resolve(at)
	for _, p := range s.parts {
		p.summarise()
	}
}

// summarise puts what is known of audiences into words of their groups.
func (p *part) summarise() {
	g := p.segment
	p.live = make([]uint64, len(g.groups))
	p.listMembers()
	for n := range g.groups {
		gr := &g.groups[n]
		p.live[n] = gr.used
		if gr.kind != scattered && p.dead != nil {
			p.live[n] &^= window(p.dead, gr.audience)
		}
	}
}

// window returns the 64 bits of a bitmap from one on. Behind its end are zeros.
func window(bitmap []uint64, first int32) uint64 {
	word, bit := first/64, first%64
	w := bitmap[word] >> bit
	if bit > 0 && int(word)+1 < len(bitmap) {
		w |= bitmap[word+1] << (64 - bit)
	}
	return w
}

// resolve finds what the references of all parts lead to, and who asks about whom.
func (s *Set) resolve(at map[evaluator.AudienceID]handle) {
	var byKey map[string]evaluator.Audience
	asks := make([][]ask, len(s.parts))
	for n, p := range s.parts {
		if len(p.segment.references) == 0 {
			continue
		}
		if byKey == nil {
			byKey = make(map[string]evaluator.Audience, len(s.audiences))
			for _, a := range s.audiences {
				byKey[a.Definition.Key] = a
			}
		}
		p.targets = make([]target, len(p.segment.references))
		for i, ref := range p.segment.references {
			a, ok := byKey[ref.key]
			switch {
			case !ok:
			case a.Definition.Given():
				p.targets[i] = target{kind: targetGiven, given: &evaluator.Given{Audience: a.ID, Tenant: ref.tenant}}
			case ref.tenant == "":
				p.targets[i] = s.judged(at[a.ID])
			}
		}
		for i := range p.segment.audiences {
			if a := &p.segment.audiences[i]; a.referring && !p.isDead(int32(i)) {
				s.noteAsking(p, a, handle{int32(n), int32(i)}, asks)
			}
		}
	}
	for n, p := range s.parts {
		p.asking = newAsking(p.segment, asks[n])
	}
}

// judged is a reference to an audience that conditions decide.
func (s *Set) judged(h handle) target {
	t := target{kind: targetJudged, handle: h}
	g := s.parts[h.part].segment
	if n := g.groupOf[h.audience]; n != none && g.groups[n].kind == byBits {
		t.kind, t.group, t.bit = targetBit, n, uint8(h.audience-g.groups[n].audience)
	}
	return t
}

// isDead reports whether an audience of the segment is no longer in force.
func (p *part) isDead(a int32) bool { return p.dead != nil && p.dead[a/64]>>(a%64)&1 != 0 }
