package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

func (d data) registerMembership() {
	register(d.api, endpoint{method: http.MethodGet, path: "/v1/audiences/{key}/members/{user_id}", id: "get-member", tag: "Members", role: RoleRead,
		summary:     "Is this user in?",
		description: "The question that a workflow asks before it branches. 200 with since when, or 404. A membership without tenant matches only a question without one.",
	}, d.isMember)
	register(d.api, endpoint{method: http.MethodGet, path: "/v1/users/{id}/audiences", id: "list-user-audiences", tag: "Users", role: RoleRead,
		summary: "Which audiences is this user in?"}, d.ofUser)
	register(d.api, endpoint{method: http.MethodPost, path: "/v1/memberships/lookup", id: "lookup-memberships", tag: "Members", role: RoleRead,
		summary: "Are these users in?", description: "Up to 1,000 questions at once, answered in their order."}, d.lookup)
}

func (d data) isMember(_ context.Context, in *struct {
	Key    string `path:"key"`
	User   string `path:"user_id"`
	Tenant string `query:"tenant" doc:"The tenant; absent is none."`
}) (*answer[Membership], error) {
	m, isIn, known, err := d.Live.Membership(in.Key, in.User, in.Tenant)
	switch {
	case err != nil:
		return nil, err
	case !known:
		return nil, d.unknown(in.Key)
	case !isIn:
		return nil, notFound("user %.140q is not in audience %q", in.User, in.Key)
	}
	return &answer[Membership]{m}, nil
}

// Entries is a whole list, for what is never long.
type Entries[T any] struct {
	Entries []T `json:"entries" nullable:"false"`
}

func (d data) ofUser(_ context.Context, in *struct {
	ID string `path:"id"`
}) (*answer[Entries[Membership]], error) {
	list, err := d.Live.Memberships(in.ID)
	if err != nil {
		return nil, err
	}
	if list == nil {
		list = []Membership{}
	}
	return &answer[Entries[Membership]]{Entries[Membership]{list}}, nil
}

// Question asks about one membership.
type Question struct {
	Audience string          `json:"audience"`
	UserID   string          `json:"user_id"`
	Tenant   json.RawMessage `json:"tenant,omitempty" doc:"The tenant; null or absent is none."`
}

// Answer is the answer to a Question.
type Answer struct {
	Member     bool        `json:"member"`
	Membership *Membership `json:"membership" doc:"null when it is not a member."`
}

func (d data) lookup(_ context.Context, in *struct {
	Body struct {
		Questions []Question `json:"questions" minItems:"1" maxItems:"1000"`
	}
}) (*answer[Entries[Answer]], error) {
	answers := make([]Answer, len(in.Body.Questions))
	for i, q := range in.Body.Questions {
		tenant, fault := tenantOf(q.Tenant)
		if fault != "" {
			return nil, invalid(fmt.Sprintf("questions[%d].tenant", i), "%s", fault)
		}
		m, isIn, known, err := d.Live.Membership(q.Audience, q.UserID, tenant)
		if err != nil {
			return nil, err
		}
		if !known {
			return nil, invalid(fmt.Sprintf("questions[%d].audience", i), "there is no audience %.140q in %s", q.Audience, d.Environment)
		}
		if isIn {
			answers[i] = Answer{true, &m}
		}
	}
	return &answer[Entries[Answer]]{Entries[Answer]{answers}}, nil
}
