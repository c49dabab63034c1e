package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"muster/evaluator"
	"muster/pipeline/event"
)

// maxBatch bounds the records of one request.
const maxBatch = 1_000

func (d data) registerMembers() {
	const path = "/v1/audiences/{key}/members"
	register(d.api, endpoint{method: http.MethodPost, path: path, id: "add-members", tag: "Members", role: RoleWrite,
		summary:     "Add members to a static audience",
		description: "All or none, 1 to 1,000. A member's user may come with properties, which are written first. A user that does not exist is recorded as missing, and enters when it appears. A member that is there already is no change.",
	}, d.add)
	register(d.api, endpoint{method: http.MethodDelete, path: path, id: "remove-members", tag: "Members", role: RoleWrite,
		summary: "Remove members from a static audience", description: "All or none, 1 to 1,000. A member that is not there is no change.",
	}, d.remove)
	register(d.api, endpoint{method: http.MethodGet, path: path, id: "list-members", tag: "Members", role: RoleRead,
		summary: "List the members of an audience"}, d.list)
}

// MembersRequest is the body of adding and removing.
type MembersRequest struct {
	Members []MemberRequest `json:"members" minItems:"1" maxItems:"1000" doc:"1 to 1,000."`
}

// MemberRequest is one member of a request.
type MemberRequest struct {
	User   json.RawMessage `json:"user,omitempty" doc:"Required. An object with id and, if they are to be written, properties; or an id alone." example:"{\"id\":\"u1\"}"`
	Tenant json.RawMessage `json:"tenant,omitempty" doc:"A tenant's id; null or absent is none."`
}

// members reads the members of a request.
func (r *MembersRequest) members() ([]event.NewMember, error) {
	if len(r.Members) == 0 || len(r.Members) > maxBatch {
		return nil, invalid("members", "there are %d; send 1 to %d", len(r.Members), maxBatch)
	}
	members := make([]event.NewMember, len(r.Members))
	var faults []FieldError
	for i := range r.Members {
		at := fmt.Sprintf("members[%d]", i)
		u, field, fault := userOf(r.Members[i].User)
		if fault != "" {
			faults = append(faults, FieldError{Field: joinField(at+".user", field), Message: fault})
		}
		tenant, fault := tenantOf(r.Members[i].Tenant)
		if fault != "" {
			faults = append(faults, FieldError{Field: at + ".tenant", Message: fault})
		}
		members[i] = event.NewMember{User: u, Tenant: tenant}
	}
	if len(faults) > 0 {
		return nil, invalidAll(faults)
	}
	return members, nil
}

func (d data) add(ctx context.Context, in *struct {
	Key    string `path:"key"`
	Create bool   `query:"create_audience" doc:"Make the audience, static and named as its key, when there is none."`
	Body   MembersRequest
}) (*nothing, error) {
	if !evaluator.IsKey(in.Key) {
		return nil, d.unknown(in.Key)
	}
	members, err := in.Body.members()
	if err != nil {
		return nil, err
	}
	_, token, err := d.Members.Enlist(ctx, in.Key, members, in.Create)
	if err != nil {
		return nil, dataFaults(err, "members")
	}
	d.api.wrote(ctx, token)
	return nil, nil
}

func (d data) remove(ctx context.Context, in *struct {
	Key  string `path:"key"`
	Body MembersRequest
}) (*nothing, error) {
	if !evaluator.IsKey(in.Key) {
		return nil, d.unknown(in.Key)
	}
	members, err := in.Body.members()
	if err != nil {
		return nil, err
	}
	_, token, err := d.Members.Delist(ctx, in.Key, members)
	if err != nil {
		return nil, err
	}
	d.api.wrote(ctx, token)
	return nil, nil
}

// AudienceMember is one member of a list.
type AudienceMember struct {
	TypeName string          `json:"__typename" example:"AudienceMember"`
	UserID   string          `json:"user_id"`
	Tenant   *string         `json:"tenant"`
	AddedAt  string          `json:"added_at" format:"date-time" doc:"When it was recorded in a static audience, or entered a dynamic one."`
	User     json.RawMessage `json:"user" doc:"The user with all its properties; null when it is missing."`
	Missing  bool            `json:"missing,omitempty" doc:"There is no such user yet. It enters when it appears."`
}

func memberOf(r *MemberRow) AudienceMember {
	m := AudienceMember{TypeName: "AudienceMember", UserID: r.User, Tenant: orNull(r.Tenant), AddedAt: r.Since.String(), User: json.RawMessage("null"), Missing: r.Missing}
	if r.Row != nil {
		m.User = userJSON(r.User, r.Row)
	}
	return m
}

func (d data) list(_ context.Context, in *struct {
	Key string `path:"key"`
	PageQuery
}) (*answer[Page[AudienceMember]], error) {
	w, err := in.window()
	if err != nil {
		return nil, err
	}
	rows, known, err := d.Lists.ListMembers(in.Key, w)
	switch {
	case err != nil:
		return nil, err
	case !known:
		return nil, d.unknown(in.Key)
	}
	return &answer[Page[AudienceMember]]{pageAs(pageOf(w, rows, (*MemberRow).key), memberOf)}, nil
}

// unknown says that there is no such audience.
func (d data) unknown(key string) error {
	return notFound("there is no audience %.140q in %s", key, d.Environment)
}
