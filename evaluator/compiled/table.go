package compiled

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// table is cells found by hash with linear probing. Values are mostly short, and looked up once for each change: a map of Go's
// takes several times as long. The keys come from definitions, so nobody gains by making them collide.
type table[C cell] struct {
	cells []C // a power of two, at most half of them taken; nil when there are none
	size  int
}

type cell interface {
	free() bool
	hash() uint64
}

// add puts a cell in whose key has none yet.
func (t *table[C]) add(c C) {
	if 2*(t.size+1) > len(t.cells) {
		old := t.cells
		t.cells = make([]C, max(8, 2*len(old)))
		for _, c := range old {
			if !c.free() {
				t.place(c)
			}
		}
	}
	t.size++
	t.place(c)
}

func (t *table[C]) place(c C) {
	mask := len(t.cells) - 1
	i := int(c.hash()) & mask
	for !t.cells[i].free() {
		i = (i + 1) & mask
	}
	t.cells[i] = c
}

// texts is a map of texts to slots.
type texts struct{ table[textCell] }

type textCell struct {
	text string
	head int64
	slot int32 // + 1; 0 is a free cell
}

func (c textCell) free() bool   { return c.slot == 0 }
func (c textCell) hash() uint64 { return hashText(c.text, c.head) }

// get returns the slot of a text + 1, or 0 when there is none.
func (t *texts) get(text string) int32 {
	if t.cells == nil {
		return 0
	}
	h := head(text)
	mask := len(t.cells) - 1
	for i := int(hashText(text, h)) & mask; ; i = (i + 1) & mask {
		c := &t.cells[i]
		if c.slot == 0 {
			return 0
		}
		if c.head == h && len(c.text) == len(text) && (len(text) <= 8 || c.text == text) {
			return c.slot
		}
	}
}

// put adds a text that has none yet under a slot.
func (t *texts) put(text string, slot int32) { t.add(textCell{text, head(text), slot + 1}) }

// hashText mixes the words of a text, of which the first is known.
func hashText(text string, first int64) uint64 {
	h := mix(uint64(first) ^ uint64(len(text)))
	if len(text) <= 8 {
		return h
	}
	b := unsafe.Slice(unsafe.StringData(text), len(text))
	for ; len(b) > 16; b = b[8:] {
		h = mix(h ^ binary.LittleEndian.Uint64(b[8:]))
	}
	return mix(h ^ binary.LittleEndian.Uint64(b[len(b)-8:]))
}

func mix(x uint64) uint64 {
	high, low := bits.Mul64(x^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	return high ^ low
}

// integers is a map of whole numbers to what equals them.
type integers struct{ table[integerCell] }

type integerCell struct {
	number int64
	slots  numberSlots // none in a free cell
}

func (c integerCell) free() bool   { return c.slots == numberSlots{} }
func (c integerCell) hash() uint64 { return mix(uint64(c.number)) }

// at returns where the slots of a number are, and nil when it has none.
func (t *integers) at(number int64) *numberSlots {
	if t.cells == nil {
		return nil
	}
	mask := len(t.cells) - 1
	for i := int(mix(uint64(number))) & mask; ; i = (i + 1) & mask {
		c := &t.cells[i]
		if c.slots == (numberSlots{}) {
			return nil
		}
		if c.number == number {
			return &c.slots
		}
	}
}

// get returns the slots of a number, none when it has none.
func (t *integers) get(number int64) numberSlots {
	if at := t.at(number); at != nil {
		return *at
	}
	return numberSlots{}
}

// put sets the slots of a number, which are some.
func (t *integers) put(number int64, slots numberSlots) {
	if at := t.at(number); at != nil {
		*at = slots
		return
	}
	t.add(integerCell{number, slots})
}
