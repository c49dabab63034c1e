package app

import (
	"muster/connectors/api"
	"muster/evaluator"
	"muster/pipeline"
	"muster/pipeline/event"
)

// data are the endpoints that members and users come in by, and that answer who is in what.
func (w *Worker) data() api.Data {
	answers := live{w.pipeline}
	return api.Data{
		Environment: w.config.Environment, Members: w.directory, Users: w.directory, Bulks: w.directory, Imports: w.directory, Syncs: w.directory,
		Live: answers, Lists: answers, MaxImport: int64(w.config.HTTP.Limits.Import),
	}
}

// live answers the API from the pipeline's state.
type live struct{ pipeline *pipeline.Pipeline }

// Membership implements api.Live.
func (l live) Membership(audience, user, tenant string) (api.Membership, bool, bool, error) {
	m, in, known, err := l.pipeline.Membership(audience, user, tenant)
	if err != nil || !in {
		return api.Membership{}, in, known, err
	}
	return membershipOf(user, m), in, known, nil
}

// Memberships implements api.Live.
func (l live) Memberships(user string) ([]api.Membership, error) {
	list, err := l.pipeline.Memberships(user)
	if err != nil {
		return nil, err
	}
	shown := make([]api.Membership, len(list))
	for i, m := range list {
		shown[i] = membershipOf(user, m)
	}
	return shown, nil
}

func membershipOf(user string, m pipeline.Membership) api.Membership {
	shown := api.Membership{
		TypeName: "AudienceMembership", Audience: m.Audience, UserID: user, Since: m.Since.String(), Version: m.Version, EntryCount: m.EntryCount,
	}
	if m.Tenant != "" {
		shown.Tenant = &m.Tenant
	}
	return shown
}

// User implements api.Live.
func (l live) User(id string) (row *evaluator.Row, err error) {
	err = l.read(func(r *pipeline.Reading) error {
		u, _, err := r.User(id)
		row = u.Row
		return err
	})
	return row, err
}

// ListMembers implements api.Lists.
func (l live) ListMembers(audience string, w api.Window) (rows []api.MemberRow, known bool, err error) {
	err = l.read(func(r *pipeline.Reading) error {
		var list []pipeline.MemberRow
		list, known, err = r.ListMembers(audience, spanOf(w))
		rows = rowsOf(list)
		return err
	})
	return rows, known, err
}

// ListUsers implements api.Lists.
func (l live) ListUsers(w api.Window) (rows []api.MemberRow, err error) {
	err = l.read(func(r *pipeline.Reading) error {
		list, err := r.ListUsers(spanOf(w))
		rows = rowsOf(list)
		return err
	})
	return rows, err
}

// exportPage is how many members of an export are read at once.
const exportPage = 500

// EachMember implements api.Lists.
func (l live) EachMember(audience string, visit func(api.MemberRow) error) (at event.LSN, known bool, err error) {
	err = l.read(func(r *pipeline.Reading) error {
		at = r.Position()
		span := pipeline.Span{Limit: exportPage}
		for {
			var list []pipeline.MemberRow
			if list, known, err = r.ListMembers(audience, span); err != nil || !known {
				return err
			}
			for _, row := range list {
				if err := visit(api.MemberRow(row)); err != nil {
					return err
				}
				span.User, span.Tenant = row.User, row.Tenant
			}
			if len(list) < exportPage {
				return nil
			}
		}
	})
	return at, known, err
}

// read calls look with a reading of the state as it is now.
func (l live) read(look func(*pipeline.Reading) error) (err error) {
	r, err := l.pipeline.Read()
	if err != nil {
		return err
	}
	defer func() {
		if closing := r.Close(); err == nil {
			err = closing
		}
	}()
	return look(r)
}

func spanOf(w api.Window) pipeline.Span {
	user, tenant := api.SplitKey(w.From)
	return pipeline.Span{User: user, Tenant: tenant, Backward: w.Backward, Limit: w.Limit}
}

func rowsOf(list []pipeline.MemberRow) []api.MemberRow {
	rows := make([]api.MemberRow, len(list))
	for i := range list {
		rows[i] = api.MemberRow(list[i])
	}
	return rows
}
