package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Previews is the part of the API that says who would be in an audience. It changes nothing.
type Previews struct {
	Environment string // the one that the worker evaluates
	Previewer   Previewer
}

// Previewer judges every user by a definition, from live state at one position.
type Previewer interface {
	// Preview counts, and returns the first page of members. Faults of the definition are evaluator.Faults or SetFaults.
	Preview(ctx context.Context, q PreviewQuestion, progress func(PreviewProgress)) (*Preview, error)
}

// PreviewQuestion is a definition to try.
type PreviewQuestion struct {
	Key      string // "" when the document has none
	Document json.RawMessage
	After    string // id behind which the page begins; then nothing is counted
	Limit    int    // members on the page, and samples of who would enter and leave
}

// Preview is who would be in.
type Preview struct {
	Audience string  `json:"audience,omitempty"`
	Live     *uint32 `json:"live_version" doc:"The version in force that is compared with; null when there is none."`

	Count *int64 `json:"count,omitempty" doc:"Users who would be in."`
	Enter *int64 `json:"enter_count,omitempty" doc:"Of them, those who are not in now."`
	Leave *int64 `json:"leave_count,omitempty" doc:"Users who are in now and would not be."`
	Users *int64 `json:"users,omitempty" doc:"Of how many."`

	Entries  []PreviewUser `json:"entries" nullable:"false" doc:"A page of those who would be in, by id."`
	Entering []PreviewUser `json:"entering,omitempty" doc:"A sample of those who would enter."`
	Leaving  []PreviewUser `json:"leaving,omitempty" doc:"A sample of those who would leave."`
	PageInfo PageInfo      `json:"page_info"`

	Warnings []FieldError `json:"warnings,omitempty" doc:"What is allowed and most likely not meant."`
	Notes    []string     `json:"notes,omitempty"`
	Position string       `json:"position" doc:"The point of the log that all of this is true at."`
	At       time.Time    `json:"at" doc:"The clock there, which relative arguments count from."`
	TookMS   int64        `json:"took_ms"`
}

// PreviewUser is one user with its properties; those in http.mask are not shown.
type PreviewUser struct {
	ID         string          `json:"id"`
	Properties json.RawMessage `json:"properties"`
}

// PreviewProgress is what a preview has found so far.
type PreviewProgress struct {
	Users    int64         `json:"users"`
	Fraction float64       `json:"fraction" doc:"Of the work, from 0 to 1."`
	Count    int64         `json:"count"`
	Enter    int64         `json:"enter_count"`
	Leave    int64         `json:"leave_count"`
	Entries  []PreviewUser `json:"entries,omitempty" doc:"Once: the first who would be in, as soon as they are known."`
}

// PreviewLine is one line of a streamed preview: progress, and at last the result or what kept it from one.
type PreviewLine struct {
	Progress *PreviewProgress `json:"progress,omitempty"`
	Result   *Preview         `json:"result,omitempty"`
	Error    *Error           `json:"error,omitempty"`
}

// previewInput is the request of both forms.
type previewInput struct {
	Environment string `query:"environment" doc:"The worker's own, the default."`
	PageQuery
	Body struct {
		Audience json.RawMessage `json:"audience" required:"true" doc:"The definition, as in a file. Its key may be left out for one that is not there yet."`
	}
}

func (p Previews) register(a *API) {
	about := "Judges every user by live state, all at one position of the log, while the stream goes on. Conditions on other audiences read their " +
		"present members. `after` pages through the members and counts nothing."
	one := endpoint{method: http.MethodPost, path: "/v1/audiences/preview", id: "preview-audience", tag: "Audiences", role: RoleRead,
		summary: "Who would be in?", description: about}
	register(a, one, p.preview)
	streamed := endpoint{method: http.MethodPost, path: "/v1/audiences/preview/stream", id: "stream-preview", tag: "Audiences", role: RoleRead,
		summary: "Who would be in? Counting aloud", description: about + " Answers NDJSON: what is found so far, ten times a second, and at last the result."}
	register(a, streamed, func(ctx context.Context, in *previewInput) (*huma.StreamResponse, error) {
		q, _, err := p.question(in)
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(c huma.Context) { p.stream(a, q, c) }}, nil
	})
}

func (p Previews) question(in *previewInput) (PreviewQuestion, Window, error) {
	if err := ownEnvironment(in.Environment, p.Environment); err != nil {
		return PreviewQuestion{}, Window{}, err
	}
	w, err := in.window()
	if err != nil {
		return PreviewQuestion{}, w, err
	}
	if w.Backward {
		return PreviewQuestion{}, w, invalid("before", "a preview is paged forwards only")
	}
	var own struct {
		Key string `json:"key"`
	}
	_ = json.Unmarshal(in.Body.Audience, &own) // the decoder says what is wrong with it
	return PreviewQuestion{Key: own.Key, Document: in.Body.Audience, After: w.From, Limit: w.Limit}, w, nil
}

func (p Previews) preview(ctx context.Context, in *previewInput) (*answer[*Preview], error) {
	q, _, err := p.question(in)
	if err != nil {
		return nil, err
	}
	found, err := p.Previewer.Preview(ctx, q, func(PreviewProgress) {})
	if err != nil {
		return nil, within(err, q.Key)
	}
	return &answer[*Preview]{found.page(q)}, nil
}

// page cuts off the entry that only tells whether there are more.
func (v *Preview) page(q PreviewQuestion) *Preview {
	w := Window{From: q.After, Limit: q.Limit}
	page := pageOf(w, v.Entries, func(u *PreviewUser) string { return u.ID })
	v.Entries, v.PageInfo = page.Entries, page.PageInfo
	v.PageInfo.Before = nil // pages go forwards only
	size := min(q.Limit-1, len(v.Entering))
	v.Entering = v.Entering[:size]
	v.Leaving = v.Leaving[:min(q.Limit-1, len(v.Leaving))]
	return v
}

func (p Previews) stream(a *API, q PreviewQuestion, c huma.Context) {
	c.SetHeader("Content-Type", ndjson)
	lines := a.newLines(c)
	defer lines.end()
	found, err := p.Previewer.Preview(c.Context(), q, func(progress PreviewProgress) {
		if len(progress.Entries) > 0 {
			progress.Entries = progress.Entries[:min(len(progress.Entries), q.Limit-1)]
		}
		lines.last(PreviewLine{Progress: &progress})
	})
	if err != nil {
		lines.last(PreviewLine{Error: a.fault(c.Context(), within(err, q.Key))})
		return
	}
	lines.last(PreviewLine{Result: found.page(q)})
}
