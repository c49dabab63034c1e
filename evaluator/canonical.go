package evaluator

import (
	"crypto/sha256"
	"encoding/hex"
)

// Canonical returns the definition as JSON in its one spelling: fixed keys in a fixed order, defaults left out, variable
// and user. written as property and recipient., numbers exact and at their shortest. Definitions that mean the same for
// want of spelling have the same canonical form; decoding it gives the definition again.
func (d *Definition) Canonical() []byte {
	w := objectWriter{dst: []byte{'{'}}
	w.text("key", d.Key)
	w.text("name", d.Name)
	if d.Description != "" {
		w.text("description", d.Description)
	}
	w.text("type", d.Type.String())
	if len(d.Segments) > 0 {
		w.key("segments")
		w.dst = appendList(w.dst, d.Segments, func(dst []byte, s *Segment) []byte {
			s1 := objectWriter{dst: append(dst, '{')}
			s1.key("conditions")
			return append(appendList(s1.dst, s.Conditions, appendCondition), '}')
		})
	}
	if !d.settleWritten.IsNull() {
		w.value("settle", d.settleWritten)
	}
	if d.TriggerFrequency != EveryTime {
		w.text("trigger_frequency", d.TriggerFrequency.String())
	}
	if d.TriggerOnBackfill {
		w.value("trigger_on_backfill", BoolValue(true))
	}
	if len(d.Include) > 0 {
		w.key("include")
		w.dst = appendList(w.dst, d.Include, func(dst []byte, p *Path) []byte { return appendQuoted(dst, p.String()) })
	}
	return append(w.dst, '}')
}

// SHA returns the SHA-256 of the canonical form in lower-case hexadecimal: the name of the definition's content.
func (d *Definition) SHA() string {
	sum := sha256.Sum256(d.Canonical())
	return hex.EncodeToString(sum[:])
}

// AppendJSON appends the condition in its canonical spelling.
func (c *Condition) AppendJSON(dst []byte) []byte { return appendCondition(dst, c) }

func appendCondition(dst []byte, c *Condition) []byte {
	w := objectWriter{dst: append(dst, '{')}
	switch c.Group {
	case All, Any:
		w.key(c.Group.String())
		w.dst = appendList(w.dst, c.Conditions, appendCondition)
	case Not:
		w.key(c.Group.String())
		w.dst = appendCondition(w.dst, &c.Conditions[0])
	default:
		if c.Property != nil {
			w.text("property", c.Property.String())
		}
		w.text("operator", c.Operator.String())
		if !c.Argument.written.IsNull() {
			w.value("argument", c.Argument.written)
		}
		if c.IgnoreCase {
			w.value("ignore_case", BoolValue(true))
		}
	}
	return append(w.dst, '}')
}

func appendList[T any](dst []byte, items []T, appendItem func([]byte, *T) []byte) []byte {
	dst = append(dst, '[')
	for i := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendItem(dst, &items[i])
	}
	return append(dst, ']')
}

// objectWriter appends the members of an object whose brace is open.
type objectWriter struct {
	dst []byte
}

func (w *objectWriter) key(name string) {
	if last := len(w.dst) - 1; w.dst[last] != '{' {
		w.dst = append(w.dst, ',')
	}
	w.dst = append(appendQuoted(w.dst, name), ':')
}

func (w *objectWriter) text(name, text string) {
	w.key(name)
	w.dst = appendQuoted(w.dst, text)
}

func (w *objectWriter) value(name string, v Value) {
	w.key(name)
	w.dst = v.AppendJSON(w.dst)
}
