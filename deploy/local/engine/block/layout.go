package block

import (
	"encoding/binary"
	"fmt"
)

// layout is how the values of a type lie in a column: a prefix once, if there are rows, and the values.
type layout interface {
	prefix(r *reader) error
	data(r *reader, rows int) error
}

// bare is for types without a prefix.
type bare struct{}

func (bare) prefix(*reader) error { return nil }

// fixed are values of one size, in bytes.
type fixed struct {
	bare
	size int
}

func (l fixed) data(r *reader, rows int) error { return r.rows(rows, l.size) }

type text struct{ bare }

func (text) data(r *reader, rows int) error { return r.strings(rows) }

// nullable is a byte a row, then the values of all rows.
type nullable struct{ layout }

func (l nullable) data(r *reader, rows int) error {
	if err := r.rows(rows, 1); err != nil {
		return err
	}
	return l.layout.data(r, rows)
}

// array is where each row's elements end, then all elements. Maps and nested columns are arrays of tuples.
type array struct{ layout }

func (l array) data(r *reader, rows int) error {
	if err := r.rows(rows, 8); err != nil || rows == 0 {
		return err
	}
	elements := binary.LittleEndian.Uint64(r.buf[len(r.buf)-8:])
	if elements > uint64(r.left) {
		return errTooLong
	}
	return l.layout.data(r, int(elements))
}

// tuple is column after column.
type tuple []layout

func (l tuple) prefix(r *reader) error {
	for _, element := range l {
		if err := element.prefix(r); err != nil {
			return err
		}
	}
	return nil
}

func (l tuple) data(r *reader, rows int) error {
	for _, element := range l {
		if err := element.data(r, rows); err != nil {
			return err
		}
	}
	return nil
}

// lowCardinality is a dictionary and indexes into it. A column without values has neither.
type lowCardinality struct{ keys layout }

func (lowCardinality) prefix(r *reader) error {
	version, err := r.uint64()
	if err == nil && version != 1 {
		err = fmt.Errorf("%w: low cardinality of version %d", ErrUnsupported, version)
	}
	return err
}

func (l lowCardinality) data(r *reader, rows int) error {
	for rows > 0 {
		n, err := l.piece(r)
		if err != nil {
			return err
		}
		if n == 0 || n > rows {
			return fmt.Errorf("low cardinality: a piece of %d rows where %d are left", n, rows)
		}
		rows -= n
	}
	return nil
}

// piece takes over one dictionary with the indexes that use it and returns the number of rows.
func (l lowCardinality) piece(r *reader) (rows int, err error) {
	const globalDictionary, additionalKeys = 1 << 8, 1 << 9
	flags, err := r.uint64()
	if err != nil {
		return 0, err
	}
	if flags&0xff > 3 || flags&globalDictionary != 0 {
		return 0, fmt.Errorf("%w: low cardinality with flags %x", ErrUnsupported, flags)
	}
	if flags&additionalKeys != 0 {
		keys, err := r.count()
		if err != nil {
			return 0, err
		}
		if err := l.keys.data(r, keys); err != nil {
			return 0, err
		}
	}
	if rows, err = r.count(); err != nil {
		return 0, err
	}
	return rows, r.rows(rows, 1<<(flags&0xff))
}

// variant is a byte a row that says which of the types it has, then the values type by type.
type variant []layout

func (l variant) prefix(r *reader) error {
	mode, err := r.uint64()
	if err == nil && mode != 0 {
		err = fmt.Errorf("%w: variant in mode %d", ErrUnsupported, mode)
	}
	if err != nil {
		return err
	}
	return tuple(l).prefix(r)
}

func (l variant) data(r *reader, rows int) error {
	if rows > r.left {
		return errTooLong
	}
	which, err := r.copy(rows)
	if err != nil {
		return err
	}
	var counts [256]int
	for _, w := range which {
		counts[w]++
	}
	for i, element := range l {
		if err := element.data(r, counts[i]); err != nil {
			return err
		}
	}
	return nil
}
