package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
)

// Options configure an API. Everything may be left out but Log.
type Options struct {
	Version string // of the program, in the OpenAPI document

	Keys              []Key // none: callers on this machine alone, with any token or none
	RequestsPerSecond int   // of one key; 0: no limit
	MaxBody           int64 // bytes of a request; 0: 4 MB

	// Patience is how long a client may take to receive a piece of an answer that is streamed, or to send more of a body that
	// is; 0: 20 seconds.
	Patience time.Duration

	// Positions lets a read wait for a write. nil: writes answer with no position, and reads do not wait.
	Positions Positions
	// Replies remembers what was answered under an Idempotency-Key. nil: the header is ignored.
	Replies Replies
	// Classify says what kind of failure an error of the parts behind the API is; see Kind. nil: all are Internal.
	Classify func(error) Kind
	// Observe hears of every request served; route is the pattern, not the path.
	Observe func(route string, status int, took time.Duration)

	Log *slog.Logger
}

// Part is a group of endpoints together with what they need. New mounts it.
type Part interface {
	register(*API)
}

// API is the HTTP API: an http.Handler.
type API struct {
	Options
	router *chi.Mux
	huma   huma.API
	gate   *gate
}

const defaultMaxBody = 4_000_000

// New returns an API with the endpoints of the given parts.
func New(o Options, parts ...Part) *API {
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.Patience == 0 {
		o.Patience = defaultPatience
	}
	a := &API{Options: o, router: chi.NewRouter(), gate: newGate(o.Keys, o.RequestsPerSecond)}
	a.router.NotFound(a.served("", http.HandlerFunc(a.notFound)).ServeHTTP)
	a.router.MethodNotAllowed(a.served("", http.HandlerFunc(a.methodNotAllowed)).ServeHTTP)
	a.huma = huma.NewAPI(humaConfig(o.Version), adapter{a})
	a.profiles()
	for _, part := range parts {
		part.register(a)
	}
	return a
}

// ServeHTTP implements http.Handler. It routes by the whole path, also below another chi router.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Context().Value(chi.RouteCtxKey) != nil {
		r = r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, (*chi.Context)(nil)))
	}
	a.router.ServeHTTP(w, r)
}

// OpenAPI returns the OpenAPI 3.1 document, as JSON.
func (a *API) OpenAPI() ([]byte, error) { return a.huma.OpenAPI().MarshalJSON() }
