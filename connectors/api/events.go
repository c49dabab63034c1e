package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"muster/evaluator"
	"muster/pipeline/event"
)

// Events is the part of the API that shows events as they happen.
type Events struct {
	Environment string
	Last        func() uint64                    // sequence of the last event
	Listen      func(after uint64) EventListener // a reader of the events behind a sequence
	Ending      <-chan struct{}                  // closed when the server is about to stop
}

// EventListener waits for the next events. Missed are gone before they could be read.
type EventListener interface {
	Next(ctx context.Context) (events []event.Event, missed uint64, err error)
}

// eventsBeat is how often something is sent when nothing happens, so that proxies keep the connection.
const eventsBeat = 15 * time.Second

func (v Events) register(a *API) {
	e := endpoint{method: http.MethodGet, path: "/v1/events", id: "stream-events", tag: "Events", role: RoleRead,
		summary: "Events as they happen",
		description: "Server-sent events: `id` is the sequence, `event` the type, `data` the JSON that Kafka gets. A client that reconnects sends " +
			"Last-Event-ID and misses nothing as long as the outbox reaches back; what it has lost is told by an event `gap`. A slow client " +
			"holds nobody back. Kafka is the place for what must not be missed."}
	register(a, e, func(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) { return v.stream(a, in) })
}

type eventsInput struct {
	Environment string   `query:"environment" doc:"The worker's own, the default."`
	Audience    []string `query:"audience,explode" doc:"Of these audiences only; may be given several times."`
	After       string   `query:"after" doc:"Begin behind this sequence; the same as Last-Event-ID. Default: with what happens from now on."`
	LastID      string   `header:"Last-Event-ID" doc:"Begin behind this sequence. Browsers send it when they reconnect."`
}

func (v Events) stream(a *API, in *eventsInput) (*huma.StreamResponse, error) {
	if err := ownEnvironment(in.Environment, v.Environment); err != nil {
		return nil, err
	}
	wanted := make(map[string]bool)
	for _, key := range in.Audience {
		if !evaluator.IsKey(key) {
			return nil, invalid("audience", "%.140q is no key of an audience", key)
		}
		wanted[key] = true
	}
	after := v.Last()
	for _, given := range []struct{ name, text string }{{"after", in.After}, {"Last-Event-ID", in.LastID}} {
		if given.text == "" {
			continue
		}
		n, err := strconv.ParseUint(given.text, 10, 64)
		if err != nil || n > math.MaxInt64 {
			return nil, invalid(given.name, "%.40q is no sequence", given.text)
		}
		after = n
	}
	return &huma.StreamResponse{Body: func(c huma.Context) { v.send(a, c, after, wanted) }}, nil
}

// send writes events until the client or the server goes.
func (v Events) send(a *API, c huma.Context, after uint64, wanted map[string]bool) {
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case <-v.Ending:
			cancel()
		case <-ctx.Done():
		}
	}()
	defer func() {
		cancel()
		<-stopped
	}()
	c.SetHeader("Content-Type", "text/event-stream")
	c.SetHeader("Cache-Control", "no-store")
	c.SetHeader("X-Accel-Buffering", "no") // nginx would collect them
	s := sender{to: a.patiently(c), wanted: wanted}
	if !s.flush("retry: 1000\n\n") {
		return
	}
	listener := v.Listen(after)
	for ctx.Err() == nil {
		waiting, stop := context.WithTimeout(ctx, eventsBeat)
		events, missed, err := listener.Next(waiting)
		stop()
		switch {
		case ctx.Err() != nil:
			return
		case waiting.Err() != nil && err != nil:
			if !s.flush(": still here\n\n") {
				return
			}
		case err != nil:
			return // the client reconnects and asks again
		case !s.send(events, missed):
			return
		}
	}
}

// sender writes server-sent events to one client.
type sender struct {
	to     *patientWriter
	wanted map[string]bool
	buffer []byte
}

func (s *sender) send(events []event.Event, missed uint64) bool {
	b := s.buffer[:0]
	if missed > 0 {
		b = fmt.Appendf(b, "event: gap\ndata: {\"missed\":%d}\n\n", missed)
	}
	last := uint64(0)
	for i := range events {
		e := &events[i]
		last = e.Sequence
		if len(s.wanted) > 0 && !s.wanted[e.Audience] {
			continue
		}
		b = fmt.Appendf(b, "id: %d\nevent: %s\ndata: ", e.Sequence, e.Type)
		b = append(e.AppendJSON(b), "\n\n"...)
		last = 0
	}
	if last > 0 { // what was left out need not be asked for again
		b = fmt.Appendf(b, "id: %d\n\n", last)
	}
	s.buffer = b
	return s.flush(string(b))
}

// flush sees text on its way; false means that the client is gone, or does not receive.
func (s *sender) flush(text string) bool {
	if _, err := s.to.Write([]byte(text)); err != nil {
		return false
	}
	return s.to.Flush() == nil
}
