package compiled

import "muster/evaluator"

// segment is a list of audiences compiled by themselves: it shares nothing with other segments, and references to other
// audiences, of its own too, are resolved by the Set that holds it. It is immutable.
type segment struct {
	schema     *evaluator.Schema
	attributes []attribute
	columns    []column
	predicates []predicate
	references []reference
	seeds      []string   // of samples
	audiences  []audience // in the order of their groups
	clauses    []clause
	literals   []literal // of clauses, one after the other
	trees      [][]node  // of clauses

	// The lanes: clauses as bits, 64 to a block.
	vectors    []vector
	groups     []group
	bitGroups  int          // the first so many are decided by bits
	runs       []run        // of groups of as many clauses
	groupOf    []int32      // by audience: the group that judges it; none when none does
	groupAt    []int32      // by block: its group
	clauseAt   []int32      // by bit of all blocks: the clause, or none
	remembered []remembered // predicates whose verdicts are remembered
	clocked    blockBits    // clauses in the lanes that have conditions on the clock beyond them
	timed      []uint64     // by block: clauses that depend on the clock
	timedLanes bool         // there are any
	plainTimed []uint64     // by block: those that do by one age only, in groups that bits decide

	clustered   []int32 // attributes that clauses are found by
	residues    []int32 // attributes that some lane clause has conditions on beyond the lanes
	timedHashed bool    // some clause found by hash depends on the clock
	sampled     []int32 // clauses that depend on the user's id
	irregular   []int32 // clauses that depend on the clock in a way that no vector knows
}

// attribute is a property that conditions read, with all that is found by its value.
type attribute struct {
	source  evaluator.Source
	whole   bool      // it is a column, not something in one
	index   *index    // nil when no lane and no cluster wants to know its value
	residue blockBits // clauses in the lanes that have conditions on it beyond them
	bit     uint64    // of masks; more than 64 attributes share bits, which makes a mask wider and never wrong
}

// blockBits are some bits of some blocks.
type blockBits struct {
	blocks []int32 // ascending
	words  []uint64
}

func (b *blockBits) set(place int32) {
	block := place / 64
	if n := len(b.blocks); n == 0 || b.blocks[n-1] != block {
		b.blocks, b.words = append(b.blocks, block), append(b.words, 0)
	}
	b.words[len(b.words)-1] |= 1 << (place % 64)
}

// column is one that some attribute reads.
type column struct {
	column     int
	attributes []int32
}

// audience is one that conditions decide.
type audience struct {
	id         evaluator.AudienceID
	definition *evaluator.Definition
	first, end int32 // its clauses
	kind       groupKind
	referring  bool    // it has membership conditions
	asks       []int32 // of a referring one: the references
	leaves     []leaf  // of a referring one: its other conditions
	whole      bool    // where a clause turns in the lanes, one of those has another verdict
}

// remembered is a predicate whose verdicts are.
type remembered struct {
	predicate int32
	mask      uint64 // of what it reads
}

// clause is a conjunction. An audience holds when one of its clauses does.
type clause struct {
	audience   int32
	first, end uint32 // its literals: those beyond the lanes first
	beyond     uint32 // end of those beyond the lanes
	place      int32  // its bit in the blocks; none when it is found by hash
	timed      bool   // it depends on the clock
	mask       uint64 // attributes that the part beyond the lanes reads; of one found by hash, all but its pin
	tree       int32  // segment.trees[tree-1] is what could not be expanded; 0 is none
}

// residual reports whether a clause has conditions beyond the lanes, or beyond its pin.
func (c *clause) residual() bool { return c.first != c.beyond || c.tree != 0 }

// treesOf returns what a clause could not expand.
func (g *segment) treesOf(c *clause) []node {
	if c.tree == 0 {
		return nil
	}
	return g.trees[c.tree-1]
}

const (
	clockBit uint64 = 1 << 63 // of masks: the clock
	userBit  uint64 = 1 << 62 // the user's id and the memberships given
)

// bitOf returns an attribute's bit in masks.
func bitOf(attribute int) uint64 { return 1 << (attribute % 62) }
