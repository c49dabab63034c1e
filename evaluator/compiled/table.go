package compiled

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// texts is a map of texts to slots with linear probing. Values are mostly short, and looked up once for each change: a map of
// Go's takes several times as long. The texts come from definitions, so nobody gains by making them collide.
type texts struct {
	cells []textCell // a power of two, at most half of them taken; nil when there are none
	size  int
}

type textCell struct {
	text string
	head int64
	slot int32 // + 1; 0 is a free cell
}

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
func (t *texts) put(text string, slot int32) {
	if 2*(t.size+1) > len(t.cells) {
		old := t.cells
		t.cells = make([]textCell, max(8, 2*len(old)))
		for i := range old {
			if old[i].slot != 0 {
				t.place(old[i])
			}
		}
	}
	t.size++
	t.place(textCell{text, head(text), slot + 1})
}

func (t *texts) place(c textCell) {
	mask := len(t.cells) - 1
	i := int(hashText(c.text, c.head)) & mask
	for t.cells[i].slot != 0 {
		i = (i + 1) & mask
	}
	t.cells[i] = c
}

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

// integers is a map of whole numbers to what equals them, as texts is one of texts.
type integers struct {
	cells []integerCell
	size  int
}

type integerCell struct {
	number int64
	slots  numberSlots // none in a free cell
}

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

// put sets the slots of a number, which are some.
func (t *integers) put(number int64, slots numberSlots) {
	if at := t.at(number); at != nil {
		*at = slots
		return
	}
	if 2*(t.size+1) > len(t.cells) {
		old := t.cells
		t.cells = make([]integerCell, max(8, 2*len(old)))
		for _, c := range old {
			if c.slots != (numberSlots{}) {
				t.place(c)
			}
		}
	}
	t.size++
	t.place(integerCell{number, slots})
}

func (t *integers) place(c integerCell) {
	mask := len(t.cells) - 1
	i := int(mix(uint64(c.number))) & mask
	for t.cells[i].slots != (numberSlots{}) {
		i = (i + 1) & mask
	}
	t.cells[i] = c
}
