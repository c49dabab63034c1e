package pgoutput

import "muster/evaluator"

// Kinds of a column in a tuple, as the protocol writes them.
const (
	columnNull      = 'n'
	columnUnchanged = 'u'
	columnText      = 't'
)

// column is one column of a received tuple; text points into the message.
type column struct {
	kind byte
	text []byte
}

// tuple reads a tuple of as many columns as rel has into into, whose memory it reuses.
func (c *cursor) tuple(rel *relation, into []column) []column {
	count := c.uint16()
	if c.bad || count != len(rel.columns) {
		c.bad = true
		return into[:0]
	}
	into = into[:0]
	for range count {
		col := column{kind: c.uint8()}
		switch col.kind {
		case columnText:
			col.text = c.take(int(c.uint32()))
		case columnNull, columnUnchanged:
		default:
			c.bad = true
		}
		into = append(into, col)
	}
	return into
}

// fill replaces what cols leaves out as unchanged by the old row's value, where the old row was sent in full.
func fill(cols, old []column) {
	for i := range cols {
		if cols[i].kind == columnUnchanged && old[i].kind == columnText {
			cols[i] = old[i]
		}
	}
}

// encode makes the Tuple of those columns that the schema has. Its size never exceeds what the protocol took for them:
// a length that the protocol writes in 5 bytes takes at most 5 as a uvarint.
func (d *Decoder) encode(rel *relation, cols []column) evaluator.Tuple {
	size := 0
	for i := range cols {
		size += 5 + len(cols[i].text)
	}
	row := evaluator.Tuple(d.rows.reserve(size))
	for i := range cols {
		if !rel.keep[i] {
			continue
		}
		switch cols[i].kind {
		case columnNull:
			row = row.AppendNull()
		case columnUnchanged:
			row = row.AppendUnchanged()
		default:
			row = row.AppendText(cols[i].text)
		}
	}
	return d.rows.claim(row)
}
