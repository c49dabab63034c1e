package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// served watches over one request: it turns a panic into a 500, writes the access log and tells the observer. The log
// has neither the query, in which some vendors carry keys, nor any header.
func (a *API) served(route string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		watched := &watcher{ResponseWriter: w}
		defer func() { // also when the connection is cut
			took := time.Since(began)
			if a.Observe != nil {
				a.Observe(route, watched.code(), took)
			}
			a.Log.LogAttrs(r.Context(), levelOf(r.Method, watched.code()), "request", slog.String("method", r.Method),
				slog.String("path", r.URL.Path), slog.Int("status", watched.code()), slog.Int64("bytes", watched.bytes),
				slog.Duration("took", took), slog.String("key", watched.caller.Name), slog.String("remote", r.RemoteAddr))
		}()
		defer func() {
			if p := recover(); p != nil {
				a.broke(watched, r, p)
			}
		}()
		next.ServeHTTP(watched, r)
	})
}

// broke answers for a handler that panicked.
func (a *API) broke(w *watcher, r *http.Request, p any) {
	if p == http.ErrAbortHandler { // the way to cut a connection
		panic(p)
	}
	a.Log.ErrorContext(r.Context(), "a request panicked", "panic", fmt.Sprint(p), "method", r.Method, "path", r.URL.Path, "stack", string(debug.Stack()))
	if w.status == 0 {
		a.write(w, &Error{Status: http.StatusInternalServerError, Code: "internal_error", Message: "something went wrong on our side; it has been logged"})
	}
}

// levelOf keeps the log of a busy API readable: reads that went well are for debugging.
func levelOf(method string, status int) slog.Level {
	switch {
	case status >= 500 && status != http.StatusServiceUnavailable:
		return slog.LevelWarn
	case method == http.MethodGet && status < 400:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// watcher notes what is answered.
type watcher struct {
	http.ResponseWriter
	status int
	bytes  int64
	caller Caller
}

func (w *watcher) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

func (w *watcher) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watcher) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// FlushError sees what was written on its way, for answers that are streamed.
func (w *watcher) FlushError() error { return http.NewResponseController(w.ResponseWriter).Flush() }

// Unwrap lets http.ResponseController through.
func (w *watcher) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// noteCaller tells the access log who it was.
func noteCaller(w http.ResponseWriter, c Caller) {
	if watched, ok := w.(*watcher); ok {
		watched.caller = c
	}
}
