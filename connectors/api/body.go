package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
	"unicode/utf8"
)

const (
	// maxDepth bounds how deep the objects and lists of a body nest. Definitions need about 40.
	maxDepth = 200
	// bodyTime is how long a client may take to send a body.
	bodyTime = 30 * time.Second
)

// takeBody reads the body before anything else is done, so that what is beyond a limit costs nothing, and leaves it to be
// read again. A streamed one it only bounds.
func (a *API) takeBody(e endpoint, next http.Handler) http.Handler {
	limit := e.limit
	if limit == 0 {
		limit = a.MaxBody
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.streamed {
			body := &patientReader{ReadCloser: r.Body, conn: http.NewResponseController(w), patience: a.Patience}
			body.ended = r.ContentLength == 0 // there is none
			r.Body = http.MaxBytesReader(w, body, limit)
			next.ServeHTTP(w, r)
			body.leave()
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		// where deadlines are not supported there is no connection that could be slow
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
		body, err := io.ReadAll(r.Body)
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
		if err != nil {
			a.write(w, bodyFault(err))
			return
		}
		if refused := checkJSON(body); refused != nil {
			a.write(w, refused)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		next.ServeHTTP(w, r)
	})
}

func bodyFault(err error) *Error {
	var tooLarge *http.MaxBytesError
	var timeout net.Error
	var told *Error
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &tooLarge):
		return &Error{Status: http.StatusRequestEntityTooLarge, Code: "request_too_large", Message: fmt.Sprintf(
			"the body has more than %d bytes; send less at once, or raise http.limits", tooLarge.Limit)}
	case errors.As(err, &timeout) && timeout.Timeout():
		return &Error{Status: http.StatusRequestTimeout, Code: "request_timeout", Message: fmt.Sprintf("the body did not arrive within %s", bodyTime)}
	}
	return malformed("the body breaks off: %v", err)
}

// checkJSON refuses bodies that parsers would mend silently or choke on. That it is JSON at all is the parser's to say.
func checkJSON(body []byte) *Error {
	if !utf8.Valid(body) {
		return malformed("the body is not UTF-8")
	}
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return malformed("the body nests deeper than %d", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}
