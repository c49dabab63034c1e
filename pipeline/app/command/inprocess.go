package command

import (
	"bytes"
	"io"
	"net/http"
)

// inProcess serves requests by a handler of this process.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	served := r.Clone(r.Context())
	served.Host, served.RemoteAddr, served.RequestURI = r.URL.Host, "127.0.0.1:0", r.URL.RequestURI()
	if served.Body == nil {
		served.Body = http.NoBody
	}
	w := &buffered{header: make(http.Header), status: http.StatusOK}
	t.handler.ServeHTTP(w, served)
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Header: w.header, Request: r,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// buffered is an http.ResponseWriter in memory.
type buffered struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

func (w *buffered) Header() http.Header { return w.header }

func (w *buffered) WriteHeader(status int) {
	if !w.wrote {
		w.status, w.wrote = status, true
	}
}

func (w *buffered) Write(p []byte) (int, error) {
	w.wrote = true
	return w.body.Write(p)
}
