package block

import (
	"encoding/binary"
	"fmt"
)

// Protocol revisions at which the dialect changes.
const (
	plain                   = 0
	withCustomSerialization = 54454
)

// maxColumns is far beyond what a table can have and far below what would hurt.
const maxColumns = 100_000

// Column is one column of a block.
type Column struct {
	Name, Type string
	Data       []byte // empty when the block has no rows
}

// Block is a number of rows, by columns. One without columns marks an end.
type Block struct {
	Columns []Column
	Rows    int
}

// Header returns the block without its rows.
func (b Block) Header() Block {
	out := Block{Columns: make([]Column, len(b.Columns))}
	for i, c := range b.Columns {
		out.Columns[i] = Column{Name: c.Name, Type: c.Type}
	}
	return out
}

// Plain appends the block in the engine's dialect.
func (b Block) Plain(dst []byte) []byte { return b.append(dst, plain) }

// Protocol appends the block in the dialect of the native protocol at a revision from 54454 on.
func (b Block) Protocol(dst []byte) []byte { return b.append(dst, withCustomSerialization) }

func (b Block) append(dst []byte, revision int) []byte {
	if revision > plain {
		dst = append(dst, 1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0) // no overflow rows, no bucket, end
	}
	dst = binary.AppendUvarint(dst, uint64(len(b.Columns)))
	dst = binary.AppendUvarint(dst, uint64(b.Rows))
	for _, c := range b.Columns {
		dst = appendString(dst, c.Name)
		dst = appendString(dst, c.Type)
		if revision >= withCustomSerialization {
			dst = append(dst, 0)
		}
		dst = append(dst, c.Data...)
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// Source is where a block is read from. It must be buffered: much is read byte by byte.
type Source interface {
	Read(p []byte) (int, error)
	ReadByte() (byte, error)
}

// ReadPlain reads one block in the engine's dialect, of at most limit bytes.
func ReadPlain(src Source, limit int) (Block, error) { return read(src, limit, plain) }

// ReadProtocol reads one block in the dialect of the native protocol, of at most limit bytes.
func ReadProtocol(src Source, limit int) (Block, error) {
	return read(src, limit, withCustomSerialization)
}

func read(src Source, limit, revision int) (Block, error) {
	r := &reader{src: src, left: limit}
	if revision > plain {
		if err := r.info(); err != nil {
			return Block{}, fmt.Errorf("read block info: %w", err)
		}
	}
	columns, err := r.uvarint()
	if err != nil {
		return Block{}, fmt.Errorf("read number of columns: %w", err)
	}
	rows, err := r.uvarint()
	if err != nil {
		return Block{}, fmt.Errorf("read number of rows: %w", err)
	}
	if columns > maxColumns || rows > uint64(limit) {
		return Block{}, fmt.Errorf("a block of %d columns and %d rows is too large", columns, rows)
	}
	b := Block{Rows: int(rows)}
	for range columns {
		c, err := r.column(b.Rows, revision)
		if err != nil {
			return Block{}, fmt.Errorf("read column %d %q: %w", len(b.Columns)+1, c.Name, err)
		}
		b.Columns = append(b.Columns, c)
	}
	return b, nil
}

func (r *reader) column(rows, revision int) (c Column, err error) {
	if c.Name, err = r.string(); err != nil {
		return c, err
	}
	if c.Type, err = r.string(); err != nil {
		return c, err
	}
	if revision >= withCustomSerialization {
		custom, err := r.src.ReadByte()
		if err != nil {
			return c, err
		}
		if custom != 0 {
			return c, fmt.Errorf("%w: custom serialization of type %s", ErrUnsupported, c.Type)
		}
	}
	if rows == 0 {
		return c, nil
	}
	l, err := parseType(c.Type)
	if err != nil {
		return c, err
	}
	if err := l.prefix(r); err != nil {
		return c, err
	}
	err = l.data(r, rows)
	c.Data = r.taken()
	return c, err
}
