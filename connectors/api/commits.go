package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"muster/pipeline/event"
)

func (m management) registerCommits() {
	register(m.api, manages(http.MethodGet, "/v1/commits", "list-commits", "Commits", "List commits, newest first"), m.listCommits)
	register(m.api, manages(http.MethodGet, "/v1/commits/{id}", "get-commit", "Commits", "Get a commit"), m.getCommit)
	all := manages(http.MethodPut, "/v1/commits", "commit-all", "Commits", "Commit all drafts, or some")
	all.description = "All in one transaction, or none. A draft that was made from an older version than the latest is a 409 unless `force=true`."
	register(m.api, all, m.commitAll)
}

// Commit is one version of an audience as it was committed.
type Commit struct {
	ID           string    `json:"id"`
	Author       Author    `json:"author"`
	Message      string    `json:"commit_message"`
	CreatedAt    time.Time `json:"created_at"`
	Environment  string    `json:"environment"`
	Resource     Resource  `json:"resource"`
	Version      uint32    `json:"version"`
	SHA          string    `json:"sha"`
	Archived     bool      `json:"archived" doc:"The audience ends with it."`
	PromotedFrom string    `json:"promoted_from,omitempty" doc:"The environment it was carried here from."`
}

// Author is who made a commit.
type Author struct {
	Name  string `json:"name"`
	Email string `json:"email"`
}

// Resource is what a commit is of.
type Resource struct {
	Type       string `json:"type" enum:"audience"`
	Identifier string `json:"identifier"`
}

func commitOf(c *event.Commit) Commit {
	return Commit{
		ID: strconv.FormatUint(c.ID, 10), Author: Author{c.Author.Name, c.Author.Email}, Message: c.Message, CreatedAt: c.CreatedAt,
		Environment: c.Environment, Resource: Resource{"audience", c.Audience}, Version: c.Version, SHA: c.SHA, Archived: c.Archived,
		PromotedFrom: c.PromotedFrom,
	}
}

func (m management) listCommits(ctx context.Context, in *struct {
	Place
	Promoted     string `query:"promoted" enum:"true,false" doc:"Only those that were carried to the next environment, or only those that were not."`
	ResourceType string `query:"resource_type" doc:"audience is all there is."`
	ResourceID   string `query:"resource_id" doc:"An audience's key."`
	PageQuery
}) (*answer[Page[Commit]], error) {
	if err := m.environment(in.Environment); err != nil {
		return nil, err
	}
	w, err := in.window()
	if err != nil {
		return nil, err
	}
	from, err := idIn(w)
	if err != nil {
		return nil, err
	}
	var rows []event.Commit
	if in.ResourceType == "" || in.ResourceType == "audience" {
		filter := event.CommitFilter{Environment: in.Environment, Audience: in.ResourceID, Next: m.after(in.Environment)}
		if in.Promoted != "" {
			promoted := in.Promoted == "true"
			filter.Promoted = &promoted
		}
		if rows, err = m.Commits.ListCommits(ctx, filter, from, w.Backward, w.Limit); err != nil {
			return nil, err
		}
	}
	shown := make([]Commit, len(rows))
	for i := range rows {
		shown[i] = commitOf(&rows[i])
	}
	return &answer[Page[Commit]]{pageOf(w, shown, func(c *Commit) string { return c.ID })}, nil
}

// idIn is the id that the cursor of a window holds, 0 for none.
func idIn(w Window) (uint64, error) {
	if w.From == "" {
		return 0, nil
	}
	id, err := commitID(w.From)
	if err != nil {
		return 0, invalid("after", "this is no cursor of this list")
	}
	return id, nil
}

func commitID(id string) (uint64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n < 1 {
		return 0, notFound("there is no commit %.40q", id)
	}
	return uint64(n), nil
}

func (m management) getCommit(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*answer[Commit], error) {
	c, err := m.commit(ctx, in.ID)
	return &answer[Commit]{commitOf(&c)}, err
}

func (m management) commit(ctx context.Context, id string) (event.Commit, error) {
	n, err := commitID(id)
	if err != nil {
		return event.Commit{}, err
	}
	return m.Commits.Commit(ctx, n)
}

func (m management) commitAll(ctx context.Context, in *struct {
	Place
	Message    string   `query:"commit_message"`
	ResourceID []string `query:"resource_id,explode" doc:"Keys of audiences, to commit their drafts alone; once for each."`
	Force      bool     `query:"force" doc:"Commit also drafts that were made from an older version."`
	Authored
}) (*answer[Result], error) {
	if err := m.changeable(in.Place); err != nil {
		return nil, err
	}
	author, err := in.author(ctx)
	if err == nil {
		err = text("commit_message", in.Message)
	}
	if err != nil {
		return nil, err
	}
	made, token, err := m.Promotions.CommitDrafts(ctx, in.Environment, in.ResourceID, in.Message, author, in.Force)
	if err != nil {
		return nil, within(err, strings.Join(in.ResourceID, ",")) // of several, each fault names its audience
	}
	m.api.wrote(ctx, token)
	return &answer[Result]{Result{"success", made}}, nil
}
