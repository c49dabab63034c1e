package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

func (m management) registerPromotion() {
	all := manages(http.MethodPut, "/v1/commits/promote", "promote-all", "Commits", "Promote everything to an environment")
	all.description = "Carries the latest commit of every audience from the environment before, in one transaction: content, author and message as " +
		"they are. What was made in the target and never in its source is not overwritten (409) unless `force=true`."
	register(m.api, all, m.promoteAll)
	one := manages(http.MethodPut, "/v1/commits/{id}/promote", "promote-commit", "Commits", "Promote a commit to the environment after its own")
	register(m.api, one, m.promote)
}

func (m management) promoteAll(ctx context.Context, in *struct {
	To     string `query:"to_environment" required:"true" doc:"The environment to promote to, from the one before it."`
	Branch string `query:"branch"`
	Force  bool   `query:"force"`
}) (*answer[Result], error) {
	if err := onMain(in.Branch); err != nil {
		return nil, err
	}
	i := slices.Index(m.Environments, in.To)
	switch {
	case i < 0:
		return nil, invalid("to_environment", "there is no environment %q; there are %s", in.To, strings.Join(m.Environments, ", "))
	case i == 0:
		return nil, invalid("to_environment", "%s is the first environment; there is none to promote from", in.To)
	}
	made, token, err := m.Promotions.PromoteAll(ctx, m.Environments[i-1], in.To, in.Force)
	if err != nil {
		return nil, err
	}
	m.api.wrote(ctx, token)
	return &answer[Result]{Result{"success", made}}, nil
}

// OneCommit is the answer of a promotion.
type OneCommit struct {
	Commit Commit `json:"commit"`
}

func (m management) promote(ctx context.Context, in *struct {
	ID     string `path:"id"`
	Branch string `query:"branch"`
	Force  bool   `query:"force" doc:"Overwrite what was made in the target."`
}) (*answer[OneCommit], error) {
	if err := onMain(in.Branch); err != nil {
		return nil, err
	}
	c, err := m.commit(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	to := m.after(c.Environment)
	if to == "" {
		return nil, invalid("id", "commit %s is in %s, after which there is no environment", in.ID, c.Environment)
	}
	carried, token, err := m.Promotions.PromoteCommit(ctx, c.ID, to, in.Force)
	if err != nil {
		return nil, within(err, c.Audience)
	}
	m.api.wrote(ctx, token)
	return &answer[OneCommit]{OneCommit{commitOf(&carried)}}, nil
}
