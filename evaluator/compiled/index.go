package compiled

// index is everything that the value of one attribute finds: which constants it equals, which patterns it holds, and
// where it lies on the scales. What it finds are entries; the lanes and the clusters of an entry then follow.
type index struct {
	equal   *dictionary // equal_to and equal_to_any
	lists   *dictionary // items of contains with a list: a scalar, or an item of a list, that equals one
	items   *dictionary // contains with a scalar: an item of a list that equals it
	text    *automaton  // substrings, prefixes and suffixes
	folded  *automaton  // the same, of the fold of the text
	absent  int32       // entry of null, + 1; 0 is none
	empty   int32       // entry of empty values, + 1
	instant int32       // entry of values that are a time, + 1
	entries []entry

	bits     []uint32 // of entries
	masks    []uint64 // of entries with many bits, for each word of the vector
	clusters []hashed // of entries
	checks   []check  // of those

	value vector0
}

// hashed is a clause found by hash, with what tells whether it is worth a look.
type hashed struct {
	mask       uint64 // of what it reads, but for its pin
	clause     int32
	first, end uint32 // index.checks[first:end] are what it asks beside its pin and its trees
	timed      bool   // it depends on the clock
	tree       bool   // it has trees
	alone      bool   // its pin holds for exactly the values that find this entry
}

// vector0 is the number of a vector + 1; 0 is none.
type vector0 int32

// entry is what follows from one finding: bits of the attribute's vector, and clauses found by hash.
type entry struct {
	satisfied, violated uint32 // bits[satisfied:violated] are clauses that hold now, bits[violated:end] that no longer do
	end                 uint32
	clear, set          uint32 // masks[clear-1:], masks[set-1:] say the same where they are many; 0 is none
	cluster, clusterEnd uint32
	clusterMask         uint64 // of all those clauses together
}
