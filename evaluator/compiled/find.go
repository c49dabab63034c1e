package compiled

import (
	"unsafe"

	"muster/evaluator"
)

// finder is scratch memory for looking values up.
type finder struct {
	buf     []byte
	seen    []uint32 // by automaton state, of whichever automaton
	entries []uint32 // by entry, of whichever index
	stamp   uint32
}

func newFinder(g *segment) finder {
	var f finder
	for i := range g.attributes {
		x := g.attributes[i].index
		if x == nil {
			continue
		}
		for _, a := range [...]*automaton{x.text, x.folded} {
			if a != nil && len(a.depth) > len(f.seen) {
				f.seen = make([]uint32, len(a.depth))
			}
		}
		if n := len(x.entries); (x.lists != nil || x.items != nil) && n > len(f.entries) {
			f.entries = make([]uint32, n)
		}
	}
	return f
}

// next returns a stamp that no element holds.
func (f *finder) next() uint32 {
	f.stamp++
	if f.stamp == 0 {
		clear(f.seen)
		clear(f.entries)
		f.stamp = 1
	}
	return f.stamp
}

// find appends the entries that a value leads to, in an order that equal values share.
func (x *index) find(v evaluator.Value, entries []int32, f *finder) []int32 {
	if x.equal != nil {
		entries = x.equal.lookup(v, entries, &f.buf)
	}
	switch v.Kind() {
	case evaluator.KindNull:
		return appendSlot(appendSlot(entries, x.empty), x.absent)
	case evaluator.KindString:
		text := v.Text()
		if x.text != nil {
			entries = x.text.scan(text, entries, f.seen, f.next())
		}
		if x.folded != nil {
			f.buf = evaluator.AppendFold(f.buf[:0], text)
			entries = x.folded.scan(unsafe.String(unsafe.SliceData(f.buf), len(f.buf)), entries, f.seen, f.next())
		}
	}
	if x.lists != nil || x.items != nil {
		entries = x.findItems(v, entries, f)
	}
	if x.empty != 0 && evaluator.Empty(v) {
		entries = append(entries, x.empty-1)
	}
	if x.instant != 0 {
		if _, ok := v.Time(); ok {
			entries = append(entries, x.instant-1)
		}
	}
	return entries
}

// findItems appends the entries that contains leads to, each once however many items lead there.
func (x *index) findItems(v evaluator.Value, entries []int32, f *finder) []int32 {
	if v.Kind() != evaluator.KindList {
		if x.lists != nil && v.IsScalar() {
			entries = x.lists.lookup(v, entries, &f.buf)
		}
		return entries
	}
	stamp := f.next()
	for _, item := range v.Items() {
		fresh := len(entries)
		if x.lists != nil {
			entries = x.lists.lookup(item, entries, &f.buf)
		}
		if x.items != nil {
			entries = x.items.lookup(item, entries, &f.buf)
		}
		kept := entries[:fresh]
		for _, e := range entries[fresh:] {
			if f.entries[e] != stamp {
				f.entries[e] = stamp
				kept = append(kept, e)
			}
		}
		entries = kept
	}
	return entries
}
