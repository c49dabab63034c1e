package api

import (
	"encoding/json"
	"fmt"
	"time"

	"muster/pipeline/event"
)

// Audience is a definition as the API shows it.
type Audience struct {
	Key               string          `json:"key" example:"trial-ending"`
	Name              string          `json:"name"`
	Description       *string         `json:"description"`
	Type              string          `json:"type" enum:"static,dynamic"`
	Segments          json.RawMessage `json:"segments,omitempty" doc:"Of a dynamic audience: a user is in when all conditions of one segment hold."`
	Settle            json.RawMessage `json:"settle,omitempty" doc:"How long a change of verdict must last before it counts."`
	TriggerFrequency  string          `json:"trigger_frequency,omitempty"`
	TriggerOnBackfill bool            `json:"trigger_on_backfill,omitempty"`
	Include           []string        `json:"include,omitempty" doc:"Properties that events carry."`
	Environment       string          `json:"environment"`
	CreatedAt         time.Time       `json:"created_at"`
	UpdatedAt         time.Time       `json:"updated_at"`
	SHA               string          `json:"sha" doc:"The name of the content. Sent back with a change, it makes one that overwrites somebody else's a conflict."`
	Readonly          *Readonly       `json:"__readonly,omitempty"`
	Annotation        *Annotation     `json:"__annotation,omitempty"`
}

// Readonly is what Muster says of an audience beside its published fields. A definition may carry it along; it is ignored.
type Readonly struct {
	Version uint32 `json:"version" doc:"The latest version committed here, 0 when there is none."`
	Draft   bool   `json:"draft" doc:"What is shown is not committed yet."`
}

// Annotation tells clients that keep definitions as files which fields to leave alone.
type Annotation struct {
	Readonly    []string `json:"readonly_fields"`
	Extractable struct{} `json:"extractable_fields"`
}

var annotation = &Annotation{Readonly: []string{"environment", "key", "type", "created_at", "updated_at", "sha"}}

// audienceOf shows an audience. The canonical document has the same keys.
func audienceOf(a *event.Audience, annotated bool) (Audience, error) {
	var shown Audience
	if err := json.Unmarshal(a.Document, &shown); err != nil {
		return Audience{}, fmt.Errorf("stored definition of audience %q in %s: %w", a.Key, a.Environment, err)
	}
	shown.Key, shown.Environment, shown.SHA = a.Key, a.Environment, a.SHA
	shown.CreatedAt, shown.UpdatedAt = a.CreatedAt, a.UpdatedAt
	shown.Readonly = &Readonly{Version: a.Version, Draft: a.Draft}
	if annotated {
		shown.Annotation = annotation
	}
	return shown, nil
}
