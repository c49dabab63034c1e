package api

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// hightouch serves Hightouch's Embedded Destination API.
func (d data) hightouch(ctx context.Context, in *rpcInput) (*answer[rpcReply], error) {
	return d.rpc(ctx, in, map[string]func(context.Context, *rpcInput) (any, error){
		"list_objects": d.hightouchObjects,
		"list_modes":   d.hightouchModes,
		"list_fields":  d.hightouchFields,
		"list_options": d.hightouchOptions,
		"validate":     d.hightouchValidate,
		"behavior":     d.hightouchBehavior,
		"add":          d.hightouchRows("add"),
		"change":       d.hightouchRows("change"),
		"remove":       d.hightouchRows("remove"),
	})
}

// hightouchChoice is an entry of a form.
type hightouchChoice struct {
	ID          string `json:"id"`
	Label       string `json:"label"`
	Description string `json:"description,omitempty"`
}

func (d data) hightouchObjects(context.Context, *rpcInput) (any, error) {
	return map[string][]hightouchChoice{"objects": {
		{objectUser, "User", "A user, by id"}, {objectMember, "Audience member", "A user's membership of a static audience"}}}, nil
}

// The modes of a sync.
const (
	modeUpsert = "upsert"
	modeAdd    = "add"
	modeRemove = "remove"
	modeMirror = "mirror"
)

var hightouchModes = map[string][]hightouchChoice{
	objectUser: {{modeUpsert, "Upsert", "Writes new users, and the fields that changed of others."}},
	objectMember: {
		{modeAdd, "Add", "Adds the rows to the audience. Rows that leave the model stay members."},
		{modeRemove, "Remove", "Removes the rows from the audience."},
		{modeMirror, "Mirror", "Adds the rows to the audience, and removes those that leave the model."}},
}

// hightouchOf is the parameters that name an object and how it is synced.
type hightouchOf struct {
	Object hightouchName `json:"object"`
	Mode   hightouchName `json:"mode"`
}

// hightouchName is an id, by itself or in an object with others.
type hightouchName string

// UnmarshalJSON implements json.Unmarshaler.
func (n *hightouchName) UnmarshalJSON(text []byte) error {
	if len(text) > 0 && text[0] == '{' {
		var choice hightouchChoice
		err := json.Unmarshal(text, &choice)
		*n = hightouchName(choice.ID)
		return err
	}
	return json.Unmarshal(text, (*string)(n))
}

// check says what is wrong with an object and its mode.
func (of hightouchOf) check() string {
	modes, ok := hightouchModes[string(of.Object)]
	switch {
	case !ok:
		return "there is no object " + string(of.Object) + "; there are " + objectUser + " and " + objectMember
	case !slices.ContainsFunc(modes, func(m hightouchChoice) bool { return m.ID == string(of.Mode) }):
		return "there is no mode " + string(of.Mode) + " of " + string(of.Object)
	}
	return ""
}

func (d data) hightouchModes(_ context.Context, in *rpcInput) (any, error) {
	var of hightouchOf
	if err := in.params(&of); err != nil {
		return nil, err
	}
	modes, ok := hightouchModes[string(of.Object)]
	if !ok {
		return nil, badParams("there is no object %.140q; there are %s and %s", string(of.Object), objectUser, objectMember)
	}
	return map[string][]hightouchChoice{"modes": modes}, nil
}

type hightouchField struct {
	ID         string `json:"id"`
	Label      string `json:"label"`
	Type       string `json:"type"`
	Identifier bool   `json:"identifier,omitempty"`
	Required   bool   `json:"required,omitempty"`
}

func (d data) hightouchFields(ctx context.Context, in *rpcInput) (any, error) {
	var of hightouchOf
	if err := in.params(&of); err != nil {
		return nil, err
	}
	fields, _, err := d.fieldsOf(ctx, string(of.Object))
	if err != nil {
		return nil, err
	}
	shown := make([]hightouchField, len(fields))
	for i, f := range fields {
		shown[i] = hightouchField{f.name, f.label, hightouchType(f.kind), f.identifier, f.required}
	}
	return map[string][]hightouchField{"fields": shown}, nil
}

// hightouchType is what the vendor calls a type of Postgres.
func hightouchType(kind string) string {
	if strings.HasSuffix(kind, "[]") {
		return "UNKNOWN"
	}
	switch censusType(kind) {
	case "boolean":
		return "BOOLEAN"
	case "integer", "float", "decimal":
		return "NUMBER"
	case "date", "date_time":
		return "DATETIME"
	}
	return "STRING"
}

// hightouchOptions describes the form of what is no field: which audience, unless a column says so row by row.
func (d data) hightouchOptions(_ context.Context, in *rpcInput) (any, error) {
	var of hightouchOf
	if err := in.params(&of); err != nil {
		return nil, err
	}
	if string(of.Object) != objectMember {
		return map[string]any{"options": nil}, nil
	}
	type property struct {
		Title       string `json:"title"`
		Description string `json:"description"`
		Type        string `json:"type"`
	}
	schema := map[string]any{"type": "object", "properties": map[string]property{
		"audience":        {"Audience", "The key of a static audience. Leave it out when a column is mapped to " + fieldAudience + ".", "string"},
		"create_audience": {"Make the audience when there is none", "It becomes a static audience, named as its key.", "boolean"},
	}}
	return map[string]any{"options": map[string]any{"schema": schema, "uiSchema": map[string]any{}}}, nil
}

// hightouchConfiguration is a sync as it was filled in.
type hightouchConfiguration struct {
	hightouchOf
	Audience   string             `json:"audience"`
	Create     bool               `json:"create_audience"`
	Identifier hightouchMapping   `json:"identifierMapping"`
	Mappings   []hightouchMapping `json:"mappings"`
}

// hightouchMapping says which column of the model a field comes from.
type hightouchMapping struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// fault says what is wrong with a configuration.
func (c *hightouchConfiguration) fault() string {
	if fault := c.check(); fault != "" {
		return fault
	}
	mapped := slices.ContainsFunc(c.Mappings, func(m hightouchMapping) bool { return m.To == fieldAudience })
	if c.Object == objectMember && !mapped {
		return audienceFault(c.Audience)
	}
	return ""
}

// hightouchSync is the parameters of what is about a sync.
type hightouchSync struct {
	Configuration hightouchConfiguration `json:"configuration"`
	Rows          []syncRecord           `json:"rows"`
}

// sync reads the parameters; an audience of the URL stands in for one of the form.
func (in *rpcInput) sync() (hightouchSync, error) {
	var s hightouchSync
	err := in.params(&s)
	if s.Configuration.Audience == "" {
		s.Configuration.Audience = in.Audience
	}
	s.Configuration.Create = s.Configuration.Create || in.Create
	return s, err
}

func (d data) hightouchValidate(_ context.Context, in *rpcInput) (any, error) {
	s, err := in.sync()
	if err != nil {
		return nil, err
	}
	faults := []string{}
	if fault := s.Configuration.fault(); fault != "" {
		faults = append(faults, fault)
	}
	return map[string][]string{"errors": faults}, nil
}

type hightouchBehavior struct {
	BatchSize  int `json:"batchSize"`
	Operations struct {
		Add    bool `json:"add"`
		Change bool `json:"change"`
		Remove bool `json:"remove"`
	} `json:"operations"`
	SkipInitialRun bool `json:"skipInitialRun"`
}

func (d data) hightouchBehavior(_ context.Context, in *rpcInput) (any, error) {
	s, err := in.sync()
	if err != nil {
		return nil, err
	}
	b := hightouchBehavior{BatchSize: syncBatch}
	b.Operations.Add, b.Operations.Change = true, s.Configuration.Mode != modeRemove
	b.Operations.Remove = s.Configuration.Mode == modeMirror
	return b, nil
}

type hightouchRejected struct {
	Row    syncRecord `json:"row"`
	Reason string     `json:"reason"`
}

// hightouchRows works rows that came into the model, changed in it, or left it.
func (d data) hightouchRows(what string) func(context.Context, *rpcInput) (any, error) {
	return func(ctx context.Context, in *rpcInput) (any, error) {
		s, err := in.sync()
		if err != nil {
			return nil, err
		}
		c := &s.Configuration
		if fault := c.fault(); fault != "" {
			return nil, badParams("configuration: %s", fault)
		}
		rejected := []hightouchRejected{}
		if what == "remove" && c.Mode != modeMirror {
			return map[string][]hightouchRejected{"rejectedRows": rejected}, nil // they stay as they are
		}
		if len(s.Rows) > syncBatch {
			return nil, badParams("there are %d rows; send at most %d", len(s.Rows), syncBatch)
		}
		if len(c.Mappings) > maxMappings {
			return nil, badParams("configuration: there are %d mappings; send at most %d", len(c.Mappings), maxMappings)
		}
		records := make([]syncRecord, len(s.Rows))
		for i, row := range s.Rows {
			records[i] = c.record(row)
		}
		plan := syncPlan{object: string(c.Object), remove: what == "remove" || c.Mode == modeRemove, audience: c.Audience, create: c.Create}
		reasons, err := d.apply(ctx, plan, records)
		if err != nil {
			return nil, err
		}
		for i, reason := range reasons {
			if reason != "" {
				rejected = append(rejected, hightouchRejected{s.Rows[i], reason})
			}
		}
		return map[string][]hightouchRejected{"rejectedRows": rejected}, nil
	}
}

// maxMappings bounds the fields of a sync: more than the columns that a table can have.
const maxMappings = 2_000

// record maps a row of the model to the fields of a record.
func (c *hightouchConfiguration) record(row syncRecord) syncRecord {
	record := make(syncRecord)
	for _, m := range append(slices.Clone(c.Mappings), c.Identifier) {
		if value, ok := row[m.From]; ok && m.To != "" {
			record[m.To] = value
		}
	}
	return record
}
