package api

import (
	"context"
	"encoding/json"
	"net/http"

	"muster/pipeline/event"
)

// syncRecord is a record from a warehouse, by field.
type syncRecord map[string]json.RawMessage

// syncPlan says what is to be done with records.
type syncPlan struct {
	object   string
	remove   bool
	audience string // of records that name none
	create   bool   // make audiences that do not exist
}

// apply does what a plan says with each record, and answers with the reason of each that could not be done, "" for those
// that are committed. An error is of the batch as a whole: none, or not all, of it was done, and it can be sent again.
func (d data) apply(ctx context.Context, plan syncPlan, records []syncRecord) ([]string, error) {
	if len(records) > syncBatch {
		return nil, badParams("there are %d records; send at most %d", len(records), syncBatch)
	}
	reasons := make([]string, len(records))
	if plan.object == objectUser {
		return reasons, d.applyUsers(ctx, records, reasons)
	}
	groups := make(map[string]*syncGroup)
	var order []*syncGroup
	for i, record := range records {
		audience, member, fault := plan.member(record)
		if reasons[i] = fault; fault != "" {
			continue
		}
		g := groups[audience]
		if g == nil {
			g = &syncGroup{audience: audience}
			groups[audience], order = g, append(order, g)
		}
		g.members, g.index = append(g.members, member), append(g.index, i)
	}
	for _, g := range order {
		if err := d.applyMembers(ctx, plan, g, reasons); err != nil {
			return nil, err
		}
	}
	return reasons, nil
}

// syncGroup is the members of one audience in a batch, each with the place of its record.
type syncGroup struct {
	audience string
	members  []event.NewMember
	index    []int
}

func (d data) applyUsers(ctx context.Context, records []syncRecord, reasons []string) error {
	var users []event.Identify
	var index []int
	for i, record := range records {
		u, fault := userRecord(record, fieldID)
		if reasons[i] = fault; fault == "" {
			users, index = append(users, u), append(index, i)
		}
	}
	if len(users) == 0 {
		return nil
	}
	faults, token, err := d.Syncs.IdentifyEach(ctx, users)
	if err != nil {
		return d.batchFault(ctx, err, index, reasons)
	}
	for _, f := range faults {
		reasons[index[f.Index]] = joinReason(f.Field, f.Message)
	}
	d.api.wrote(ctx, token)
	return nil
}

func (d data) applyMembers(ctx context.Context, plan syncPlan, g *syncGroup, reasons []string) error {
	var faults event.DataFaults
	var token string
	var err error
	if plan.remove {
		_, token, err = d.Members.Delist(ctx, g.audience, g.members)
	} else {
		_, faults, token, err = d.Imports.Import(ctx, g.audience, g.members, plan.create)
	}
	if err != nil {
		return d.batchFault(ctx, err, g.index, reasons)
	}
	for _, f := range faults {
		reasons[g.index[f.Index]] = joinReason(f.Field, f.Message)
	}
	d.api.wrote(ctx, token)
	return nil
}

// batchFault makes an error that sending again will not mend, such as an audience that does not exist, the reason of every
// record it is about. Others it returns.
func (d data) batchFault(ctx context.Context, err error, index []int, reasons []string) error {
	e := d.api.judge(ctx, err)
	switch e.Status {
	case http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusConflict:
	default:
		return e
	}
	for _, i := range index {
		reasons[i] = e.Message
	}
	return nil
}

// userRecord reads the user of a record; id names the field of its id.
func userRecord(record syncRecord, id string) (u event.Identify, fault string) {
	if u.ID, fault = idOf(record[id]); fault != "" {
		return u, id + ": " + fault
	}
	for name, value := range record {
		if name == id || name == fieldID {
			continue
		}
		if problem := checkID(name); problem != "" {
			return u, "a field's name is wrong: " + problem
		}
		if u.Properties == nil {
			u.Properties = make(map[string]json.RawMessage, len(record))
		}
		u.Properties[name] = value
	}
	return u, ""
}

// member reads a member of a record. One that is to go needs no properties.
func (p syncPlan) member(record syncRecord) (audience string, m event.NewMember, fault string) {
	audience = p.audience
	if given := record[fieldAudience]; len(given) > 0 && string(given) != "null" {
		if audience, fault = idOf(given); fault != "" {
			return "", m, fieldAudience + ": " + fault
		}
	}
	if fault = audienceFault(audience); fault != "" {
		return "", m, fault
	}
	if m.Tenant, fault = tenantOf(record[fieldOfTenant]); fault != "" {
		return "", m, fieldOfTenant + ": " + fault
	}
	if m.User, fault = userRecord(record, fieldUserID); fault != "" {
		return "", m, fault
	}
	delete(m.User.Properties, fieldAudience)
	delete(m.User.Properties, fieldOfTenant)
	if p.remove {
		m.User.Properties = nil
	}
	return audience, m, ""
}
