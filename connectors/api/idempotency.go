package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"sync"
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
	Fresh    Claimed = iota // the key was not used: do the work, then finish the claim
	Replayed                // it was: the reply is the answer
	Running                 // the first request of the key is still being served
	Reused                  // it was used with another request
)

// Replies remembers what was answered, by the name of the caller's key and the Idempotency-Key, for ReplyTime. It outlives
// the process: clients retry when one dies. A claim that was not renewed for a minute may be taken over by a retry of the
// same request.
type Replies interface {
	// Claim claims a key. The claim is nil unless it is Fresh.
	Claim(ctx context.Context, caller, key string, digest []byte) (Claimed, Claim, Reply, error)
}

// Claim is the right to serve the request of a key. Whoever took it over is not touched by what its old owner does.
type Claim interface {
	Renew(ctx context.Context) error
	Keep(ctx context.Context, reply Reply) error
	Forget(ctx context.Context) error
}

// renewal is how often the claim of a request that is being served is renewed: several times within the minute that it lasts.
const renewal = 15 * time.Second

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
		claimed, claim, reply, err := a.Replies.Claim(r.Context(), caller, key, digest(r))
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
			a.serveOnce(claim, next, w, r)
		}
	})
}

// serveOnce serves the request and keeps the reply. Failures that may pass are not kept: a retry is to be a new attempt.
func (a *API) serveOnce(claim Claim, next http.Handler, w http.ResponseWriter, r *http.Request) {
	recording := &recorder{ResponseWriter: w, status: http.StatusOK}
	ctx := context.WithoutCancel(r.Context()) // the reply is what a client that went away comes back for
	stop := a.renewing(ctx, claim)
	done := false
	defer func() { // also when it panicked
		stop()
		a.finish(ctx, claim, recording, done)
	}()
	next.ServeHTTP(recording, r)
	done = true
}

// renewing renews a claim until it is stopped.
func (a *API) renewing(ctx context.Context, claim Claim) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(renewal)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if err := claim.Renew(ctx); err != nil && ctx.Err() == nil {
				a.Log.WarnContext(ctx, "the claim of a request that is being served was not renewed; a retry may do its work again", "error", err)
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// finish keeps what a request was answered, if it was done and the answer will last, and else lets its key go.
func (a *API) finish(ctx context.Context, claim Claim, answered *recorder, done bool) {
	if done && lasting(answered.status) {
		header := answered.Header()
		err := claim.Keep(ctx, Reply{
			Status: answered.status, ContentType: header.Get("Content-Type"), Position: header.Get(positionHeader),
			Body: append([]byte{}, answered.body.Bytes()...),
		})
		if err == nil {
			return
		}
		a.Log.WarnContext(ctx, "a reply was not kept; a retry does the work again", "error", err)
	}
	if err := claim.Forget(ctx); err != nil {
		a.Log.WarnContext(ctx, "an idempotency key was not released; it can be used again in a minute", "error", err)
	}
}

// lasting reports whether a retry would be answered the same.
func lasting(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return false
	}
	return status < 500
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
