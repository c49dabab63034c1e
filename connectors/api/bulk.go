package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"muster/pipeline/event"
)

func (d data) registerBulk() {
	register(d.api, endpoint{method: http.MethodPost, path: "/v1/users/bulk/identify", id: "bulk-identify-users", tag: "Users", role: RoleWrite,
		summary: "Identify many users in the background", description: "1 to 1,000. Users that cannot be written fail alone."}, d.bulkIdentify)
	register(d.api, endpoint{method: http.MethodPost, path: "/v1/users/bulk/delete", id: "bulk-delete-users", tag: "Users", role: RoleWrite,
		summary: "Delete many users in the background", description: "1 to 1,000."}, d.bulkDelete)
	register(d.api, endpoint{method: http.MethodGet, path: "/v1/bulk_operations/{id}", id: "get-bulk-operation", tag: "Users", role: RoleRead,
		summary: "Get a bulk operation"}, d.bulk)
}

// BulkOperation is many records being worked in the background.
type BulkOperation struct {
	TypeName      string      `json:"__typename" example:"BulkOperation"`
	ID            string      `json:"id"`
	Name          string      `json:"name" example:"users.identify"`
	Status        string      `json:"status" enum:"queued,processing,completed,failed"`
	EstimatedRows int         `json:"estimated_total_rows"`
	ProcessedRows int         `json:"processed_rows"`
	SuccessCount  int         `json:"success_count"`
	ErrorCount    int         `json:"error_count"`
	ErrorItems    []ErrorItem `json:"error_items" nullable:"false"`
	InsertedAt    time.Time   `json:"inserted_at"`
	UpdatedAt     time.Time   `json:"updated_at"`
	StartedAt     *time.Time  `json:"started_at"`
	CompletedAt   *time.Time  `json:"completed_at"`
	FailedAt      *time.Time  `json:"failed_at"`
	ProgressPath  string      `json:"progress_path" example:"/v1/bulk_operations/ABC"`
}

// ErrorItem is a record that could not be done.
type ErrorItem struct {
	ID         string `json:"id"`
	Collection string `json:"collection" example:"$users"`
	Message    string `json:"message"`
}

func bulkOf(b event.Bulk) *answer[BulkOperation] {
	o := BulkOperation{
		TypeName: "BulkOperation", ID: b.ID, Name: b.Name, Status: b.Status, EstimatedRows: b.Total, ProcessedRows: b.Processed,
		SuccessCount: b.Succeeded, ErrorCount: len(b.Failed), ErrorItems: []ErrorItem{}, InsertedAt: b.InsertedAt, UpdatedAt: b.UpdatedAt,
		StartedAt: b.StartedAt, CompletedAt: b.CompletedAt, FailedAt: b.FailedAt, ProgressPath: "/v1/bulk_operations/" + b.ID,
	}
	for _, f := range b.Failed {
		o.ErrorItems = append(o.ErrorItems, ErrorItem{ID: f.ID, Collection: "$users", Message: f.Message})
	}
	return &answer[BulkOperation]{o}
}

func (d data) bulkIdentify(ctx context.Context, in *struct {
	Body struct {
		Users []json.RawMessage `json:"users" minItems:"1" maxItems:"1000"`
	}
}) (*answer[BulkOperation], error) {
	users := make([]event.Identify, len(in.Body.Users))
	var faults []FieldError
	for i, raw := range in.Body.Users {
		u, field, fault := userOf(raw)
		if fault != "" {
			faults = append(faults, FieldError{Field: joinField(fmt.Sprintf("users[%d]", i), field), Message: fault})
		}
		users[i] = u
	}
	return d.startBulk(ctx, users, faults, false)
}

func (d data) bulkDelete(ctx context.Context, in *struct {
	Body struct {
		IDs []json.RawMessage `json:"user_ids" minItems:"1" maxItems:"1000"`
	}
}) (*answer[BulkOperation], error) {
	users := make([]event.Identify, len(in.Body.IDs))
	var faults []FieldError
	for i, raw := range in.Body.IDs {
		id, fault := idOf(raw)
		if fault != "" {
			faults = append(faults, FieldError{Field: fmt.Sprintf("user_ids[%d]", i), Message: fault})
		}
		users[i].ID = id
	}
	return d.startBulk(ctx, users, faults, true)
}

func (d data) startBulk(ctx context.Context, users []event.Identify, faults []FieldError, remove bool) (*answer[BulkOperation], error) {
	if len(faults) > 0 {
		return nil, invalidAll(faults)
	}
	b, err := d.Bulks.StartBulk(ctx, users, remove)
	if err != nil {
		return nil, err
	}
	return bulkOf(b), nil
}

func (d data) bulk(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*answer[BulkOperation], error) {
	b, err := d.Bulks.Bulk(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return bulkOf(b), nil
}
