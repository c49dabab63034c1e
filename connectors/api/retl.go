package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"muster/evaluator"
)

// Warehouses sync into Muster through two published protocols, both JSON-RPC 2.0 over one POST endpoint; REVERSE-ETL.md is
// their users' page. Each method of a vendor is a function here, and all of them end in apply.

// The objects that a warehouse can write, and fields of them that are no properties of a user.
const (
	objectUser   = "user"
	objectMember = "audience_member"

	fieldUserID   = "user_id"
	fieldAudience = "audience_key"
	fieldOfTenant = "tenant"
)

// syncBatch is how many records a vendor is asked to send at once.
const syncBatch = 1_000

func (d data) registerSyncs() {
	const censusKey = "census_authentication" // as the vendor's page calls it
	register(d.api, endpoint{method: http.MethodPost, path: "/v1/integrations/census/custom-destination", id: "census-custom-destination", tag: "Reverse ETL",
		role: RoleWrite, keyParameter: censusKey, summary: "Census: Custom Destination",
		description: "JSON-RPC 2.0 as Census specifies for custom destinations. The key may come as the query parameter `" + censusKey + "`."}, d.census)
	register(d.api, endpoint{method: http.MethodPost, path: "/v1/integrations/hightouch/embedded-destination", id: "hightouch-embedded-destination", tag: "Reverse ETL",
		role: RoleWrite, keyParameter: "api_key", summary: "Hightouch: Embedded Destination",
		description: "JSON-RPC 2.0 as Hightouch specifies for embedded destinations. The key may come as the query parameter `api_key`."}, d.hightouch)
}

// rpcInput is one call. The audience and whether to make it may be in the URL, for records that do not say.
type rpcInput struct {
	Audience string `query:"audience" doc:"The audience of records that name none."`
	Create   bool   `query:"create_audience" doc:"Make an audience, static and named as its key, when there is none."`
	Body     rpcRequest
}

type rpcRequest struct {
	Version string          `json:"jsonrpc,omitempty" example:"2.0"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method" minLength:"1"`
	Params  json.RawMessage `json:"params,omitempty"`
}

// rpcReply is the answer to one call: a result or an error.
type rpcReply struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  any             `json:"result,omitempty"`
	Error   *rpcError       `json:"error,omitempty"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error implements error.
func (e *rpcError) Error() string { return e.Message }

// Codes of JSON-RPC 2.0.
const (
	rpcNoMethod  = -32601
	rpcBadParams = -32602
)

func badParams(format string, args ...any) error {
	return &rpcError{rpcBadParams, fmt.Sprintf(format, args...)}
}

// rpc serves one call by the methods of a vendor. Errors of ours stay errors of HTTP, which vendors take for a failed batch
// and try again.
func (d data) rpc(ctx context.Context, in *rpcInput, methods map[string]func(context.Context, *rpcInput) (any, error)) (*answer[rpcReply], error) {
	reply := rpcReply{Version: "2.0", ID: in.Body.ID}
	if len(reply.ID) == 0 {
		reply.ID = json.RawMessage("null")
	}
	method := methods[in.Body.Method]
	if method == nil {
		reply.Error = &rpcError{rpcNoMethod, fmt.Sprintf("there is no method %.140q", in.Body.Method)}
		return &answer[rpcReply]{reply}, nil
	}
	result, err := method(ctx, in)
	if told, ok := err.(*rpcError); ok {
		reply.Error = told
		return &answer[rpcReply]{reply}, nil
	}
	if err != nil {
		return nil, err
	}
	reply.Result = result
	return &answer[rpcReply]{reply}, nil
}

// params reads the parameters of a call.
func (in *rpcInput) params(into any) error {
	if len(in.Body.Params) == 0 {
		return nil
	}
	if err := json.Unmarshal(in.Body.Params, into); err != nil {
		return badParams("params: %v", err)
	}
	return nil
}

// syncField is a field of an object as both vendors are told of it.
type syncField struct {
	name, label string
	kind        string // as Postgres names the type
	identifier  bool
	required    bool
}

// fieldsOf lists what an object can have, and whether it may have more.
func (d data) fieldsOf(ctx context.Context, object string) (fields []syncField, open bool, err error) {
	columns, open, err := d.Syncs.Fields(ctx)
	if err != nil {
		return nil, false, err
	}
	switch object {
	case objectUser:
		fields = append(fields, syncField{fieldID, "ID", "text", true, true})
	case objectMember:
		fields = append(fields, syncField{fieldUserID, "User ID", "text", true, true},
			syncField{name: fieldAudience, label: "Audience key", kind: "text"}, syncField{name: fieldOfTenant, label: "Tenant", kind: "text"})
	default:
		return nil, false, badParams("there is no object %.140q; there are %s and %s", object, objectUser, objectMember)
	}
	for _, column := range columns[1:] {
		if column.Name != fieldID && (object == objectUser || column.Name != fieldUserID && column.Name != fieldAudience && column.Name != fieldOfTenant) {
			fields = append(fields, syncField{name: column.Name, label: column.Name, kind: column.Type})
		}
	}
	return fields, open, nil
}

// audienceFault says what is wrong with the key of an audience.
func audienceFault(key string) string {
	switch {
	case key == "":
		return fieldAudience + ": it is missing; map it, or give the audience in the sync's options or URL"
	case !evaluator.IsKey(key):
		return fmt.Sprintf("%s: %.140q is no key of an audience", fieldAudience, key)
	}
	return ""
}
