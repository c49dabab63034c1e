package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
)

// endpoint describes one endpoint to the chain in front of it and to the OpenAPI document.
type endpoint struct {
	method, path string
	id           string // operation id, unique: list-audiences
	tag          string // the heading it stands under
	summary      string // one line
	description  string // more, in Markdown
	role         Role   // the least that a key needs
	status       int    // of success; 0: 200, or 204 where the output has no Body
	streamed     bool   // the body is read by the handler as it comes and may have up to limit bytes; no Idempotency-Key
	limit        int64  // bytes of the body; 0: Options.MaxBody
	keyParameter string // of the query, in which a caller that cannot set a header may send its key
	errors       []int  // statuses it may answer beside those that all may
}

// endpointKey is where an operation keeps its endpoint.
const endpointKey = "endpoint"

// writes reports whether calling it may change something.
func (e endpoint) writes() bool { return e.method != http.MethodGet && e.role >= RoleWrite }

// register adds an endpoint. I and O are structs as huma takes them: parameters with their tags, Body, and headers. An
// error of the handler is answered as errors.go says: return the *Error of one of its constructors, or anything else for
// Options.Classify to judge.
func register[I, O any](a *API, e endpoint, handler func(context.Context, *I) (*O, error)) {
	op := huma.Operation{
		OperationID: e.id, Method: e.method, Path: e.path, Summary: e.summary, Description: e.description, Tags: []string{e.tag},
		DefaultStatus: e.status, Errors: e.statuses(), Metadata: map[string]any{endpointKey: e}, Security: bearer,
		MaxBodyBytes: -1, BodyReadTimeout: -1, // takeBody bounds both
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := handler(ctx, in)
		if err != nil {
			return nil, a.fault(ctx, err)
		}
		return out, nil
	})
	a.document(e)
}

// statuses lists what the endpoint may answer beside success.
func (e endpoint) statuses() []int {
	all := []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity,
		http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable}
	if e.writes() {
		all = append(all, http.StatusConflict)
	}
	if e.method != http.MethodGet {
		all = append(all, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	all = append(all, e.errors...)
	slices.Sort(all)
	return slices.Compact(all)
}

// document adds the headers that the chain reads and writes to the operation, which huma does not see.
func (a *API) document(e endpoint) {
	item := a.huma.OpenAPI().Paths[e.path]
	op := map[string]*huma.Operation{
		http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodDelete: item.Delete,
	}[e.method]
	text := &huma.Schema{Type: huma.TypeString}
	position := "What a write answered with: the answer has at least that write's effects."
	op.Parameters = append(op.Parameters, &huma.Param{Name: positionHeader, In: "header", Description: position, Schema: text})
	if !e.writes() {
		return
	}
	if !e.streamed {
		op.Parameters = append(op.Parameters, &huma.Param{Name: idempotencyHeader, In: "header", Schema: text,
			Description: "A repeated request with the same key, within 24 hours, is answered as the first was and does nothing."})
	}
	for code, response := range op.Responses {
		if status, _ := strconv.Atoi(code); status < 300 && response.Headers == nil {
			response.Headers = map[string]*huma.Param{}
		}
		if status, _ := strconv.Atoi(code); status < 300 {
			response.Headers[positionHeader] = &huma.Param{Description: "Send it with a read that must see this write.", Schema: text}
		}
	}
}

func newRouteContext() *chi.Context { return chi.NewRouteContext() }

// answer is an output that is a body and nothing else.
type answer[T any] struct{ Body T }

// nothing is an output without a body: 204.
type nothing struct{}
