package web

import (
	"bytes"
	"io"

	"muster/deploy/local/engine/block"
	"muster/deploy/local/engine/session"
	"muster/deploy/local/engine/statement"
)

// piece is how much of an insert's data is read at a time.
const piece = 1 << 18

func (q *request) run(a *answer, s *session.Session) error {
	switch {
	case q.statement.Kind == statement.Insert:
		return q.insert(a, s)
	case q.statement.Streams() && streamed(q.format):
		return q.stream(a, s)
	}
	res, err := s.Query(q.statement.Text, q.format, q.params...)
	if err != nil {
		return err
	}
	if res.Data, err = q.translate(res.Data); err != nil {
		return err
	}
	a.describe(q.format)
	a.summary(res)
	return a.write(res.Data)
}

// insert hands the data over as it arrives.
func (q *request) insert(a *answer, s *session.Session) error {
	into, err := s.Insert(q.statement.Text, q.statement.Format, q.params...)
	if err != nil {
		return err
	}
	buf := make([]byte, piece)
	for {
		n, err := q.data.Read(buf)
		if err := into.Append(buf[:n]); err != nil {
			into.Cancel()
			return err
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			into.Cancel()
			return unreadable(err)
		}
	}
	res, err := into.Done()
	if err != nil {
		return err
	}
	a.summary(res)
	return a.write(nil)
}

// stream sends the result as it is made.
func (q *request) stream(a *answer, s *session.Session) error {
	rows, err := s.Stream(q.statement.Text, q.format, q.params...)
	if err != nil {
		return err
	}
	defer rows.Close()
	a.describe(q.format)
	for {
		chunk, err := rows.Next()
		if err != nil {
			return err
		}
		if chunk == nil {
			break
		}
		if chunk, err = q.translate(chunk); err != nil {
			return err
		}
		if err := a.write(chunk); err != nil {
			return err
		}
	}
	if q.format != "Native" || a.began {
		return a.write(nil)
	}
	rows.Close()
	return q.header(a, s)
}

// header is the answer in Native when there are no rows: the columns.
func (q *request) header(a *answer, s *session.Session) error {
	header, err := s.Header(q.statement, q.params)
	if err != nil {
		return err
	}
	if q.protocol {
		return a.write(header.Protocol(nil))
	}
	return a.write(header.Plain(nil))
}

// translate puts blocks into the dialect that clients get who name the revision of the native protocol they know.
func (q *request) translate(chunk []byte) ([]byte, error) {
	if q.format != "Native" || !q.protocol {
		return chunk, nil
	}
	var out []byte
	for src := bytes.NewReader(chunk); src.Len() > 0; {
		b, err := block.ReadPlain(src, len(chunk))
		if err != nil {
			return nil, err
		}
		out = b.Protocol(out)
	}
	return out, nil
}
