package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const (
	censusPath    = "/v1/integrations/census/custom-destination"
	hightouchPath = "/v1/integrations/hightouch/embedded-destination"
)

// rpc calls a method and returns the result, or the error when there is one.
func (s *served) rpc(path, method, params string) (result object, failed string, position string) {
	s.Helper()
	status, reply, header := s.ask("POST", path, object{"jsonrpc": "2.0", "id": "c0ffee", "method": method, "params": json.RawMessage(params)})
	if status != http.StatusOK || reply["id"] != "c0ffee" || reply["jsonrpc"] != "2.0" {
		s.Fatalf("%s: %d %v", method, status, reply)
	}
	if e, ok := reply["error"].(object); ok {
		return nil, fmt.Sprint(e["code"], " ", e["message"]), ""
	}
	result, _ = reply["result"].(object)
	return result, "", header.Get("Muster-Position")
}

func TestCensusCustomDestination(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	for method, want := range map[string]string{
		"test_connection": "map[success:true]",
		"list_objects":    "map[objects:[map[can_create_fields:on_write label:User object_api_name:user] map[can_create_fields:on_write label:Audience member object_api_name:audience_member]]]",
		"get_sync_speed":  "map[maximum_batch_size:1000 maximum_parallel_batches:4 maximum_records_per_second:10000]",
	} {
		if got, failed, _ := s.rpc(censusPath, method, `{}`); fmt.Sprint(got) != want {
			t.Errorf("%s: %v %s, want %s", method, got, failed, want)
		}
	}
	fields, _, _ := s.rpc(censusPath, "list_fields", `{"object": {"object_api_name": "audience_member"}}`)
	types := map[string]string{}
	for _, f := range fields["fields"].([]any) {
		f := f.(object)
		types[f["field_api_name"].(string)] = fmt.Sprintf("%v %v %v", f["type"], f["identifier"], f["required"])
	}
	for name, want := range map[string]string{"user_id": "string true true", "audience_key": "string false false", "tenant": "string false false", "age": "integer false false", "created_at": "date_time false false"} {
		if types[name] != want {
			t.Errorf("field %s: %q, want %q", name, types[name], want)
		}
	}
	if got, _, _ := s.rpc(censusPath, "supported_operations", `{"object": {"object_api_name": "audience_member"}}`); fmt.Sprint(got) != "map[operations:[upsert mirror]]" {
		t.Errorf("operations: %v", got)
	}
	plan := func(object, identifier, operation, records string) string {
		return fmt.Sprintf(`{"sync_plan": {"object": {"object_api_name": %q}, "operation": %q, "sync_run_id": 1, "schema": {%q: {"active_identifier": true, "field": {}}}}, "records": %s}`,
			object, operation, identifier, records)
	}
	got, _, position := s.rpc(censusPath, "sync_batch", plan("user", "id", "upsert", `[{"id": "u1", "plan": "pro", "shoe": 42}, {"id": "u2", "age": "old"}, {"plan": "x"}, {"id": 7}]`))
	wantResults(t, got["record_results"], "u1:true", "u2:false:age", "<nil>:false:id", "7:true")
	if status, u, _ := s.ask("GET", "/v1/users/u1", nil, "Muster-Position", position); status != 200 || u["plan"] != "pro" || u["shoe"] != 42.0 {
		t.Errorf("u1: %d %v", status, u)
	}
	members := `[{"user_id": "u1", "audience_key": "beta", "tenant": "acme"}, {"user_id": "u9", "audience_key": "beta", "tenant": null, "plan": "new"},
		{"user_id": "u1"}, {"user_id": "u1", "audience_key": "No Key"}, {"user_id": "u3", "audience_key": "beta", "age": "old"}, {"user_id": "u4", "audience_key": "beta", "tenant": ""}]`
	got, _, _ = s.rpc(censusPath, "sync_batch", plan("audience_member", "user_id", "upsert", members))
	wantResults(t, got["record_results"], "u1:false:no such audience", "u9:false:no such audience", "u1:false:audience_key", "u1:false:no key", "u3:false:no such audience", "u4:false:tenant")
	got, _, position = s.rpc(censusPath+"?create_audience=true", "sync_batch", plan("audience_member", "user_id", "upsert", members))
	wantResults(t, got["record_results"], "u1:true", "u9:true", "u1:false:audience_key", "u1:false:no key", "u3:false:age", "u4:false:tenant")
	if got := s.in("beta", position); got != "u1/acme u9/" {
		t.Errorf("members %s", got)
	}
	got, _, position = s.rpc(censusPath+"?audience=beta", "sync_batch", plan("audience_member", "user_id", "delete", `[{"user_id": "u9"}, {"user_id": "nobody"}]`))
	wantResults(t, got["record_results"], "u9:true", "nobody:true")
	if got := s.in("beta", position); got != "u1/acme" {
		t.Errorf("members after the deletion %s", got)
	}
	for name, call := range map[string][2]string{
		"-32601 there is no method": {"sync", `{}`}, "-32602 params": {"sync_batch", `[]`}, "-32602 there is no object": {"list_fields", `{"object": {}}`},
		"-32602 there is no operation": {"sync_batch", plan("user", "id", "mirror", "[]")}, "-32602 there are 1001": {"sync_batch", plan("user", "id", "upsert", "["+strings.Repeat("{},", 1000)+"{}]")},
	} {
		if _, failed, _ := s.rpc(censusPath, call[0], call[1]); !strings.HasPrefix(failed, name) {
			t.Errorf("%s: %s", name, failed)
		}
	}
}

// in lists the members of an audience.
func (s *served) in(audience, position string) string {
	s.Helper()
	var members []string
	_, answer, _ := s.ask("GET", "/v1/audiences/"+audience+"/members", nil, "Muster-Position", position)
	for _, e := range answer["entries"].([]any) {
		tenant, _ := e.(object)["tenant"].(string)
		members = append(members, e.(object)["user_id"].(string)+"/"+tenant)
	}
	return strings.Join(members, " ")
}

func wantResults(t *testing.T, results any, want ...string) {
	t.Helper()
	list, _ := results.([]any)
	if len(list) != len(want) {
		t.Fatalf("%d results: %v", len(list), results)
	}
	for i, r := range list {
		r := r.(object)
		got := fmt.Sprint(r["identifier"], ":", r["success"])
		if message, ok := r["error_message"].(string); ok {
			got += ":" + message
		}
		if parts := strings.SplitN(want[i], ":", 3); !strings.HasPrefix(got, parts[0]+":"+parts[1]) || !strings.Contains(got, parts[len(parts)-1]) {
			t.Errorf("record %d: %s, want %s", i, got, want[i])
		}
	}
}

func TestHightouchEmbeddedDestination(t *testing.T) {
	t.Parallel()
	s := serve(t, "")
	modes, _, _ := s.rpc(hightouchPath, "list_modes", `{"object": "audience_member"}`)
	fields, _, _ := s.rpc(hightouchPath, "list_fields", `{"object": "user", "mode": "upsert"}`)
	objects, _, _ := s.rpc(hightouchPath, "list_objects", `{}`)
	options, _, _ := s.rpc(hightouchPath, "list_options", `{"object": "audience_member"}`)
	for what, text := range map[string]string{"id:mirror": fmt.Sprint(modes), "id:age": fmt.Sprint(fields), "id:audience_member": fmt.Sprint(objects), "create_audience": fmt.Sprint(options)} {
		if !strings.Contains(text, what) {
			t.Errorf("%s is not in %s", what, text)
		}
	}
	const beta = `"object": "audience_member", "mode": "mirror", "audience": "beta", "create_audience": true,
		"identifierMapping": {"from": "uid", "to": "user_id"}, "mappings": [{"from": "org", "to": "tenant"}, {"from": "years", "to": "age"}]`
	if got, _, _ := s.rpc(hightouchPath, "validate", `{"configuration": {`+beta+`}}`); fmt.Sprint(got) != "map[errors:[]]" {
		t.Errorf("validate: %v", got)
	}
	if got, _, _ := s.rpc(hightouchPath, "validate", `{"configuration": {"object": "audience_member", "mode": "add"}}`); !strings.Contains(fmt.Sprint(got), "audience_key") {
		t.Errorf("validate without an audience: %v", got)
	}
	if got, _, _ := s.rpc(hightouchPath, "behavior", `{"configuration": {`+beta+`}}`); fmt.Sprint(got) != "map[batchSize:1000 operations:map[add:true change:true remove:true] skipInitialRun:false]" {
		t.Errorf("behavior: %v", got)
	}
	got, failed, position := s.rpc(hightouchPath, "add", `{"idColumn": "uid", "configuration": {`+beta+`}, "rows": [
		{"uid": "u1", "org": "acme", "years": 30, "other": 1}, {"uid": 2, "org": null, "years": null}, {"uid": "u3", "org": null, "years": "old"}, {"uid": null}]}`)
	rejected, _ := got["rejectedRows"].([]any)
	if len(rejected) != 2 || !strings.Contains(fmt.Sprint(rejected[0]), "reason:age") || !strings.Contains(fmt.Sprint(rejected[1]), "reason:user_id") {
		t.Errorf("rejected: %v %s", rejected, failed)
	}
	if got := s.in("beta", position); got != "2/ u1/acme" {
		t.Errorf("members %s", got)
	}
	_, _, position = s.rpc(hightouchPath, "remove", `{"idColumn": "uid", "configuration": {`+beta+`}, "rows": [{"uid": "u1", "org": "acme"}, {"uid": "gone"}]}`)
	if got := s.in("beta", position); got != "2/" {
		t.Errorf("members after the removal %s", got)
	}
	if _, u, _ := s.ask("GET", "/v1/users/u1", nil); u["age"] != 30.0 || u["other"] != nil {
		t.Errorf("u1: %v", u)
	}
	removing := strings.Replace(beta, "mirror", "remove", 1)
	_, _, position = s.rpc(hightouchPath, "add", `{"configuration": {`+removing+`}, "rows": [{"uid": "2", "org": null}]}`)
	if got := s.in("beta", position); got != "" {
		t.Errorf("members after mode remove: %s", got)
	}
	if _, failed, _ := s.rpc(hightouchPath, "add", `{"configuration": {"object": "user", "mode": "add"}, "rows": []}`); !strings.HasPrefix(failed, "-32602 configuration") {
		t.Errorf("a mode that does not exist: %s", failed)
	}
}
