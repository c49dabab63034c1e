package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Verification is the part of the API that has the worker compare its state with the database.
type Verification struct{ Verifier Verifier }

// Verifier recomputes every membership from a fresh snapshot of the database and compares.
type Verifier interface {
	Verify(ctx context.Context, progress func(VerifyProgress)) (*Verified, error)
}

// VerifyProgress is how far a verification is.
type VerifyProgress struct {
	Step  string `json:"step" enum:"snapshot,users,history" doc:"Waiting for the snapshot's point, reading users, reading the history."`
	Users int64  `json:"users"`
	Total int64  `json:"total" doc:"An estimate."`
}

// Verified is the outcome of a verification.
type Verified struct {
	Position    string            `json:"position" doc:"The point of the log at which all were compared."`
	At          time.Time         `json:"at" doc:"The clock there."`
	Sequence    uint64            `json:"sequence" doc:"The last event there."`
	Users       int64             `json:"users"`
	Memberships int64             `json:"memberships" doc:"Present ones."`
	History     *int64            `json:"history" doc:"Memberships compared with ClickHouse; null when it was not asked."`
	Differences int64             `json:"differences"`
	Found       []VerifyFinding   `json:"found,omitempty" doc:"The first of them."`
	Kinds       map[string]uint64 `json:"kinds,omitempty" doc:"How many of each kind."`
	Notes       []string          `json:"notes,omitempty"`
	TookMS      int64             `json:"took_ms"`
}

// VerifyFinding is one difference.
type VerifyFinding struct {
	Kind     string `json:"kind" enum:"row,membership,timer,recorded,clickhouse"`
	User     string `json:"user_id"`
	Audience string `json:"audience,omitempty"`
	Tenant   string `json:"tenant,omitempty"`
	Want     string `json:"want"`
	Have     string `json:"have"`
}

// VerifyLine is one line of the answer: progress, and at last the result or what kept it from one.
type VerifyLine struct {
	Progress *VerifyProgress `json:"progress,omitempty"`
	Result   *Verified       `json:"result,omitempty"`
	Error    *Error          `json:"error,omitempty"`
}

func (v Verification) register(a *API) {
	e := endpoint{method: http.MethodPost, path: "/v1/verify", id: "verify", tag: "Operations", role: RoleAdmin,
		summary: "Compare the state with the database",
		description: "Recomputes every membership from a fresh snapshot of Postgres and compares it with the state at exactly that point, and with " +
			"ClickHouse. Answers NDJSON: lines of progress and at last the result.", streamed: true}
	register(a, e, func(_ context.Context, _ *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(c huma.Context) { v.stream(a, c) }}, nil
	})
}

func (v Verification) stream(a *API, c huma.Context) {
	c.SetHeader("Content-Type", ndjson)
	lines := a.newLines(c)
	defer lines.end()
	result, err := v.Verifier.Verify(c.Context(), func(p VerifyProgress) { lines.latest(VerifyLine{Progress: &p}) })
	if err != nil {
		lines.last(VerifyLine{Error: a.fault(c.Context(), err)})
		return
	}
	lines.last(VerifyLine{Result: result})
}
