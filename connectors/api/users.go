package api

import (
	"context"
	"encoding/json"
	"net/http"

	"muster/pipeline/event"
)

func (d data) registerUsers() {
	register(d.api, endpoint{method: http.MethodPut, path: "/v1/users/{id}", id: "identify-user", tag: "Users", role: RoleWrite,
		summary: "Identify a user", description: "Inserts the user, or sets the properties given of one that is there, and answers with it."}, d.identify)
	register(d.api, endpoint{method: http.MethodGet, path: "/v1/users/{id}", id: "get-user", tag: "Users", role: RoleRead, summary: "Get a user"}, d.getUser)
	register(d.api, endpoint{method: http.MethodDelete, path: "/v1/users/{id}", id: "delete-user", tag: "Users", role: RoleWrite,
		summary: "Delete a user", description: "It leaves every audience. Static memberships stay recorded, as missing."}, d.deleteUser)
	register(d.api, endpoint{method: http.MethodGet, path: "/v1/users", id: "list-users", tag: "Users", role: RoleRead, summary: "List users"}, d.listUsers)
}

func (d data) identify(ctx context.Context, in *struct {
	ID   string `path:"id"`
	Body map[string]json.RawMessage
}) (*answer[json.RawMessage], error) {
	if fault := checkID(in.ID); fault != "" {
		return nil, invalid("id", "%s", fault)
	}
	properties := in.Body
	if given, ok := properties["id"]; ok {
		if id, fault := idOf(given); fault != "" || id != in.ID {
			return nil, invalid("id", "it is not the id of the path")
		}
	}
	delete(properties, "id")
	delete(properties, "__typename")
	token, err := d.Users.Identify(ctx, []event.Identify{{ID: in.ID, Properties: properties}})
	if err != nil {
		return nil, flatFaults(err)
	}
	d.api.wrote(ctx, token)
	if err := d.api.seen(ctx, token); err != nil {
		return nil, err
	}
	return d.getUser(ctx, &struct {
		ID string `path:"id"`
	}{in.ID})
}

// flatFaults gives the faults of the one record of a request their fields.
func flatFaults(err error) error {
	fields, ok := dataFaults(err, "x").(*Error)
	if !ok {
		return err
	}
	for i := range fields.Errors {
		fields.Errors[i].Field = trimIndex(fields.Errors[i].Field)
	}
	return invalidAll(fields.Errors)
}

func trimIndex(field string) string {
	const index = "x[0]"
	if len(field) > len(index) {
		return field[len(index)+1:]
	}
	return ""
}

func (d data) getUser(_ context.Context, in *struct {
	ID string `path:"id"`
}) (*answer[json.RawMessage], error) {
	row, err := d.Live.User(in.ID)
	switch {
	case err != nil:
		return nil, err
	case row == nil:
		return nil, notFound("there is no user %.140q", in.ID)
	}
	return &answer[json.RawMessage]{userJSON(in.ID, row)}, nil
}

func (d data) deleteUser(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*nothing, error) {
	deleted, token, err := d.Users.DeleteUsers(ctx, []string{in.ID})
	switch {
	case err != nil:
		return nil, err
	case len(deleted) == 0:
		return nil, notFound("there is no user %.140q", in.ID)
	}
	d.api.wrote(ctx, token)
	return nil, nil
}

func (d data) listUsers(_ context.Context, in *struct{ PageQuery }) (*answer[Page[json.RawMessage]], error) {
	w, err := in.window()
	if err != nil {
		return nil, err
	}
	rows, err := d.Lists.ListUsers(w)
	if err != nil {
		return nil, err
	}
	page := pageAs(pageOf(w, rows, (*MemberRow).key), func(r *MemberRow) json.RawMessage { return userJSON(r.User, r.Row) })
	return &answer[Page[json.RawMessage]]{page}, nil
}
