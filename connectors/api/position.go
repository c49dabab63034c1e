package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"muster/pipeline/event"
)

const positionHeader = "Muster-Position"

// patience is how long a read waits for the position it was given.
const patience = 10 * time.Second

// Positions knows how far the worker has come.
type Positions interface {
	// Reach returns a position in the log at or after every commit that has been made by now.
	Reach(ctx context.Context) (event.LSN, error)
	// AwaitToken returns when readers see the effects of the transaction that carried the token.
	AwaitToken(ctx context.Context, token string) (event.LSN, error)
	// AwaitPosition returns when readers see the effects of every transaction up to the position.
	AwaitPosition(ctx context.Context, at event.LSN) error
}

// wrote says that the request wrote something in a transaction that carried the token; "" says that nothing was changed.
// The answer gets a Muster-Position: the token, which comes through the log by itself, and a place in the log beyond it, for
// workers that were started since and know no older tokens.
func (a *API) wrote(ctx context.Context, token string) {
	header, _ := ctx.Value(answerKey{}).(http.Header)
	if a.Positions == nil || token == "" || header == nil {
		return
	}
	reach, err := a.Positions.Reach(ctx)
	if err != nil { // it is written; only a worker that starts in between will not know the token
		a.Log.WarnContext(ctx, "a position has no place in the log", "error", err)
	}
	header.Set(positionHeader, token+"@"+reach.String())
}

type answerKey struct{}

// awaitPosition holds a request with a Muster-Position back until the state has it.
func (a *API) awaitPosition(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if position := r.Header.Get(positionHeader); position != "" && a.Positions != nil {
			if refused := a.await(r.Context(), position); refused != nil {
				a.write(w, refused)
				return
			}
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), answerKey{}, w.Header())))
	})
}

func (a *API) await(ctx context.Context, position string) *Error {
	token, place, ok := strings.Cut(position, "@")
	reach, err := parseLSN(place)
	if !ok || err != nil {
		return invalid(positionHeader, "this is no position; send what a write answered with")
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	passed := make(chan error, 2)
	waiting := 1
	go func() { _, err := a.Positions.AwaitToken(ctx, token); passed <- err }()
	if reach != 0 {
		waiting++
		go func() { passed <- a.Positions.AwaitPosition(ctx, reach) }()
	}
	err = <-passed // either will do
	cancel()
	for range waiting - 1 {
		<-passed
	}
	if err != nil {
		e := unavailable("the worker has not come as far as that write within %s; ask again", patience)
		e.Code = "position_not_reached"
		return e
	}
	return nil
}

// parseLSN reads Postgres's own form, such as 0/1A2B3C8.
func parseLSN(text string) (event.LSN, error) {
	var high, low uint32
	if n, err := fmt.Sscanf(text, "%X/%X", &high, &low); err != nil || n != 2 {
		return 0, fmt.Errorf("%q is no position in the log", text)
	}
	return event.LSN(high)<<32 | event.LSN(low), nil
}
