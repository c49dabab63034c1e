package native

import (
	"errors"
	"fmt"
	"net"
	"time"

	"muster/deploy/local/engine/chdb"
	"muster/deploy/local/engine/session"
	"muster/deploy/local/engine/statement"
)

// connection is one client's.
type connection struct {
	server   *Server
	conn     net.Conn
	in       *input
	out      output
	revision int
	session  *session.Session
	pushed   []uint64 // codes of packets that came while a query ran
}

// run serves the connection until the client leaves. It returns io.EOF for a client that left between two packets.
func (c *connection) run() error {
	if err := c.greet(); err != nil {
		return err
	}
	defer c.session.Close()
	for {
		code, err := c.packet()
		if err != nil {
			return err
		}
		switch code {
		case clientPing:
			c.out.uvarint(serverPong)
			if err := c.out.flush(); err != nil {
				return err
			}
		case clientTablesStatus:
			if err := c.tables(); err != nil {
				return err
			}
		case clientCancel: // of a query that has ended meanwhile
		case clientQuery:
			if err := c.query(); err != nil {
				return err
			}
		default:
			return c.fail(&protocolError{fmt.Errorf("packet %d where a query was expected", code)})
		}
	}
}

// greet exchanges hellos and opens the session. A client that cannot be served learns why.
func (c *connection) greet() error {
	if err := c.conn.SetReadDeadline(time.Now().Add(helloTimeout)); err != nil {
		return err
	}
	h, err := readHello(c.in)
	if err != nil {
		return c.fail(&protocolError{err})
	}
	c.revision = h.revision
	if c.session, err = c.server.engine.New(); err != nil {
		return c.fail(err)
	}
	if err := c.enter(h); err != nil {
		c.session.Close()
		return err
	}
	return nil
}

func (c *connection) enter(h hello) error {
	if h.database != "" && h.database != "default" {
		if err := c.session.Use(h.database); err != nil {
			return c.fail(err)
		}
	}
	c.out.hello(c.server.engine.Version(), c.server.engine.Timezone())
	if err := c.out.flush(); err != nil {
		return err
	}
	if err := readAddendum(c.in, c.revision); err != nil {
		return err
	}
	return c.conn.SetReadDeadline(time.Time{})
}

// packet reads the code of the next packet.
func (c *connection) packet() (uint64, error) {
	if len(c.pushed) > 0 {
		code := c.pushed[0]
		c.pushed = c.pushed[1:]
		return code, nil
	}
	return c.in.uvarint()
}

// query runs one statement. An exception is an answer; an error ends the connection.
func (c *connection) query() error {
	if err := c.server.busy(c.conn, true); err != nil {
		return err
	}
	q, err := readQuery(c.in, c.revision)
	if err != nil {
		return c.fail(&protocolError{err})
	}
	if err := c.skipTables(q); err != nil {
		return c.fail(&protocolError{err})
	}
	st, err := c.begin(q)
	if err == nil {
		switch {
		case st.Streams():
			err = c.rows(q, st)
		case st.Kind == statement.Rows:
			err = c.list(q, st)
		case st.Kind == statement.Insert && !st.Inline:
			err = c.insert(q, st)
		default:
			err = c.exec(q)
		}
		c.session.Ran(st.Verb)
	}
	if err != nil {
		var fatal *protocolError
		if isGone(err) || errors.As(err, &fatal) {
			return c.fail(err)
		}
		c.out.exception(err)
	} else {
		c.out.uvarint(serverEndOfStream)
	}
	if err := c.out.flush(); err != nil {
		return err
	}
	return c.server.busy(c.conn, false)
}

// begin reads the statement and gives it its settings.
func (c *connection) begin(q query) (statement.Statement, error) {
	st, err := statement.Parse(q.text)
	if err != nil {
		return st, &chdb.Error{Code: codeSyntax, Name: "SYNTAX_ERROR", Text: "Syntax error: " + err.Error()}
	}
	return st, c.session.Apply(q.settings)
}

// skipTables reads what comes between every query and its answer, up to the block that ends it: values of scalars that a
// server has found already, which are not needed, and external tables, of which there must be none.
func (c *connection) skipTables(q query) error {
	for {
		code, b, err := c.readData(q)
		if err != nil {
			return err
		}
		if code == clientScalar {
			continue
		}
		if len(b.Columns) > 0 {
			return errors.New("external tables are not supported by the embedded engine")
		}
		return nil
	}
}

// fail tells the client why the connection ends, if it is still there, and ends it.
func (c *connection) fail(err error) error {
	if isGone(err) {
		return err
	}
	c.out.exception(err)
	_ = c.out.flush() // the connection ends anyway
	return err
}

// tables answers a server that asks, before it queries this one through the table function remote, which tables it
// could read from, and how far they are behind: all, and not at all.
func (c *connection) tables() error {
	n, err := c.in.uvarint()
	if err != nil {
		return err
	}
	if n > maxItems {
		return c.fail(&protocolError{fmt.Errorf("the status of %d tables is asked for", n)})
	}
	c.out.uvarint(serverTables)
	c.out.uvarint(n)
	for range n {
		for range 2 { // database and table
			name, err := c.in.string(maxName)
			if err != nil {
				return err
			}
			c.out.string(name)
		}
		c.out.buf = append(c.out.buf, 0) // not replicated
	}
	return c.out.flush()
}
