package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
)

func (m management) registerEnvironments() {
	register(m.api, manages(http.MethodGet, "/v1/environments", "list-environments", "Environments", "List environments in promotion order"), m.listEnvironments)
	register(m.api, manages(http.MethodGet, "/v1/environments/{slug}", "get-environment", "Environments", "Get an environment"), m.getEnvironment)
	register(m.api, manages(http.MethodGet, "/v1/whoami", "whoami", "Environments", "Who am I?"), whoami)
}

// Environment is one stage that definitions go through.
type Environment struct {
	Slug         string     `json:"slug" example:"development"`
	Name         string     `json:"name" example:"Development"`
	Order        int        `json:"order"`
	Owner        string     `json:"owner" enum:"system,user"`
	CreatedAt    time.Time  `json:"created_at"`
	UpdatedAt    time.Time  `json:"updated_at"`
	LastCommitAt *time.Time `json:"last_commit_at"`
}

// environments describes all of them, in promotion order.
func (m management) environments(ctx context.Context) ([]Environment, error) {
	made, last, err := m.Commits.Environments(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]Environment, len(m.Environments))
	for i, slug := range m.Environments {
		e := Environment{Slug: slug, Name: titled(slug), Order: i, Owner: "user", CreatedAt: made, UpdatedAt: made}
		if slug == "development" || slug == "production" {
			e.Owner = "system"
		}
		if at, ok := last[slug]; ok {
			e.LastCommitAt, e.UpdatedAt = &at, at
		}
		all[i] = e
	}
	return all, nil
}

// titled makes a name of a slug.
func titled(slug string) string {
	words := strings.FieldsFunc(slug, func(r rune) bool { return r == '-' || r == '_' })
	if len(words) == 0 {
		return slug
	}
	words[0] = strings.ToUpper(words[0][:1]) + words[0][1:]
	return strings.Join(words, " ")
}

func (m management) listEnvironments(ctx context.Context, in *struct{ PageQuery }) (*answer[Page[Environment]], error) {
	w, err := in.window()
	if err != nil {
		return nil, err
	}
	all, err := m.environments(ctx)
	if err != nil {
		return nil, err
	}
	at := slices.Index(m.Environments, w.From)
	switch {
	case at < 0 && w.From != "":
		return nil, invalid("after", "this is no cursor of this list")
	case w.Backward:
		all = all[:at]
		slices.Reverse(all)
	default:
		all = all[at+1:]
	}
	return &answer[Page[Environment]]{pageOf(w, all[:min(len(all), w.Limit)], func(e *Environment) string { return e.Slug })}, nil
}

func (m management) getEnvironment(ctx context.Context, in *struct {
	Slug string `path:"slug"`
}) (*answer[Environment], error) {
	all, err := m.environments(ctx)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if e.Slug == in.Slug {
			return &answer[Environment]{e}, nil
		}
	}
	return nil, notFound("there is no environment %.140q; there are %s", in.Slug, strings.Join(m.Environments, ", "))
}

// Whoami says whose key a request was made with.
type Whoami struct {
	AccountName      string   `json:"account_name"`
	AccountSlug      string   `json:"account_slug"`
	Type             string   `json:"type" example:"service_token"`
	ServiceTokenName string   `json:"service_token_name"`
	AccountFeatures  struct{} `json:"account_features"`
}

func whoami(ctx context.Context, _ *struct{}) (*answer[Whoami], error) {
	return &answer[Whoami]{Whoami{AccountName: "Muster", AccountSlug: "muster", Type: "service_token", ServiceTokenName: callerOf(ctx).Name}}, nil
}
