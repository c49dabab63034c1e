package compiled

import "muster/evaluator"

// dictionary finds which of many constants equal a value, by hash. Equality is not transitive ("1" and "1.0" differ, and
// both equal 1), so a constant is filed under every kind of value that can equal it, and a value is looked up under each
// kind of constant that it can equal:
//
//	value      finds constants that are
//	null       null, ""
//	boolean    the same boolean, "true" or "false"
//	number     the same number, strings that read as it
//	string     the same string, strings of the same fold that ignore case; numbers, booleans and null that it reads as
//	timestamp  strings that read as it
//	list       the same list
//
// What it finds are slots, numbers that its user gives; one value may find several.
type dictionary struct {
	texts    texts
	folded   texts
	integers integers
	numbers  map[string]numberSlots // by key, those that are not small
	instants map[evaluator.Instant]int32
	lists    map[string]int32
	booleans [2]int32 // slot + 1; 0 is none
	null     int32    // slot + 1
	numeric  bool     // some constant is a number: strings must be read as numbers
}

// numberSlots are the slots of one number, each + 1: of constants that are it, and of strings that read as it.
type numberSlots struct {
	itself, read int32
}

// file adds a constant and returns the slots that it was filed under, made by slot where there was none.
func (d *dictionary) file(v evaluator.Value, fold bool, slot func() int32) []int32 {
	switch v.Kind() {
	case evaluator.KindNull:
		return []int32{ensure(&d.null, slot)}
	case evaluator.KindBool:
		return []int32{ensure(d.boolean(v.Bool()), slot)}
	case evaluator.KindNumber:
		d.numeric = true
		return []int32{d.fileNumber(v.Number(), slot, func(n *numberSlots) *int32 { return &n.itself })}
	case evaluator.KindString:
		return d.fileText(v.Text(), fold, slot)
	case evaluator.KindList:
		return []int32{put(&d.lists, string(v.AppendKey(nil)), slot)}
	}
	return nil
}

func (d *dictionary) fileText(text string, fold bool, slot func() int32) []int32 {
	var slots []int32
	if fold {
		slots = append(slots, d.folded.file(evaluator.Fold(text), slot))
	} else {
		slots = append(slots, d.texts.file(text, slot))
	}
	switch text {
	case "":
		return append(slots, ensure(&d.null, slot))
	case "true", "false":
		return append(slots, ensure(d.boolean(text == "true"), slot))
	}
	if n, ok := evaluator.NumericString(text); ok {
		return append(slots, d.fileNumber(n, slot, func(n *numberSlots) *int32 { return &n.read }))
	}
	if i, ok := evaluator.TimestampString(text); ok {
		return append(slots, put(&d.instants, i, slot))
	}
	return slots
}

func (d *dictionary) fileNumber(n evaluator.Number, slot func() int32, of func(*numberSlots) *int32) int32 {
	if i, small := n.Int64(); small {
		slots := d.integers.get(i)
		s := ensure(of(&slots), slot)
		d.integers.put(i, slots)
		return s
	}
	key := string(evaluator.NumberValue(n).AppendKey(nil))
	slots := d.numbers[key]
	s := ensure(of(&slots), slot)
	set(&d.numbers, key, slots)
	return s
}

// file returns the slot of a text, made by slot where it has none.
func (t *texts) file(text string, slot func() int32) int32 {
	if kept := t.get(text); kept != 0 {
		return kept - 1
	}
	s := slot()
	t.put(text, s)
	return s
}

func (d *dictionary) boolean(b bool) *int32 {
	if b {
		return &d.booleans[1]
	}
	return &d.booleans[0]
}

func ensure(at *int32, slot func() int32) int32 {
	if *at == 0 {
		*at = slot() + 1
	}
	return *at - 1
}

func set[K comparable, V any](m *map[K]V, k K, v V) {
	if *m == nil {
		*m = make(map[K]V)
	}
	(*m)[k] = v
}

func put[K comparable](m *map[K]int32, k K, slot func() int32) int32 {
	s, ok := (*m)[k]
	if !ok {
		s = slot()
		set(m, k, s)
	}
	return s
}
