package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

// adapter mounts huma's operations on the router, each behind the chain that all endpoints share.
type adapter struct{ api *API }

// Handle implements huma.Adapter.
func (a adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	var e endpoint
	if given, ok := op.Metadata[endpointKey].(endpoint); ok {
		e = given
	} else { // of huma's own: the OpenAPI document
		e = endpoint{method: op.Method, path: op.Path, role: RoleNone}
	}
	a.api.mount(e, func(w http.ResponseWriter, r *http.Request) { handler(humachi.NewContext(op, r, w)) })
}

// ServeHTTP implements huma.Adapter.
func (a adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.api.ServeHTTP(w, r) }

// mount puts a handler behind the chain; doc.go draws it.
func (a *API) mount(e endpoint, serve http.HandlerFunc) {
	var h http.Handler = serve
	h = a.awaitPosition(h)
	if e.writes() {
		h = a.replaying(e, h)
	}
	if e.method != http.MethodGet {
		h = a.takeBody(e, h)
	}
	h = a.authorize(e, h)
	a.router.Method(e.method, e.path, a.served(e.method+" "+e.path, h))
}

func (a *API) notFound(w http.ResponseWriter, r *http.Request) {
	a.write(w, notFound("there is no %s; GET /openapi.json lists what there is", r.URL.Path))
}

func (a *API) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if a.router.Match(newRouteContext(), method, r.URL.Path) {
			allowed = append(allowed, method)
		}
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	a.write(w, &Error{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed",
		Message: r.URL.Path + " takes " + strings.Join(allowed, ", ") + ", not " + r.Method})
}
