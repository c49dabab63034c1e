package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"muster/evaluator"

	"github.com/danielgtaylor/huma/v2"
)

// Kind says what kind of failure an error is, where the API itself cannot know: of the database, the pipeline and so on.
type Kind uint8

const (
	Internal    Kind = iota // ours: 500, logged, and the caller learns nothing of it
	Missing                 // what was named does not exist: 404
	Conflict                // it is not as the caller believes: 409
	Invalid                 // the content is wrong: 422
	Unavailable             // not now: 503 with Retry-After
	Busy                    // others are at it, and waiting for them took too long: 503 with Retry-After
)

// Error is the published shape of every answer that is not a success.
type Error struct {
	Code    string       `json:"code" doc:"What went wrong, for programs." example:"resource_missing"`
	Type    string       `json:"type" doc:"The family of the error." enum:"invalid_request_error,authentication_error,rate_limit_error,api_error"`
	Message string       `json:"message" doc:"What went wrong, for people, and what to do."`
	Status  int          `json:"status" doc:"The HTTP status."`
	Errors  []FieldError `json:"errors,omitempty" doc:"Everything that is wrong with the request, each with its place."`

	retryAfter time.Duration
}

// FieldError is one thing wrong with a request and its place.
type FieldError struct {
	Field   string `json:"field" doc:"JSON path in the body, or the name of a parameter." example:"segments[0].conditions[1].argument"`
	Type    string `json:"type" example:"invalid"`
	Message string `json:"message"`
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// GetStatus implements huma.StatusError.
func (e *Error) GetStatus() int { return e.Status }

// GetHeaders implements huma.HeadersError.
func (e *Error) GetHeaders() http.Header {
	h := http.Header{}
	if e.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((e.retryAfter+time.Second-1)/time.Second)))
	}
	return h
}

func notFound(format string, args ...any) *Error {
	return &Error{Status: http.StatusNotFound, Code: "resource_missing", Message: fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) *Error {
	return &Error{Status: http.StatusConflict, Code: "conflict", Message: fmt.Sprintf(format, args...)}
}

func malformed(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "malformed_request", Message: fmt.Sprintf(format, args...)}
}

func unavailable(format string, args ...any) *Error {
	return &Error{Status: http.StatusServiceUnavailable, Code: "unavailable", Message: fmt.Sprintf(format, args...), retryAfter: time.Second}
}

// invalid is content that is wrong in one place.
func invalid(field, format string, args ...any) *Error {
	return invalidAll([]FieldError{{Field: field, Message: fmt.Sprintf(format, args...)}})
}

// invalidAll is content that is wrong in several places at once; the message names the first.
func invalidAll(faults []FieldError) *Error {
	e := &Error{Status: http.StatusUnprocessableEntity, Code: "invalid_params", Errors: faults}
	for i := range e.Errors {
		if e.Errors[i].Type == "" {
			e.Errors[i].Type = "invalid"
		}
	}
	if len(faults) > 0 {
		e.Message = strings.TrimPrefix(faults[0].Field+": "+faults[0].Message, ": ")
	}
	if more := len(faults) - 1; more > 0 {
		e.Message += fmt.Sprintf(" (and %d more)", more)
	}
	return e
}

// faultsOf is the faults of a definition as a request's; in goes in front of their paths.
func faultsOf(faults evaluator.Faults, in string) *Error {
	all := make([]FieldError, len(faults))
	for i, f := range faults {
		all[i] = FieldError{Field: joinField(in, f.Path), Message: f.Message}
	}
	return invalidAll(all)
}

// setFaultsOf is faults between definitions. Those of the audience that the request is about keep their path, others have
// their audience in front.
func setFaultsOf(faults evaluator.SetFaults, about string) *Error {
	all := make([]FieldError, len(faults))
	for i, f := range faults {
		all[i] = FieldError{Field: f.Path, Message: f.Message}
		if f.Audience != about {
			all[i] = FieldError{Field: joinField(f.Audience, f.Path), Message: fmt.Sprintf("audience %q: %s", f.Audience, f.Message)}
		}
	}
	return invalidAll(all)
}

func joinField(in, path string) string {
	if in == "" || path == "" {
		return in + path
	}
	return in + "." + path
}

// typeOf is the family of each status.
func typeOf(status int) string {
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return "authentication_error"
	case status == http.StatusTooManyRequests:
		return "rate_limit_error"
	case status >= 500:
		return "api_error"
	}
	return "invalid_request_error"
}

// fault makes the answer to an error. What is nobody's business but ours is logged and not told.
func (a *API) fault(ctx context.Context, err error) *Error {
	e := a.judge(ctx, err)
	e.Type = typeOf(e.Status)
	return e
}

func (a *API) judge(ctx context.Context, err error) *Error {
	var told *Error
	var faults evaluator.Faults
	var setFaults evaluator.SetFaults
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &faults):
		return faultsOf(faults, "")
	case errors.As(err, &setFaults):
		return setFaultsOf(setFaults, "")
	case ctx.Err() != nil:
		return unavailable("the request was given up: %v", context.Cause(ctx))
	}
	switch a.kind(err) {
	case Missing:
		return notFound("%v", err)
	case Conflict:
		return conflict("%v", err)
	case Invalid:
		return invalid("", "%v", err)
	case Busy:
		a.Log.WarnContext(ctx, "a request gave up waiting for others", "error", err)
		return unavailable("another transaction holds what this needs, such as a commit of the same environment or a change of the same rows; nothing was done, ask again")
	case Unavailable:
		a.Log.WarnContext(ctx, "a request could not be served", "error", err)
		return unavailable("this cannot be served just now, the worker is starting or its database cannot be reached; ask again")
	}
	a.Log.ErrorContext(ctx, "a request failed", "error", err)
	return &Error{Status: http.StatusInternalServerError, Code: "internal_error", Message: "something went wrong on our side; it has been logged"}
}

// kind classifies an error.
func (a *API) kind(err error) Kind {
	if a.Classify == nil {
		return Internal
	}
	return a.Classify(err)
}

// missing reports whether an error says that something does not exist.
func (a *API) missing(err error) bool { return err != nil && a.kind(err) == Missing }

// write answers with an error outside of huma.
func (a *API) write(w http.ResponseWriter, e *Error) {
	e.Type = typeOf(e.Status)
	for name, values := range e.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	_ = json.NewEncoder(w).Encode(e) // a client that is gone needs no answer
}

// huma makes errors of its own, of requests that do not fit the schema, through this hook, the only way there is.
func init() { huma.NewError = fromHuma }

func fromHuma(status int, message string, errs ...error) huma.StatusError {
	if status == http.StatusUnsupportedMediaType { // what curl -d says, unless told otherwise
		const repair = "send the header Content-Type: application/json"
		return &Error{Status: status, Code: codes[status], Type: typeOf(status), Message: "the body is not said to be JSON; " + repair,
			Errors: []FieldError{{Field: "Content-Type", Type: "invalid", Message: repair}}}
	}
	e := &Error{Status: status, Code: codes[status], Type: typeOf(status), Message: message}
	if e.Code == "" {
		e.Code = "invalid_params"
	}
	for _, err := range errs {
		var detailed huma.ErrorDetailer
		if !errors.As(err, &detailed) {
			if err != nil {
				e.Errors = append(e.Errors, FieldError{Type: "invalid", Message: err.Error()})
			}
			continue
		}
		d := detailed.ErrorDetail()
		e.Errors = append(e.Errors, FieldError{Field: absentOf(fieldOf(d.Location), d.Message), Type: "invalid", Message: d.Message})
	}
	if len(e.Errors) > 0 {
		e.Message = invalidAll(e.Errors).Message
	}
	return e
}

var codes = map[int]string{
	http.StatusBadRequest:           "malformed_request",
	http.StatusNotAcceptable:        "not_acceptable",
	http.StatusUnsupportedMediaType: "unsupported_media_type",
	http.StatusInternalServerError:  "internal_error",
}

// absentOf is the field that a message of huma's says is absent, whose place is that of the object around it.
func absentOf(field, message string) string {
	if rest, ok := strings.CutPrefix(message, "expected required property "); ok {
		if name, ok := strings.CutSuffix(rest, " to be present"); ok {
			return strings.TrimPrefix(field+"."+name, ".")
		}
	}
	return field
}

// fieldOf takes huma's "body.", "query." and so on off a location.
func fieldOf(location string) string {
	for _, in := range []string{"body", "query", "path", "header"} {
		if rest, ok := strings.CutPrefix(location, in); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return strings.TrimPrefix(rest, ".")
		}
	}
	return location
}

// within gives faults between definitions the paths of a request about one of them.
func within(err error, audience string) error {
	var faults evaluator.SetFaults
	if errors.As(err, &faults) {
		return setFaultsOf(faults, audience)
	}
	return err
}
