package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"muster/evaluator"
	"muster/pipeline/event"
)

func (m management) registerDrafts() {
	put := manages(http.MethodPut, "/v1/audiences/{key}", "upsert-audience", "Audiences", "Create or change an audience")
	put.description = "The definition becomes a draft, or with `commit=true` the latest version. Every fault is told at once. " +
		"A draft may refer to drafts; a commit may not. A change that would overwrite what somebody else did meanwhile is a 409 unless `force=true`: " +
		"it is noticed by the `sha` in the definition, that of what it was made from."
	register(m.api, put, m.put)
	validate := manages(http.MethodPut, "/v1/audiences/{key}/validate", "validate-audience", "Audiences", "Check a definition")
	validate.description = "Changes nothing. 422 with every fault, each with its place."
	validate.role = RoleRead
	register(m.api, validate, m.validate)
}

// AudienceBody is the body that carries a definition.
type AudienceBody struct {
	Audience json.RawMessage `json:"audience" required:"true" doc:"The definition: name, description, type, segments, and so on."`
}

// proposed is a definition that was read and checked against what stands beside it.
type proposed struct {
	*evaluator.Definition
	base string // the sha it carries
}

// read decodes and checks the definition of a request.
func (m management) read(ctx context.Context, environment, key string, body AudienceBody) (proposed, error) {
	if !evaluator.IsKey(key) {
		return proposed{}, invalid("key", "%.140q is no key; a key is a to z, 0 to 9, _ and -, at most 128 of them, and begins with a letter or a digit", key)
	}
	if len(body.Audience) == 0 || string(body.Audience) == "null" {
		return proposed{}, invalid("audience", "the definition is missing: {\"audience\": {...}}")
	}
	beside, err := m.Audiences.Definitions(ctx, environment, true)
	if err != nil {
		return proposed{}, err
	}
	document, err := m.typed(ctx, environment, key, body.Audience, beside)
	if err != nil {
		return proposed{}, err
	}
	decoded, err := evaluator.DecodeAll([]evaluator.Document{{Key: key, Text: document}}, beside)
	var faults evaluator.SetFaults
	if err != nil && !errors.As(err, &faults) {
		return proposed{}, err
	}
	if wrong, err := m.typeFault(ctx, environment, key, body.Audience); err != nil {
		return proposed{}, err
	} else if wrong != nil {
		faults = append(faults, *wrong)
	}
	if err == nil {
		faults = append(faults, m.hidden(environment, decoded[0])...)
	}
	if len(faults) > 0 {
		return proposed{}, setFaultsOf(faults, key)
	}
	return proposed{decoded[0], shaIn(body.Audience)}, nil
}

// hidden are the columns that a definition names and nobody can read.
func (m management) hidden(environment string, d *evaluator.Definition) evaluator.SetFaults {
	if m.Columns == nil {
		return nil
	}
	schema := m.Columns(environment)
	if schema == nil {
		return nil
	}
	var faults evaluator.SetFaults
	for _, f := range d.CheckColumns(schema) {
		faults = append(faults, evaluator.SetFault{Audience: d.Key, Fault: f})
	}
	return faults
}

// typed adds the type to a definition that has none, if the audience exists: published clients leave out what never changes.
func (m management) typed(ctx context.Context, environment, key string, document json.RawMessage, beside []*evaluator.Definition) (json.RawMessage, error) {
	var given struct {
		Type     json.RawMessage `json:"type"`
		Readonly json.RawMessage `json:"__readonly"`
	}
	if err := json.Unmarshal(document, &given); err != nil || given.Type != nil || given.Readonly != nil {
		return document, nil
	}
	kind, err := m.Versions.AudienceType(ctx, environment, key)
	if err != nil && !m.api.missing(err) {
		return nil, err
	}
	for _, d := range beside {
		if d.Key == key && kind == "" {
			kind = d.Type.String() // a draft
		}
	}
	rest := bytes.TrimPrefix(bytes.TrimSpace(document), []byte("{"))
	if kind == "" || len(bytes.TrimSpace(rest)) < 2 {
		return document, nil
	}
	return fmt.Appendf(nil, `{"type": %q, %s`, kind, rest), nil
}

// typeFault says that the definition would make another kind of audience of its key.
func (m management) typeFault(ctx context.Context, environment, key string, document json.RawMessage) (*evaluator.SetFault, error) {
	var given struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(document, &given); err != nil || given.Type != "static" && given.Type != "dynamic" {
		return nil, nil // the decoder has said so
	}
	kind, err := m.Versions.AudienceType(ctx, environment, key)
	switch {
	case m.api.missing(err) || err == nil && kind == given.Type:
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &evaluator.SetFault{Audience: key, Fault: evaluator.Fault{
		Path: "type", Message: "an audience's type never changes: it is " + kind + "; use another key for a " + given.Type + " one",
	}}, nil
}

// shaIn is the sha that a definition carries: that of what it was made from.
func shaIn(document json.RawMessage) string {
	var given struct {
		SHA string `json:"sha"`
	}
	_ = json.Unmarshal(document, &given) // one of another type names nothing
	return strings.ToLower(given.SHA)
}

func warningsOf(d *evaluator.Definition) []FieldError {
	var all []FieldError
	for _, w := range d.Warnings {
		all = append(all, FieldError{Field: w.Path, Type: "warning", Message: w.Message})
	}
	return all
}

func (m management) put(ctx context.Context, in *struct {
	Key         string `path:"key"`
	Environment string `query:"environment" doc:"The environment. Default: the first, since the published command line sends none here." example:"development"`
	Branch      string `query:"branch" doc:"main, or nothing: audiences can only be changed on the main branch."`
	Annotate    bool   `query:"annotate"`
	Commit      bool   `query:"commit" doc:"Commit the change at once."`
	Message     string `query:"commit_message"`
	Force       bool   `query:"force" doc:"Overwrite what somebody else did meanwhile."`
	Authored
	Body AudienceBody
}) (*answer[OneAudience], error) {
	if in.Environment == "" && len(m.Environments) > 0 {
		in.Environment = m.Environments[0]
	}
	if err := m.changeable(Place{in.Environment, in.Branch}); err != nil {
		return nil, err
	}
	author, err := in.author(ctx)
	if err == nil {
		err = text("commit_message", in.Message)
	}
	if err != nil {
		return nil, err
	}
	d, err := m.read(ctx, in.Environment, in.Key, in.Body)
	if err != nil {
		return nil, err
	}
	p := event.Proposal{
		Environment: in.Environment, Audience: d.Key, Type: d.Type.String(), SHA: d.SHA(), Document: d.Canonical(),
		Base: d.base, Force: in.Force, Author: author, Message: in.Message,
	}
	save := m.Proposals.SaveDraft
	if in.Commit {
		save = m.Proposals.CommitProposal
	}
	a, token, err := save(ctx, p)
	if err != nil {
		return nil, within(err, in.Key)
	}
	m.api.wrote(ctx, token)
	shown, err := audienceOf(&a, in.Annotate)
	return &answer[OneAudience]{OneAudience{shown, warningsOf(d.Definition)}}, err
}

func (m management) validate(ctx context.Context, in *struct {
	Key string `path:"key"`
	Place
	Annotate bool `query:"annotate"`
	Body     AudienceBody
}) (*answer[OneAudience], error) {
	if err := m.changeable(in.Place); err != nil {
		return nil, err
	}
	d, err := m.read(ctx, in.Environment, in.Key, in.Body)
	if err != nil {
		return nil, err
	}
	now, err := m.Audiences.Audience(ctx, in.Environment, in.Key, true)
	if err != nil && !m.api.missing(err) {
		return nil, err
	}
	now.Environment, now.Key, now.SHA, now.Document = in.Environment, d.Key, d.SHA(), d.Canonical()
	shown, err := audienceOf(&now, in.Annotate)
	return &answer[OneAudience]{OneAudience{shown, warningsOf(d.Definition)}}, err
}
