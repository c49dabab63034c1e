package compiled

import "muster/evaluator"

// scratch is a judge's memory for one segment: what is known of the two inputs at hand. Everything in it bears the number
// of the judgement that wrote it, so that nothing needs to be cleared between two.
type scratch struct {
	part   *part
	judge  *Judge
	inputs [2]*evaluator.Input
	epoch  uint32

	changed []uint32          // by attribute: the epoch in which it last differed between the inputs
	mask    uint64            // of the attributes that differ, and of the clock when that does
	values  []evaluator.Value // by side and attribute
	loaded  []uint32          // epoch of values; those that are columns are not kept
	ages    []aged            // by vector: those of an age
	probes  []probe           // by side and attribute
	found   []int32           // entries of probes
	looked  int               // predicates judged one by one, or as a range
	finder  finder

	planes
	words    []uint64 // of one vector
	filled   uint32   // epoch of the planes and of blocks
	blocks   sides    // by block: the clauses violated, on both sides
	violated sides    // by group: the audiences of which every clause is
	residue  []uint64 // by block: clauses to look at beyond the lanes; zero between judgements
	moved    bool     // some word or residue may differ between the sides
	flips    flips

	touched  []uint32   // by audience: epoch in which it was touched
	queue    []int32    // audiences whose verdicts must be compared
	asking   []uint64   // by group: those of them whose questions are words; zero between judgements
	pending  []int32    // groups of those
	verdicts []verdicts // by audience
	memos    []verdicts // by memo
	hashes   []hashes   // by seed

	spans   []span
	tried   []uint32 // by audience: epoch in which its flip was worked out
	cursors []cursor
	hashed  []found // timed clauses that were found by hash
}

// pair is a word on both sides.
type pair [2]uint64

// sides are words on both sides.
type sides [2][]uint64

func newSides(words int) sides { return sides{make([]uint64, words), make([]uint64, words)} }

func (w *sides) at(i int32) pair { return pair{w[before][i], w[after][i]} }

// verdicts are those of an audience, or a predicate, on both sides, where they are known.
type verdicts struct {
	epoch [2]uint32
	holds [2]bool
}

// hashes are those of the user by one seed, on both sides, where they are known.
type hashes struct {
	epoch [2]uint32
	hash  [2]uint64
}

func newScratch(p *part, j *Judge) *scratch {
	g := p.segment
	n := len(g.attributes)
	return &scratch{
		part: p, judge: j,
		changed:  make([]uint32, n),
		values:   make([]evaluator.Value, 2*n),
		loaded:   make([]uint32, 2*n),
		ages:     make([]aged, len(g.vectors)),
		probes:   make([]probe, 2*n),
		finder:   newFinder(g),
		planes:   newPlanes(len(g.groupAt)),
		words:    make([]uint64, len(g.groupAt)),
		blocks:   newSides(len(g.groupAt)),
		residue:  make([]uint64, len(g.groupAt)),
		violated: newSides(len(g.groups)),
		flips:    newFlips(g.bitGroups),
		asking:   make([]uint64, len(g.groups)),
		touched:  make([]uint32, len(g.audiences)),
		verdicts: make([]verdicts, len(g.audiences)),
		memos:    make([]verdicts, len(g.remembered)),
		hashes:   make([]hashes, len(g.seeds)),
		tried:    make([]uint32, len(g.audiences)),
	}
}

// begin makes the scratch one of two inputs. For a match, before is after.
func (s *scratch) begin(before, after *evaluator.Input) {
	s.inputs = [2]*evaluator.Input{before, after}
	s.epoch++
	if s.epoch == 0 { // once in four billion
		s.forget()
	}
	s.mask, s.looked = 0, 0
	s.found = s.found[:0]
	s.hashed = s.hashed[:0]
}

// forget clears every epoch, for they begin anew.
func (s *scratch) forget() {
	clear(s.changed)
	clear(s.loaded)
	clear(s.ages)
	clear(s.touched)
	clear(s.tried)
	clear(s.probes)
	clear(s.verdicts)
	clear(s.memos)
	clear(s.hashes)
	s.filled = 0
	s.epoch = 1
}

// compareRows finds the attributes that differ between the inputs: by the text of their columns, and where that differs
// and is a document, by their values.
func (s *scratch) compareRows() {
	g := s.part.segment
	from, to := s.inputs[before].Row, s.inputs[after].Row
	if s.inputs[before].Now != s.inputs[after].Now {
		s.mask |= clockBit
	}
	if from == to {
		return
	}
	for i := range g.columns {
		c := &g.columns[i]
		if !from.Differs(to, c.column) {
			continue
		}
		for _, a := range c.attributes {
			s.changed[a] = s.epoch
			if len(g.attributes[a].source.Steps) > 0 && evaluator.Identical(s.value(g, a, before), s.value(g, a, after)) {
				s.changed[a] = s.epoch - 1
				continue
			}
			s.mask |= g.attributes[a].bit
		}
	}
}

// differs reports whether an attribute differs between the inputs.
func (s *scratch) differs(a int32) bool { return s.changed[a] == s.epoch }

// value returns the value of an attribute. What does not differ is read from the later row.
func (s *scratch) value(g *segment, a int32, on side) evaluator.Value {
	if a == none {
		return evaluator.Value{}
	}
	if s.changed[a] != s.epoch {
		on = after
	}
	if g.attributes[a].whole {
		return s.inputs[on].Row.Value(g.attributes[a].source.Column)
	}
	i := int(on)*len(g.attributes) + int(a)
	if s.loaded[i] != s.epoch {
		s.values[i], s.loaded[i] = s.inputs[on].Row.Read(g.attributes[a].source), s.epoch
	}
	return s.values[i]
}
