package api

import (
	"context"
	"net/http"

	"muster/pipeline/event"
)

func (m management) registerAudiences() {
	register(m.api, manages(http.MethodGet, "/v1/audiences", "list-audiences", "Audiences", "List audiences"), m.list)
	register(m.api, manages(http.MethodGet, "/v1/audiences/{key}", "get-audience", "Audiences", "Get an audience"), m.get)
	archive := manages(http.MethodDelete, "/v1/audiences/{key}", "archive-audience", "Audiences", "Archive an audience")
	archive.description = "It ends in every environment at once: all members exit. Refused with 409 while another audience refers to it."
	register(m.api, archive, m.archive)
	register(m.api, manages(http.MethodGet, "/v1/audiences/{key}/versions/{version}", "get-audience-version", "Audiences",
		"Get an audience as it was committed"), m.version)
	revert := manages(http.MethodPut, "/v1/audiences/{key}/revert", "revert-audience", "Audiences", "Commit an earlier version again")
	register(m.api, revert, m.revert)
}

// Shown is the parameters that say how audiences are shown; embed it.
type Shown struct {
	Annotate        bool `query:"annotate" doc:"Add __annotation, which names the fields that clients leave alone."`
	HideUncommitted bool `query:"hide_uncommitted_changes" doc:"Show what is committed, also where there is a draft."`
}

func (m management) list(ctx context.Context, in *struct {
	Place
	Shown
	PageQuery
}) (*answer[Page[Audience]], error) {
	if err := m.environment(in.Environment); err != nil {
		return nil, err
	}
	w, err := in.window()
	if err != nil {
		return nil, err
	}
	rows, err := m.Audiences.ListAudiences(ctx, in.Environment, !in.HideUncommitted, w.From, w.Backward, w.Limit)
	if err != nil {
		return nil, err
	}
	shown := make([]Audience, len(rows))
	for i := range rows {
		if shown[i], err = audienceOf(&rows[i], in.Annotate); err != nil {
			return nil, err
		}
	}
	return &answer[Page[Audience]]{pageOf(w, shown, func(a *Audience) string { return a.Key })}, nil
}

func (m management) get(ctx context.Context, in *struct {
	Key string `path:"key"`
	Place
	Shown
}) (*answer[Audience], error) {
	if err := m.environment(in.Environment); err != nil {
		return nil, err
	}
	if err := keyed(in.Key, in.Environment); err != nil {
		return nil, err
	}
	a, err := m.Audiences.Audience(ctx, in.Environment, in.Key, !in.HideUncommitted)
	if err != nil {
		return nil, err
	}
	shown, err := audienceOf(&a, in.Annotate)
	return &answer[Audience]{shown}, err
}

// OneAudience is the answer of what changes an audience.
type OneAudience struct {
	Audience Audience     `json:"audience"`
	Warnings []FieldError `json:"warnings,omitempty" doc:"What is allowed and most likely not meant."`
}

// committing checks what every commit to one audience says, and returns who makes it.
func (m management) committing(ctx context.Context, p Place, key string, a Authored, message string) (event.Author, error) {
	if err := m.changeable(p); err != nil {
		return event.Author{}, err
	}
	if err := keyed(key, p.Environment); err != nil {
		return event.Author{}, err
	}
	author, err := a.author(ctx)
	if err == nil {
		err = text("commit_message", message)
	}
	return author, err
}

func (m management) archive(ctx context.Context, in *struct {
	Key string `path:"key"`
	Place
	Message string `query:"commit_message"`
	Authored
}) (*answer[Result], error) {
	author, err := m.committing(ctx, in.Place, in.Key, in.Authored, in.Message)
	if err != nil {
		return nil, err
	}
	token, err := m.Proposals.Archive(ctx, m.Environments, in.Key, in.Message, author)
	if err != nil {
		return nil, err
	}
	m.api.wrote(ctx, token)
	return &answer[Result]{Result{Result: "success"}}, nil
}

// VersionOf is a version of an audience: what was committed, and its commit.
type VersionOf struct {
	Audience Audience `json:"audience"`
	Commit   Commit   `json:"commit"`
}

func (m management) version(ctx context.Context, in *struct {
	Key     string `path:"key"`
	Version uint32 `path:"version" minimum:"1" maximum:"2147483647"`
	Place
}) (*answer[VersionOf], error) {
	if err := m.environment(in.Environment); err != nil {
		return nil, err
	}
	if err := keyed(in.Key, in.Environment); err != nil {
		return nil, err
	}
	c, err := m.Versions.Version(ctx, in.Environment, in.Key, in.Version)
	if err != nil {
		return nil, err
	}
	shown, err := audienceOf(&event.Audience{
		Environment: c.Environment, Key: c.Audience, SHA: c.SHA, Document: c.Document, Version: c.Version, CreatedAt: c.CreatedAt, UpdatedAt: c.CreatedAt,
	}, false)
	return &answer[VersionOf]{VersionOf{shown, commitOf(&c)}}, err
}

func (m management) revert(ctx context.Context, in *struct {
	Key     string `path:"key"`
	Version uint32 `query:"version" required:"true" minimum:"1" maximum:"2147483647" doc:"The version to commit again."`
	Place
	Message string `query:"commit_message"`
	Authored
}) (*answer[OneAudience], error) {
	author, err := m.committing(ctx, in.Place, in.Key, in.Authored, in.Message)
	if err != nil {
		return nil, err
	}
	a, token, err := m.Versions.Revert(ctx, in.Environment, in.Key, in.Version, in.Message, author)
	if err != nil {
		return nil, within(err, in.Key)
	}
	m.api.wrote(ctx, token)
	shown, err := audienceOf(&a, false)
	return &answer[OneAudience]{OneAudience{Audience: shown}}, err
}
