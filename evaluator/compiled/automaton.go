package compiled

import "math/bits"

// automaton finds in one pass over a text which of many patterns it begins with, ends with or holds (Aho and Corasick,
// 1975), with every transition worked out in advance. Bytes that no pattern has share one column of the table.
//
// Time is linear in the text and in what is found, however the patterns overlap: a chain of suffixes is followed only to
// the first one that was found before, because all that are behind it were found with it.
type automaton struct {
	column    [256]uint8
	shift     uint8   // of a state in the table: a row has a power of two of columns
	next      []int32 // by state and column; once linked, what is there is shifted. State 0 is the start
	tells     []bool  // by state: something begins or lies in a text that leads there
	depth     []int32 // by state: the length of what led to it
	within    []int32 // by state: the entry of a pattern to be held, + 1
	prefix    []int32 // by state: the entry of a pattern to begin with, + 1
	suffix    []int32 // by state: the entry of a pattern to end with, + 1
	withinVia []int32 // by state: the longest proper suffix that is a pattern to be held; 0 is none
	suffixVia []int32 // the same of patterns to end with
}

// use is what a pattern is looked for as.
type use uint8

const (
	useWithin use = iota
	usePrefix
	useSuffix
)

// maxTransitions bounds the table of one automaton, 16 MB. Patterns beyond it are not in the lanes.
const maxTransitions = 4 << 20

// alphabet gives each byte that occurs in patterns a column. Column 0 is of those that do not.
func alphabet(patterns []string) (column [256]uint8, width int) {
	var occurs [256]bool
	for _, p := range patterns {
		for i := range len(p) {
			occurs[p[i]] = true
		}
	}
	width = 1
	for c, yes := range occurs {
		if yes && width < 256 {
			column[c] = uint8(width)
			width++
		}
	}
	return column, width
}

func newAutomaton(patterns []string) *automaton {
	a := new(automaton)
	var width int
	a.column, width = alphabet(patterns)
	a.shift = uint8(bits.Len(uint(width - 1)))
	a.addState(0)
	return a
}

func (a *automaton) addState(depth int32) int32 {
	a.next = append(a.next, make([]int32, 1<<a.shift)...)
	a.depth = append(a.depth, depth)
	a.within, a.prefix, a.suffix = append(a.within, 0), append(a.prefix, 0), append(a.suffix, 0)
	return int32(len(a.depth) - 1)
}

// entryOf returns where the entry of a pattern is kept, + 1, for one use of it.
func (a *automaton) entryOf(pattern string, as use) *int32 {
	state := int32(0)
	for i := range len(pattern) {
		at := state<<a.shift | int32(a.column[pattern[i]])
		if a.next[at] == 0 {
			s := a.addState(a.depth[state] + 1)
			a.next[at] = s
		}
		state = a.next[at]
	}
	switch as {
	case usePrefix:
		return &a.prefix[state]
	case useSuffix:
		return &a.suffix[state]
	}
	return &a.within[state]
}

// link completes the table once all patterns are in: breadth first, so that the state of a shorter suffix is complete.
func (a *automaton) link() {
	fail := make([]int32, len(a.depth))
	a.withinVia, a.suffixVia = make([]int32, len(a.depth)), make([]int32, len(a.depth))
	queue := make([]int32, 1, len(a.depth))
	for ; len(queue) > 0; queue = queue[1:] {
		state := queue[0]
		for c := range int32(1) << a.shift {
			at, back := state<<a.shift|c, fail[state]<<a.shift|c
			child := a.next[at]
			if child == 0 {
				if state != 0 {
					a.next[at] = a.next[back]
				}
				continue
			}
			if state != 0 {
				fail[child] = a.next[back]
			}
			a.withinVia[child] = via(a.within, a.withinVia, fail[child])
			a.suffixVia[child] = via(a.suffix, a.suffixVia, fail[child])
			queue = append(queue, child)
		}
	}
	a.tells = make([]bool, len(a.depth))
	for state := range a.tells {
		a.tells[state] = a.prefix[state] != 0 || a.within[state] != 0 || a.withinVia[state] != 0
	}
	for i := range a.next {
		a.next[i] <<= a.shift
	}
}

func via(entries, links []int32, fail int32) int32 {
	if fail != 0 && entries[fail] != 0 {
		return fail
	}
	return links[fail]
}

// scan appends the entries of all patterns that text has. Seen is scratch memory of one element a state that holds no
// stamp yet.
func (a *automaton) scan(text string, entries []int32, seen []uint32, stamp uint32) []int32 {
	entries = appendSlot(entries, a.within[0])
	entries = appendSlot(entries, a.prefix[0])
	row := int32(0)
	for i := range len(text) {
		row = a.next[row|int32(a.column[text[i]])]
		state := row >> a.shift
		if !a.tells[state] {
			continue
		}
		if a.prefix[state] != 0 && a.depth[state] == int32(i+1) {
			entries = append(entries, a.prefix[state]-1)
		}
		for s := state; s != 0 && seen[s] != stamp; s = a.withinVia[s] {
			seen[s] = stamp
			entries = appendSlot(entries, a.within[s])
		}
	}
	for s := row >> a.shift; s != 0; s = a.suffixVia[s] {
		entries = appendSlot(entries, a.suffix[s])
	}
	return appendSlot(entries, a.suffix[0])
}
