package api

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

// defaultPatience is how long a client may take to receive what is sent to it, or to send more of a body that is read as it
// comes, each time anew. Whoever takes longer holds a snapshot of the state, or a place in line, for nothing.
const defaultPatience = 20 * time.Second

// patientWriter sends an answer that is streamed. A client may be as slow as it likes as long as it goes on receiving.
type patientWriter struct {
	to       http.ResponseWriter
	conn     *http.ResponseController
	patience time.Duration
}

// patiently returns the writer of a streamed answer. Close it when all is written.
func (a *API) patiently(c huma.Context) *patientWriter {
	_, w := humachi.Unwrap(c)
	return &patientWriter{w, http.NewResponseController(w), a.Patience}
}

// piece is how many bytes have to be received within the patience: little enough for the slowest line.
const piece = 4096

// Write implements io.Writer. After an error the connection is of no use.
func (w *patientWriter) Write(p []byte) (n int, err error) {
	for rest := p; len(rest) > 0; rest = p[n:] {
		w.renew()
		m, err := w.to.Write(rest[:min(len(rest), piece)])
		n += m
		if err != nil {
			return n, w.explained(err)
		}
	}
	return n, nil
}

// Flush sees what was written on its way.
func (w *patientWriter) Flush() error {
	w.renew()
	if err := w.conn.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return w.explained(err)
	}
	return nil
}

// Close gives the connection back as it was.
func (w *patientWriter) Close() error {
	err := w.Flush()
	_ = w.conn.SetWriteDeadline(time.Time{})
	return err
}

// renew begins the patience anew. Where deadlines are not supported there is no connection that could be slow.
func (w *patientWriter) renew() { _ = w.conn.SetWriteDeadline(time.Now().Add(w.patience)) }

func (w *patientWriter) explained(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the client received nothing for %s and was cut off: %w", w.patience, err)
	}
	return err
}

// patientReader reads a body as it comes. A client may be as slow as it likes as long as it goes on sending.
type patientReader struct {
	io.ReadCloser
	conn     *http.ResponseController
	patience time.Duration
	ended    bool
}

// Read implements io.Reader. The deadline is lifted at the end: from there on the server listens whether the client is still
// there, and would take its passing for a no.
func (r *patientReader) Read(p []byte) (int, error) {
	_ = r.conn.SetReadDeadline(time.Now().Add(r.patience))
	n, err := r.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	r.ended = true
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return n, &Error{Status: http.StatusRequestTimeout, Code: "request_timeout", Message: fmt.Sprintf("nothing more of the body arrived for %s", r.patience)}
	}
	_ = r.conn.SetReadDeadline(time.Time{})
	return n, err
}

// leave bounds how long the server waits for the rest of a body that was not read to its end.
func (r *patientReader) leave() {
	if !r.ended {
		_ = r.conn.SetReadDeadline(time.Now().Add(r.patience))
	}
}
