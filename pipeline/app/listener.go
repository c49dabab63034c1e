package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"muster/pipeline/metrics"
)

// serve starts the HTTP listener and returns what stops it.
func (w *Worker) serve() (stop func() error, err error) {
	listener, err := net.Listen("tcp", w.config.HTTP.Listen)
	if err != nil {
		return nil, fmt.Errorf("http.listen: %w", err)
	}
	server := &http.Server{
		Handler: w.routes(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(w.log.Handler(), slog.LevelWarn),
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	w.log.Info("serving HTTP", "address", listener.Addr().String())
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		err := server.Shutdown(ctx)
		if err != nil {
			err = server.Close()
		}
		if served := <-done; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		return err
	}, nil
}

// routes are the operations, open to supervisors that hold no key, and the API.
func (w *Worker) routes() http.Handler {
	health := metrics.Health{Pipeline: w.pipeline, Source: w.sourceStatus}
	r := chi.NewRouter()
	r.Get("/livez", health.Live)
	r.Get("/readyz", health.Ready)
	r.Handle("/metrics", promhttp.HandlerFor(w.metrics.Registry, promhttp.HandlerOpts{Registry: w.metrics.Registry}))
	r.Handle("/*", w.newAPI())
	return r
}
