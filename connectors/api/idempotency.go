package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"time"
)

const idempotencyHeader = "Idempotency-Key"

// ReplyTime is how long a reply is remembered under its key.
const ReplyTime = 24 * time.Hour

// Reply is what a request was answered with.
type Reply struct {
	Status      int
	ContentType string
	Position    string // Muster-Position
	Body        []byte
}

// Claimed says what became of a claim.
type Claimed uint8

const (
	Fresh    Claimed = iota // the key was not used: do the work, then Keep or Forget
	Replayed                // it was: the reply is the answer
	Running                 // the first request of the key is still being served
	Reused                  // it was used with another request
)

// Replies remembers what was answered, by the name of the caller's key and the Idempotency-Key, for ReplyTime. It outlives
// the process: clients retry when one dies. A claim that its process never finished is fresh again after a minute.
type Replies interface {
	Claim(ctx context.Context, caller, key string, digest []byte) (Claimed, Reply, error)
	Keep(ctx context.Context, caller, key string, reply Reply) error
	Forget(ctx context.Context, caller, key string) error
}

const maxIdempotencyKey = 255

// replaying answers a request that was answered before under the same Idempotency-Key as it was then.
func (a *API) replaying(e endpoint, next http.Handler) http.Handler {
	if a.Replies == nil || e.streamed {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get(idempotencyHeader)
		if key == "" {
			next.ServeHTTP(w, r)
			return
		}
		if len(key) > maxIdempotencyKey {
			a.write(w, invalid(idempotencyHeader, "the key has more than %d characters", maxIdempotencyKey))
			return
		}
		caller := callerOf(r.Context()).Name
		claimed, reply, err := a.Replies.Claim(r.Context(), caller, key, digest(r))
		switch {
		case err != nil:
			a.write(w, a.fault(r.Context(), err))
		case claimed == Replayed:
			reply.replay(w)
		case claimed == Running:
			e := conflict("the first request with this Idempotency-Key is still being served; ask again")
			e.Code, e.retryAfter = "idempotency_key_in_use", time.Second
			a.write(w, e)
		case claimed == Reused:
			e := invalid(idempotencyHeader, "the key was used with another request; every request needs a new one")
			e.Code = "idempotency_key_reused"
			a.write(w, e)
		default:
			a.serveOnce(caller, key, next, w, r)
		}
	})
}

// serveOnce serves the request and keeps the reply. Failures that may pass are not kept: a retry is to be a new attempt.
func (a *API) serveOnce(caller, key string, next http.Handler, w http.ResponseWriter, r *http.Request) {
	recording := &recorder{ResponseWriter: w, status: http.StatusOK}
	ctx := context.WithoutCancel(r.Context()) // the reply is what a client that went away comes back for
	kept := false
	defer func() {
		if kept {
			return
		}
		if err := a.Replies.Forget(ctx, caller, key); err != nil {
			a.Log.WarnContext(ctx, "an idempotency key was not released; it can be used again in a minute", "error", err)
		}
	}()
	next.ServeHTTP(recording, r)
	switch recording.status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return
	}
	if recording.status >= 500 {
		return
	}
	reply := Reply{Status: recording.status, ContentType: w.Header().Get("Content-Type"), Position: w.Header().Get(positionHeader), Body: append([]byte{}, recording.body.Bytes()...)}
	if err := a.Replies.Keep(ctx, caller, key, reply); err != nil {
		a.Log.WarnContext(ctx, "a reply was not kept; a retry does the work again", "error", err)
		return
	}
	kept = true
}

func (reply Reply) replay(w http.ResponseWriter) {
	w.Header().Set("Idempotency-Replayed", "true")
	if reply.ContentType != "" {
		w.Header().Set("Content-Type", reply.ContentType)
	}
	if reply.Position != "" {
		w.Header().Set(positionHeader, reply.Position)
	}
	w.WriteHeader(reply.Status)
	_, _ = w.Write(reply.Body)
}

// digest names the content of a request, whose body takeBody has read.
func digest(r *http.Request) []byte {
	h := sha256.New()
	_, _ = io.WriteString(h, r.Method+" "+r.URL.RequestURI()+"\n")
	body, _ := io.ReadAll(r.Body)
	_, _ = h.Write(body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	return h.Sum(nil)
}

// recorder keeps a copy of what is answered.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	_, _ = r.body.Write(p)
	return r.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController through.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
