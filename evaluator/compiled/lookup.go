package compiled

import (
	"unsafe"

	"muster/evaluator"
)

// lookup appends the slots of all constants that equal v. Buf is scratch memory for keys.
func (d *dictionary) lookup(v evaluator.Value, slots []int32, buf *[]byte) []int32 {
	switch v.Kind() {
	case evaluator.KindNull:
		return appendSlot(slots, d.null)
	case evaluator.KindBool:
		return appendSlot(slots, *d.boolean(v.Bool()))
	case evaluator.KindNumber:
		n := d.number(v, buf)
		return appendSlot(appendSlot(slots, n.itself), n.read)
	case evaluator.KindString:
		return d.lookupText(v.Text(), slots, buf)
	case evaluator.KindTimestamp:
		if i, ok := v.Instant(); ok && d.instants != nil {
			if s, ok := d.instants[i]; ok {
				slots = append(slots, s)
			}
		}
	case evaluator.KindList:
		if d.lists != nil {
			*buf = v.AppendKey((*buf)[:0])
			if s, ok := d.lists[string(*buf)]; ok {
				slots = append(slots, s)
			}
		}
	}
	return slots
}

func (d *dictionary) lookupText(text string, slots []int32, buf *[]byte) []int32 {
	slots = appendSlot(slots, d.texts.get(text))
	if d.folded.cells != nil {
		*buf = evaluator.AppendFold((*buf)[:0], text)
		slots = appendSlot(slots, d.folded.get(unsafe.String(unsafe.SliceData(*buf), len(*buf))))
	}
	switch text {
	case "":
		return appendSlot(slots, d.null)
	case "true", "false":
		return appendSlot(slots, *d.boolean(text == "true"))
	}
	if d.numeric && (text[0] == '-' || '0' <= text[0] && text[0] <= '9') {
		if n, ok := evaluator.NumericString(text); ok {
			return appendSlot(slots, d.number(evaluator.NumberValue(n), buf).itself)
		}
	}
	return slots
}

func (d *dictionary) number(v evaluator.Value, buf *[]byte) numberSlots {
	if i, small := v.Number().Int64(); small {
		return d.integers.get(i)
	}
	if d.numbers == nil {
		return numberSlots{}
	}
	*buf = v.AppendKey((*buf)[:0])
	return d.numbers[string(*buf)]
}

// has reports whether any constant equals v.
func (d *dictionary) has(v evaluator.Value) bool {
	var slots [4]int32
	var buf []byte
	return len(d.lookup(v, slots[:0], &buf)) > 0
}

// appendSlot appends a slot that is kept + 1, where 0 is none.
func appendSlot(slots []int32, kept int32) []int32 {
	if kept != 0 {
		slots = append(slots, kept-1)
	}
	return slots
}
