package session

import (
	"encoding/binary"
	"errors"

	"muster/deploy/local/engine/block"
	"muster/deploy/local/engine/chdb"
	"muster/deploy/local/engine/statement"
)

// Header returns the columns of a statement's result, or those an INSERT takes. The engine does not say them of a
// result without rows.
func (s *Session) Header(st statement.Statement, params []chdb.Param) (block.Block, error) {
	if st.Kind == statement.Insert {
		columns := st.Columns
		if columns == "" {
			columns = "*"
		}
		return s.names("SELECT "+columns+" FROM "+st.Target+" LIMIT 0", params)
	}
	if st.Streams() {
		described, err := s.describe(st.Text, params)
		if err == nil {
			return described, nil
		}
	}
	return s.names(st.Text, params) // cheap: of the statements that cannot be described, or have just given no rows
}

// describe asks for the columns of a query without running it.
func (s *Session) describe(query string, params []chdb.Param) (block.Block, error) {
	const onlyNameAndType = " SETTINGS describe_compact_output = 1, describe_include_subcolumns = 0, describe_include_virtual_columns = 0"
	res, err := s.Query("DESCRIBE ("+query+"\n)"+onlyNameAndType, "RowBinary", params...)
	if err != nil {
		return block.Block{}, err
	}
	var out block.Block
	for data := res.Data; len(data) > 0; {
		var name, kind string
		if name, data, err = cutString(data); err != nil {
			return block.Block{}, err
		}
		if kind, data, err = cutString(data); err != nil {
			return block.Block{}, err
		}
		out.Columns = append(out.Columns, block.Column{Name: name, Type: kind})
	}
	return out, nil
}

// names runs a query that returns no rows, for the header of its result.
func (s *Session) names(query string, params []chdb.Param) (block.Block, error) {
	res, err := s.Query(query, "RowBinaryWithNamesAndTypes", params...)
	if err != nil {
		return block.Block{}, err
	}
	n, size := binary.Uvarint(res.Data)
	if size <= 0 || n > uint64(len(res.Data)) {
		return block.Block{}, errHeader
	}
	out := block.Block{Columns: make([]block.Column, n)}
	data := res.Data[size:]
	for i := range out.Columns {
		if out.Columns[i].Name, data, err = cutString(data); err != nil {
			return block.Block{}, err
		}
	}
	for i := range out.Columns {
		if out.Columns[i].Type, data, err = cutString(data); err != nil {
			return block.Block{}, err
		}
	}
	return out, nil
}

var errHeader = errors.New("the engine described the result in a form that was not expected")

func cutString(data []byte) (s string, rest []byte, err error) {
	n, size := binary.Uvarint(data)
	if size <= 0 || n > uint64(len(data)-size) {
		return "", nil, errHeader
	}
	end := size + int(n)
	return string(data[size:end]), data[end:], nil
}
