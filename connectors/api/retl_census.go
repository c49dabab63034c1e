package api

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
)

// census serves Census's Custom Destination API.
func (d data) census(ctx context.Context, in *rpcInput) (*answer[rpcReply], error) {
	return d.rpc(ctx, in, map[string]func(context.Context, *rpcInput) (any, error){
		"test_connection":      d.censusTest,
		"list_objects":         d.censusObjects,
		"list_fields":          d.censusFields,
		"supported_operations": d.censusOperations,
		"get_sync_speed":       d.censusSpeed,
		"sync_batch":           d.censusBatch,
	})
}

type censusTested struct {
	Success bool   `json:"success"`
	Message string `json:"error_message,omitempty"`
}

// censusTest asks the database for what a sync needs of it.
func (d data) censusTest(ctx context.Context, _ *rpcInput) (any, error) {
	if _, _, err := d.Syncs.Fields(ctx); err != nil {
		return censusTested{Message: d.api.judge(ctx, err).Message}, nil
	}
	return censusTested{Success: true}, nil
}

type censusObject struct {
	Name      string `json:"object_api_name"`
	Label     string `json:"label"`
	NewFields string `json:"can_create_fields,omitempty"`
}

func (d data) censusObjects(ctx context.Context, _ *rpcInput) (any, error) {
	_, open, err := d.Syncs.Fields(ctx)
	if err != nil {
		return nil, err
	}
	newFields := ""
	if open {
		newFields = "on_write"
	}
	return map[string][]censusObject{"objects": {{objectUser, "User", newFields}, {objectMember, "Audience member", newFields}}}, nil
}

// censusOf is the parameters that name an object.
type censusOf struct {
	Object censusObject `json:"object"`
}

type censusField struct {
	Name       string `json:"field_api_name"`
	Label      string `json:"label"`
	Identifier bool   `json:"identifier"`
	Required   bool   `json:"required"`
	Createable bool   `json:"createable"`
	Updateable bool   `json:"updateable"`
	Type       string `json:"type"`
	Array      bool   `json:"array"`
}

func (d data) censusFields(ctx context.Context, in *rpcInput) (any, error) {
	var of censusOf
	if err := in.params(&of); err != nil {
		return nil, err
	}
	fields, _, err := d.fieldsOf(ctx, of.Object.Name)
	if err != nil {
		return nil, err
	}
	shown := make([]censusField, len(fields))
	for i, f := range fields {
		kind, array := strings.CutSuffix(f.kind, "[]")
		shown[i] = censusField{f.name, f.label, f.identifier, f.required, true, true, censusType(kind), array}
	}
	return map[string][]censusField{"fields": shown}, nil
}

// censusType is what the vendor calls a type of Postgres. What it has no name for is sent as text, which every column reads.
func censusType(kind string) string {
	kind, _, _ = strings.Cut(kind, "(")
	switch kind {
	case "boolean":
		return "boolean"
	case "smallint", "integer", "bigint":
		return "integer"
	case "real", "double precision":
		return "float"
	case "numeric":
		return "decimal"
	case "date":
		return "date"
	}
	if strings.HasPrefix(kind, "timestamp") {
		return "date_time"
	}
	return "string"
}

func (d data) censusOperations(_ context.Context, in *rpcInput) (any, error) {
	var of censusOf
	if err := in.params(&of); err != nil {
		return nil, err
	}
	switch of.Object.Name {
	case objectUser:
		return map[string][]string{"operations": {"upsert"}}, nil
	case objectMember:
		return map[string][]string{"operations": {"upsert", "mirror"}}, nil
	}
	return nil, badParams("there is no object %.140q; there are %s and %s", of.Object.Name, objectUser, objectMember)
}

type censusSpeed struct {
	Batch    int `json:"maximum_batch_size"`
	Parallel int `json:"maximum_parallel_batches"`
	Records  int `json:"maximum_records_per_second"`
}

func (d data) censusSpeed(context.Context, *rpcInput) (any, error) {
	return censusSpeed{Batch: syncBatch, Parallel: 4, Records: 10_000}, nil
}

// censusPlan is a batch: what to do, and with what.
type censusPlan struct {
	Plan struct {
		Object    censusObject `json:"object"`
		Operation string       `json:"operation"`
		Schema    map[string]struct {
			Active bool `json:"active_identifier"`
		} `json:"schema"`
	} `json:"sync_plan"`
	Records []syncRecord `json:"records"`
}

type censusResult struct {
	Identifier json.RawMessage `json:"identifier"`
	Success    bool            `json:"success"`
	Message    string          `json:"error_message,omitempty"`
}

// censusBatch works a batch. A mirror comes as batches of upsert and delete.
func (d data) censusBatch(ctx context.Context, in *rpcInput) (any, error) {
	var batch censusPlan
	if err := in.params(&batch); err != nil {
		return nil, err
	}
	object, operation := batch.Plan.Object.Name, batch.Plan.Operation
	allowed := map[string][]string{objectUser: {"upsert"}, objectMember: {"upsert", "mirror", "delete"}}[object]
	if !slices.Contains(allowed, operation) {
		return nil, badParams("there is no operation %.140q of an object %.140q", operation, object)
	}
	plan := syncPlan{object: object, remove: operation == "delete", audience: in.Audience, create: in.Create}
	reasons, err := d.apply(ctx, plan, batch.Records)
	if err != nil {
		return nil, err
	}
	identifier := map[string]string{objectUser: fieldID, objectMember: fieldUserID}[object]
	for name, of := range batch.Plan.Schema {
		if of.Active {
			identifier = name
		}
	}
	results := make([]censusResult, len(reasons))
	for i, reason := range reasons {
		results[i] = censusResult{batch.Records[i][identifier], reason == "", reason}
	}
	return map[string][]censusResult{"record_results": results}, nil
}
