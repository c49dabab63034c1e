package api

import (
	"encoding/json"
	"log/slog"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

const ndjson = "application/x-ndjson"

// linesEvery is how often a stream tells of progress at most.
const linesEvery = 100 * time.Millisecond

// lines writes an answer of one JSON value a line. When its client has gone, or takes nothing, the context of the request ends
// and so does the work; what is written after that goes nowhere.
type lines struct {
	to      *patientWriter
	encoder *json.Encoder
	wrote   time.Time
	broken  bool
	log     *slog.Logger
}

func (a *API) newLines(c huma.Context) *lines {
	to := a.patiently(c)
	e := json.NewEncoder(to)
	e.SetEscapeHTML(false)
	return &lines{to: to, encoder: e, log: a.Log.With("operation", c.Operation().OperationID)}
}

// latest writes a value that the next one replaces, unless another was written just before.
func (l *lines) latest(v any) {
	if time.Since(l.wrote) >= linesEvery {
		l.last(v)
	}
}

// last writes a value and sees it on its way.
func (l *lines) last(v any) {
	if l.broken {
		return
	}
	l.wrote = time.Now()
	err := l.encoder.Encode(v)
	if err == nil {
		err = l.to.Flush()
	}
	if err != nil {
		l.broken = true
		l.log.Warn("an answer broke off", "error", err)
	}
}

// end gives the connection back.
func (l *lines) end() {
	if !l.broken {
		_ = l.to.Close() // everything is flushed
	}
}
