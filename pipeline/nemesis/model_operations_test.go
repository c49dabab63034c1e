package nemesis

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"time"
)

// operations are the ways in: each does something and changes the people of the transaction alike. What comes often is there
// several times.
var operations = []func(*modelClient, *transaction) error{
	identify, identify, identify, deleteUser, deleteUser, addMembers, addMembers, addMembers, removeMembers, removeMembers, importCSV,
	censusUsers, censusMembers, hightouchMirror, bulkIdentify, bulkDelete, byHand, byHand,
}

// properties makes some of a user and returns how they are sent.
func (c *modelClient) properties(p *person) object {
	sent := object{}
	if c.random.IntN(2) == 0 {
		p.score = c.random.IntN(100)
		sent["score"] = p.score
	}
	if len(sent) == 0 || c.random.IntN(2) == 0 {
		p.plan = c.pick("pro", "free")
		sent["plan"] = p.plan
	}
	if c.random.IntN(4) == 0 {
		sent["shoe"] = c.random.IntN(50) // not a column, and in no condition
	}
	p.there = true
	return sent
}

// gone is a person of whom only the records are left.
func (p *person) gone() { p.there, p.plan, p.score = false, "", 0 }

func identify(c *modelClient, t *transaction) error {
	id := c.user()
	_, err := c.write(http.StatusOK, http.MethodPut, "/v1/users/"+id, c.properties(t.touch(id)))
	return err
}

func deleteUser(c *modelClient, t *transaction) error {
	id := c.user()
	t.touch(id).gone()
	a, err := c.request(http.MethodDelete, "/v1/users/"+id, "application/json", nil)
	if err == nil && a.status != http.StatusNoContent && a.status != http.StatusNotFound {
		err = fmt.Errorf("delete %s: %d %v", id, a.status, a.body)
	}
	return err
}

// memberRows are some members of one audience: with properties, which makes their users, or without.
func (c *modelClient) memberRows(t *transaction, audience string, n int) []any {
	var rows []any
	for range n {
		id, e := c.user(), enrolment{audience, c.place().tenant}
		p := t.touch(id)
		user := object{"id": id}
		if c.random.IntN(3) == 0 {
			user = c.properties(p)
			user["id"] = id
		}
		p.recorded[e] = true
		rows = append(rows, object{"user": user, "tenant": orNull(e.tenant)})
	}
	return rows
}

func orNull(tenant string) any {
	if tenant == "" {
		return nil
	}
	return tenant
}

func addMembers(c *modelClient, t *transaction) error {
	audience := c.place().audience
	_, err := c.write(http.StatusNoContent, http.MethodPost, "/v1/audiences/"+audience+"/members",
		object{"members": c.memberRows(t, audience, 1+c.random.IntN(4))})
	return err
}

func removeMembers(c *modelClient, t *transaction) error {
	audience := c.place().audience
	var rows []any
	for range 1 + c.random.IntN(4) {
		id, tenant := c.user(), c.place().tenant
		delete(t.touch(id).recorded, enrolment{audience, tenant})
		rows = append(rows, object{"user": object{"id": id}, "tenant": orNull(tenant)})
	}
	_, err := c.write(http.StatusNoContent, http.MethodDelete, "/v1/audiences/"+audience+"/members", object{"members": rows})
	return err
}

// importCSV imports a file with faults, and holds the report to what is in it.
func importCSV(c *modelClient, t *transaction) error {
	audience := c.place().audience
	file := bytes.NewBufferString("\ufeffID;Score;Org\r\n")
	rows, skipped, added := 0, 0, 0
	seen := make(map[string]bool)
	for range 2 + c.random.IntN(8) {
		id, e, score := c.user(), enrolment{audience, c.place().tenant}, c.random.IntN(100)
		rows++
		switch c.random.IntN(8) {
		case 0: // no id
			fmt.Fprintf(file, ";%d;%s\r\n", score, e.tenant)
			skipped++
		case 1: // not what the column takes; the line counts as seen
			fmt.Fprintf(file, "%s;old;%s\r\n", id, e.tenant)
			skipped++
			seen[id+"/"+e.tenant] = true
		default:
			fmt.Fprintf(file, "%s;%d;%s\r\n", id, score, e.tenant)
			if seen[id+"/"+e.tenant] {
				skipped++
				continue
			}
			seen[id+"/"+e.tenant] = true
			p := t.touch(id)
			if !p.recorded[e] {
				added++
			}
			p.there, p.score, p.recorded[e] = true, score, true
		}
	}
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "members.csv")
	if err == nil {
		_, err = part.Write(file.Bytes())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return err
	}
	a, err := c.request(http.MethodPost, "/v1/audiences/"+audience+"/import", w.FormDataContentType(), form.Bytes())
	if err != nil {
		return err
	}
	report := fmt.Sprint(a.status, a.body["rows"], a.body["skipped"], a.body["added"])
	want := fmt.Sprint(200, rows, skipped, added)
	if a.attempts > 1 { // an attempt that was not answered may have added them
		report, want = fmt.Sprint(a.status, a.body["rows"], a.body["skipped"]), fmt.Sprint(200, rows, skipped)
	}
	if report != want {
		return fmt.Errorf("import of %q: %v, want %s", file, a.body, want)
	}
	return nil
}

const (
	censusPath    = "/v1/integrations/census/custom-destination"
	hightouchPath = "/v1/integrations/hightouch/embedded-destination"
)

// sync sends a batch as Census does; the last of the records, a bad one, must be the only one that fails.
func (c *modelClient) sync(object_, operation string, records []any) error {
	records = append(records, object{"plan": "nobody's"})
	result, err := c.rpc(censusPath, "sync_batch", object{"sync_plan": object{"object": object{"object_api_name": object_}, "operation": operation}, "records": records})
	if err != nil {
		return err
	}
	results, _ := result["record_results"].([]any)
	for i := range results {
		if r := results[i].(object); r["success"] != (i < len(records)-1) {
			return fmt.Errorf("record %d of %v: %v", i, records, r)
		}
	}
	if len(results) != len(records) {
		return fmt.Errorf("%d results of %d records", len(results), len(records))
	}
	return nil
}

func censusUsers(c *modelClient, t *transaction) error {
	var records []any
	for range 1 + c.random.IntN(5) {
		id := c.user()
		record := c.properties(t.touch(id))
		record["id"] = id
		records = append(records, record)
	}
	return c.sync("user", "upsert", records)
}

func censusMembers(c *modelClient, t *transaction) error {
	var records []any
	operation, audience := c.pick("upsert", "delete"), c.place().audience // of one audience: the members of each are a transaction
	for range 1 + c.random.IntN(5) {
		id, e := c.user(), enrolment{audience, c.place().tenant}
		if t.touch(id).recorded[e] = true; operation == "delete" {
			delete(t.touch(id).recorded, e)
		}
		records = append(records, object{"user_id": id, "audience_key": audience, "tenant": orNull(e.tenant)})
	}
	return c.sync("audience_member", operation, records)
}

// hightouchMirror replaces members: rows that come into the model, and rows that leave it.
func hightouchMirror(c *modelClient, t *transaction) error {
	e := c.place()
	configuration := object{"object": "audience_member", "mode": "mirror", "audience": e.audience,
		"identifierMapping": object{"from": "uid", "to": "user_id"}, "mappings": []any{object{"from": "org", "to": "tenant"}}}
	come, leave := c.user(), c.user()
	for _, step := range []struct{ method, id string }{{"add", come}, {"remove", leave}} {
		result, err := c.rpc(hightouchPath, step.method, object{"configuration": configuration, "rows": []any{object{"uid": step.id, "org": orNull(e.tenant)}}})
		if rejected, _ := result["rejectedRows"].([]any); err != nil || len(rejected) > 0 {
			return fmt.Errorf("%s %s: %v %w", step.method, step.id, result, err)
		}
	}
	if come != leave {
		t.touch(come).recorded[e] = true
		delete(t.touch(leave).recorded, e)
		return nil
	}
	// Two transactions of one person: the first is noted here, the second by who called.
	first := c.begin()
	first.touch(come).recorded[e] = true
	from := c.reach
	if err := c.look(); err != nil {
		return err
	}
	first.commit(c.law, from, c.reach)
	c.reach = from
	delete(t.touch(come).recorded, e)
	return nil
}

func bulkIdentify(c *modelClient, t *transaction) error {
	var users []any
	for range 1 + c.random.IntN(20) {
		id := c.user()
		user := c.properties(t.touch(id))
		user["id"] = id
		users = append(users, user)
	}
	return c.bulk("/v1/users/bulk/identify", object{"users": users})
}

func bulkDelete(c *modelClient, t *transaction) error {
	var ids []any
	for range 1 + c.random.IntN(4) {
		id := c.user()
		t.touch(id).gone()
		ids = append(ids, id)
	}
	return c.bulk("/v1/users/bulk/delete", object{"user_ids": ids})
}

// bulk has many users worked in the background and waits until they are; when it was started more than once, until each is.
func (c *modelClient) bulk(path string, body any) error {
	if _, err := c.write(http.StatusOK, http.MethodPost, path, body); err != nil {
		return err
	}
	c.position = "" // the answer says nothing of when it is done
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	for {
		var open, failed int
		err := c.db.QueryRow(ctx, `SELECT count(*) FILTER (WHERE status IN ('queued', 'processing')), count(*) FILTER (WHERE status = 'failed' OR failures <> '[]')
  FROM muster.bulk_operations WHERE records LIKE '%"' || $1 || '%' OR status = 'failed' OR failures <> '[]'`, c.prefix).Scan(&open, &failed)
		if err != nil || failed > 0 {
			return fmt.Errorf("%d bulk operations of %s are open, %d failed: %w", open, c.prefix, failed, err)
		}
		if open == 0 {
			return nil
		}
		<-pause.C
	}
}

// byHand is a transaction straight in the database, of several statements about one user.
func byHand(c *modelClient, t *transaction) error {
	id, e := c.user(), c.place()
	p := t.touch(id)
	const upsert, enlist = `INSERT INTO users (id, plan, score) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET plan = $2, score = $3`,
		`INSERT INTO muster.members (environment, audience, user_id, tenant) VALUES ('nemesis', $2, $1, $3) ON CONFLICT DO NOTHING`
	tx, err := c.db.Begin(context.Background())
	if err != nil {
		return err
	}
	run := func(sql string, arguments ...any) {
		if err == nil {
			_, err = tx.Exec(context.Background(), sql, append([]any{id}, arguments...)...)
		}
	}
	switch c.random.IntN(4) {
	case 0: // there before and after it: updated
		run(`DELETE FROM users WHERE id = $1`)
		fallthrough
	case 1:
		p.there, p.plan, p.score = true, c.pick("pro", "free"), c.random.IntN(100)
		run(upsert, p.plan, p.score)
	case 2: // the user and the record together: not one who was missing
		p.there, p.plan, p.score, p.recorded[e] = true, "pro", c.random.IntN(100), true
		run(enlist, e.audience, e.tenant)
		run(upsert, p.plan, p.score)
	case 3:
		p.gone()
		delete(p.recorded, e)
		run(`DELETE FROM muster.members WHERE user_id = $1 AND audience = $2 AND tenant = $3`, e.audience, e.tenant)
		run(`DELETE FROM users WHERE id = $1`)
	}
	if err != nil {
		return err
	}
	c.position = ""
	return tx.Commit(context.Background())
}
