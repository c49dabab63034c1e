package native

import (
	"bytes"
	"time"

	"muster/deploy/local/engine/block"
	"muster/deploy/local/engine/chdb"
	"muster/deploy/local/engine/statement"
)

// rows runs a query that returns rows, block by block.
func (c *connection) rows(q query, st statement.Statement) error {
	defer c.watch()()
	start := time.Now()
	result, err := c.session.Stream(st.Text, "Native", q.params...)
	if err != nil {
		return err
	}
	defer result.Close()
	var rows, blocks, size int
	for {
		chunk, err := result.Next()
		if err != nil {
			return err
		}
		if chunk == nil {
			break
		}
		n, err := c.send(q, chunk, blocks == 0)
		if err != nil {
			return err
		}
		rows, blocks, size = rows+n, blocks+1, size+len(chunk)
	}
	result.Close()
	if blocks == 0 {
		if err := c.columns(q, st); err != nil {
			return err
		}
	}
	c.out.profile(rows, blocks, size)
	c.out.progress(c.revision, chdb.Result{RowsRead: result.RowsRead, BytesRead: result.BytesRead}, time.Since(start))
	return nil
}

// columns sends the columns of a result that has no rows.
func (c *connection) columns(q query, st statement.Statement) error {
	header, err := c.session.Header(st, q.params)
	if err != nil {
		return err
	}
	return c.writeBlock(q, header)
}

// list runs a statement that returns a few rows, such as SHOW TABLES.
func (c *connection) list(q query, st statement.Statement) error {
	defer c.watch()()
	res, err := c.session.Query(st.Text, "Native", q.params...)
	if err != nil {
		return err
	}
	if len(res.Data) == 0 {
		return c.columns(q, st)
	}
	_, err = c.send(q, res.Data, true)
	return err
}

// send passes a chunk of the engine's on and returns its rows. The first one of a result is preceded by its header.
func (c *connection) send(q query, chunk []byte, first bool) (rows int, err error) {
	for src := bytes.NewReader(chunk); src.Len() > 0; first = false {
		b, err := block.ReadPlain(src, len(chunk))
		if err != nil {
			return rows, err
		}
		if first {
			if err := c.writeBlock(q, b.Header()); err != nil {
				return rows, err
			}
		}
		if err := c.writeBlock(q, b); err != nil {
			return rows, err
		}
		rows += b.Rows
	}
	return rows, c.out.flush()
}

// exec runs a statement that is not expected to return rows; some do, such as KILL and OPTIMIZE.
func (c *connection) exec(q query) error {
	defer c.watch()()
	start := time.Now()
	res, err := c.session.Query(q.text, "Native", q.params...)
	if err != nil {
		return err
	}
	if _, err := c.send(q, res.Data, true); err != nil {
		return err
	}
	c.out.progress(c.revision, res, time.Since(start))
	return nil
}

// insert asks the client for data and hands it to the engine as it comes.
func (c *connection) insert(q query, st statement.Statement) error {
	start := time.Now()
	header, err := c.session.Header(st, q.params)
	if err != nil {
		return err
	}
	into, err := c.session.Insert(st.Text, "Native", q.params...)
	if err != nil {
		return err
	}
	err = c.writeBlock(q, header)
	if err == nil {
		err = c.out.flush()
	}
	if err == nil {
		err = c.receive(q, into)
	}
	if err != nil {
		into.Cancel()
		return err
	}
	res, err := into.Done()
	if err != nil {
		return err
	}
	c.out.progress(c.revision, res, time.Since(start))
	return nil
}

// receive hands data over up to the block that ends it. When the engine refuses some, the rest is still read, since
// the client looks for an exception only after it has sent everything.
func (c *connection) receive(q query, into *chdb.Insert) error {
	var refused error
	var buf []byte
	for {
		_, b, err := c.readData(q)
		if err == errCancelled {
			return err
		}
		if err != nil {
			return &protocolError{err}
		}
		if len(b.Columns) == 0 {
			return refused
		}
		if b.Rows == 0 || refused != nil {
			continue
		}
		buf = b.Plain(buf[:0])
		refused = into.Append(buf)
	}
}
