package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Explanations is the part of the API that answers why a user is in an audience or not.
type Explanations struct {
	Environment string // the one that the worker evaluates
	Explainer   Explainer
}

// Explainer explains one membership by live state. It returns nil when the state knows nothing of the user, and known is
// false when there is no such audience in force.
type Explainer interface {
	Explain(ctx context.Context, audience, user string) (e *Explanation, known bool, err error)
}

// Explanation says why a user is in an audience or not.
type Explanation struct {
	Audience    string `json:"audience"`
	Name        string `json:"name"`
	Type        string `json:"type" enum:"dynamic,static"`
	Version     uint32 `json:"version" doc:"Of the definition in force."`
	Environment string `json:"environment,omitempty"`
	User        string `json:"user_id"`
	Missing     bool   `json:"missing,omitempty" doc:"The user is not in the users table, and so in no audience."`

	Member     bool       `json:"member"`
	Since      *time.Time `json:"since,omitempty" doc:"Of a member: the instant of the entry."`
	Until      *time.Time `json:"next_change,omitempty" doc:"The next instant at which time alone changes the verdict."`
	EntryCount uint64     `json:"entry_count" doc:"How often the user has entered so far."`
	By         uint32     `json:"by_version,omitempty" doc:"The version that made the last entry or exit."`
	Cause      string     `json:"cause,omitempty" doc:"What made the last entry or exit, where it is known."`

	Tenants []ExplainedTenant `json:"tenants,omitempty" doc:"Of a static audience: the memberships with a tenant."`
	Waiting *ExplainedWait    `json:"waiting,omitempty" doc:"Conditions and membership differ, and the audience waits for that to last."`
	Pending bool              `json:"pending,omitempty" doc:"A new definition is just coming into force, and this user has yet to be judged by it."`

	Holds    bool               `json:"holds" doc:"The verdict of the conditions; of a static audience, that the user is recorded without tenant."`
	Segments []ExplainedSegment `json:"segments,omitempty" doc:"The user is in when all conditions of one segment hold."`

	Position string     `json:"position,omitempty" doc:"The point of the log that this is true at."`
	At       *time.Time `json:"at,omitempty" doc:"The clock there, which relative arguments count from."`
}

// ExplainedTenant is one membership with a tenant.
type ExplainedTenant struct {
	Tenant string    `json:"tenant"`
	Since  time.Time `json:"since"`
}

// ExplainedWait is an entry or exit that has yet to settle.
type ExplainedWait struct {
	Entering bool      `json:"entering"`
	Until    time.Time `json:"until"`
}

// ExplainedSegment is one segment and its verdict.
type ExplainedSegment struct {
	Holds      bool                 `json:"holds"`
	Conditions []ExplainedCondition `json:"conditions"`
}

// ExplainedCondition is one condition, or a group, with what was found.
type ExplainedCondition struct {
	At         string               `json:"at" doc:"Its place in the definition."`
	Group      string               `json:"group,omitempty" enum:"all,any,not"`
	Conditions []ExplainedCondition `json:"conditions,omitempty" doc:"Of a group."`

	Property   string            `json:"property,omitempty"`
	Operator   string            `json:"operator,omitempty"`
	Argument   json.RawMessage   `json:"argument,omitempty" doc:"As written."`
	IgnoreCase bool              `json:"ignore_case,omitempty"`
	Value      json.RawMessage   `json:"value,omitempty" doc:"Of the property; null when there is none."`
	Masked     bool              `json:"masked,omitempty" doc:"The value is not shown (http.mask)."`
	Resolved   []json.RawMessage `json:"resolved,omitempty" doc:"What the value was compared with, where that is not the argument as written."`
	Holds      bool              `json:"holds"`
	Until      *time.Time        `json:"next_change,omitempty" doc:"The next instant at which time alone changes this condition."`
	Reference  *Explanation      `json:"reference,omitempty" doc:"Of a condition on another audience: why the user is in that one, told once."`
}

func (x Explanations) register(a *API) {
	e := endpoint{method: http.MethodGet, path: "/v1/audiences/{key}/explain/{user_id}", id: "explain-membership", tag: "Members", role: RoleRead,
		summary: "Why is this user in, or not?",
		description: "By live state: each condition with the property's value, the argument as resolved, and its truth; audiences that are referred " +
			"to are explained in turn."}
	register(a, e, x.explain)
}

func (x Explanations) explain(ctx context.Context, in *struct {
	Key         string `path:"key"`
	User        string `path:"user_id"`
	Environment string `query:"environment" doc:"The worker's own, the default."`
}) (*answer[*Explanation], error) {
	if err := ownEnvironment(in.Environment, x.Environment); err != nil {
		return nil, err
	}
	explanation, known, err := x.Explainer.Explain(ctx, in.Key, in.User)
	switch {
	case err != nil:
		return nil, err
	case !known:
		return nil, notFound("there is no audience %.140q in force in %s", in.Key, x.Environment)
	case explanation == nil:
		return nil, notFound("there is no user %.140q, and none was ever recorded", in.User)
	}
	explanation.Environment = x.Environment
	return &answer[*Explanation]{explanation}, nil
}

// ownEnvironment refuses a question about an environment that the worker knows nothing of.
func ownEnvironment(asked, own string) error {
	if asked != "" && asked != own {
		return invalid("environment", "this worker evaluates %s; ask the worker of %.140q", own, asked)
	}
	return nil
}
