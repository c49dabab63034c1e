package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"muster/evaluator"
	"muster/pipeline/event"
)

// Data is the part of the API that members and users come in by, and that answers who is in what.
type Data struct {
	Environment string // whose audiences the worker serves
	Members     Members
	Users       Users
	Bulks       Bulks
	Imports     Imports
	Syncs       Syncs
	Live        Live
	Lists       Lists
	MaxImport   int64 // bytes of an import; 0: 10 MB
}

// Members records static members, in one transaction a call, and answers with its token.
type Members interface {
	Enlist(ctx context.Context, audience string, members []event.NewMember, create bool) (changed int, token string, err error)
	Delist(ctx context.Context, audience string, members []event.NewMember) (changed int, token string, err error)
}

// Users writes the users table.
type Users interface {
	Identify(ctx context.Context, users []event.Identify) (token string, err error)
	DeleteUsers(ctx context.Context, ids []string) (deleted []string, token string, err error)
}

// Bulks works many users in the background.
type Bulks interface {
	StartBulk(ctx context.Context, users []event.Identify, remove bool) (event.Bulk, error)
	Bulk(ctx context.Context, id string) (event.Bulk, error)
}

// Imports records many members, those that can be, in one transaction.
type Imports interface {
	Import(ctx context.Context, audience string, members []event.NewMember, create bool) (added int, faults event.DataFaults, token string, err error)
}

// Syncs writes what warehouses send: those records that can be.
type Syncs interface {
	IdentifyEach(ctx context.Context, users []event.Identify) (faults event.DataFaults, token string, err error)
	// Fields names what a user can have, its id first; open says that it may have more.
	Fields(ctx context.Context) (fields []event.UserField, open bool, err error)
}

// Live answers from the newest state.
type Live interface {
	Membership(audience, user, tenant string) (m Membership, in, known bool, err error)
	Memberships(user string) ([]Membership, error)
	// User returns the row of a user, nil when there is none.
	User(id string) (*evaluator.Row, error)
}

// Lists reads parts of lists; a row's key is its user, a zero byte and its tenant.
type Lists interface {
	ListMembers(audience string, w Window) (rows []MemberRow, known bool, err error)
	ListUsers(w Window) ([]MemberRow, error)
	// EachMember visits all members as of one position, which it returns, until visit fails.
	EachMember(audience string, visit func(MemberRow) error) (at event.LSN, known bool, err error)
}

// Membership is one user's present membership of one audience.
type Membership struct {
	TypeName   string  `json:"__typename" example:"AudienceMembership"`
	Audience   string  `json:"audience"`
	UserID     string  `json:"user_id"`
	Tenant     *string `json:"tenant"`
	Since      string  `json:"since" format:"date-time" doc:"When it entered."`
	Version    uint32  `json:"audience_version" doc:"The version of the definition that let it in."`
	EntryCount uint64  `json:"entry_count" doc:"Which entry this is, from 1."`
}

// MemberRow is one member, or user, in a list.
type MemberRow struct {
	User    string
	Tenant  string
	Since   evaluator.Instant
	Row     *evaluator.Row // nil: the user is missing
	Missing bool
}

func (r *MemberRow) key() string { return r.User + "\x00" + r.Tenant }

// SplitKey takes the key of a row apart.
func SplitKey(key string) (user, tenant string) {
	user, tenant, _ = strings.Cut(key, "\x00")
	return user, tenant
}

// data is Data at work.
type data struct {
	Data
	api *API
}

func (d Data) register(a *API) {
	if d.MaxImport == 0 {
		d.MaxImport = defaultMaxImport
	}
	w := data{d, a}
	w.registerMembers()
	w.registerMembership()
	w.registerUsers()
	w.registerBulk()
	w.registerExport()
	w.registerImport()
	w.registerSyncs()
}

// dataFaults gives the faults of a batch their paths in a request; list is the name of its field.
func dataFaults(err error, list string) error {
	var faults event.DataFaults
	if !errors.As(err, &faults) {
		return err
	}
	all := make([]FieldError, len(faults))
	for i, f := range faults {
		all[i] = FieldError{Field: joinField(fmt.Sprintf("%s[%d]", list, f.Index), f.Field), Message: f.Message}
	}
	return invalidAll(all)
}

// userOf reads a user of a request: an object with an id, or an id alone.
func userOf(raw json.RawMessage) (u event.Identify, field, fault string) {
	if len(raw) == 0 {
		return u, "", "it is missing"
	}
	if raw[0] != '{' {
		u.ID, fault = idOf(raw)
		return u, "", fault
	}
	if err := json.Unmarshal(raw, &u.Properties); err != nil {
		return u, "", "it is no user: " + err.Error()
	}
	id, ok := u.Properties["id"]
	if !ok {
		return u, "id", "it is missing"
	}
	if u.ID, fault = idOf(id); fault != "" {
		return u, "id", fault
	}
	delete(u.Properties, "id")
	delete(u.Properties, "__typename")
	for name := range u.Properties {
		if problem := checkID(name); problem != "" {
			return u, "", "a property's name is wrong: " + problem
		}
	}
	return u, "", ""
}

// tenantOf reads a tenant of a request: null, an id, or an object with an id.
func tenantOf(raw json.RawMessage) (tenant, fault string) {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return "", ""
	case raw[0] == '{':
		var object struct {
			ID json.RawMessage `json:"id"`
		}
		if err := json.Unmarshal(raw, &object); err != nil {
			return "", err.Error()
		}
		return idOf(object.ID)
	}
	return idOf(raw)
}

// orNull makes null of no tenant.
func orNull(tenant string) *string {
	if tenant == "" {
		return nil
	}
	return &tenant
}
