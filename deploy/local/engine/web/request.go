package web

import (
	"io"
	"net/http"
	"net/url"
	"strings"

	"muster/deploy/local/engine/chdb"
	"muster/deploy/local/engine/session"
	"muster/deploy/local/engine/statement"
)

// maxQuery is how long a statement may be, without the data of an INSERT.
const maxQuery = 4 << 20

// maxMemory is what a statement may take, in bytes, whose result has to be put together first. (The engine knows the
// setting max_result_bytes, but does not heed it.)
const maxMemory = "536870912"

// request is a statement as it was sent.
type request struct {
	statement statement.Statement
	data      io.Reader // of an INSERT
	close     func()
	params    []chdb.Param
	settings  []session.Setting
	database  string
	format    string // of the result
	protocol  bool   // blocks in the dialect of the native protocol are wanted
}

// notSettings are parameters of the URL that are not settings of the statement. Who asks does not matter here.
var notSettings = map[string]bool{
	"query": true, "database": true, "default_format": true, "user": true, "password": true, "quota_key": true, "role": true,
	"query_id": true, "compress": true, "decompress": true, "client_protocol_version": true, "stacktrace": true,
	"buffer_size": true, "wait_end_of_query": true, "session_timeout": true, "session_check": true,
}

func parse(r *http.Request) (*request, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refusal(36, "BAD_ARGUMENTS", "The URL's parameters cannot be read: "+err.Error())
	}
	if values.Has("session_id") {
		return nil, refusal(48, "NOT_IMPLEMENTED", "session_id is not supported by the embedded engine: use the native protocol for sessions")
	}
	if isTrue(values.Get("compress")) {
		return nil, refusal(48, "NOT_IMPLEMENTED", "compress=1 is not supported by the embedded engine: use the native protocol for compressed results")
	}
	q := &request{
		database: first(values.Get("database"), r.Header.Get("X-ClickHouse-Database")),
		protocol: len(values.Get("client_protocol_version")) == 5 && values.Get("client_protocol_version") >= "54454",
	}
	q.take(values)
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		q.settings = append(q.settings, session.Setting{Name: "readonly", Value: "2"})
	}
	body, closeBody, err := decode(r.Body, r.Header.Get("Content-Encoding"), isTrue(values.Get("decompress")))
	if err != nil {
		return nil, err
	}
	q.close = closeBody
	if err := q.read(values.Get("query"), body); err != nil {
		closeBody()
		return nil, err
	}
	q.format = first(q.statement.Format, values.Get("default_format"), r.Header.Get("X-ClickHouse-Format"), "TabSeparated")
	if q.statement.Streams() && !streamed(q.format) && !values.Has("max_memory_usage") {
		q.settings = append(q.settings, session.Setting{Name: "max_memory_usage", Value: maxMemory})
	}
	return q, nil
}

// take sorts the URL's parameters into those of the statement and settings.
func (q *request) take(values url.Values) {
	for name, all := range values {
		value := all[len(all)-1]
		if param, ok := strings.CutPrefix(name, "param_"); ok {
			q.params = append(q.params, chdb.Param{Name: param, Value: value})
		} else if !notSettings[name] {
			q.settings = append(q.settings, session.Setting{Name: name, Value: value})
		}
	}
}

// read finds the statement, which begins in the URL or in the body, and the data that follows it.
func (q *request) read(text string, body io.Reader) (err error) {
	if q.statement, err = parseStatement(text); err != nil {
		return err
	}
	if q.statement.Kind != statement.Insert {
		more, err := io.ReadAll(io.LimitReader(body, maxQuery))
		if err != nil {
			return unreadable(err)
		}
		if text != "" && len(more) > 0 {
			text += "\n"
		}
		if q.statement, err = parseStatement(text + string(more)); err != nil {
			return err
		}
		if len(more) == maxQuery && q.statement.Kind != statement.Insert {
			return refusal(62, "SYNTAX_ERROR", "The query is too large")
		}
	}
	q.data = io.MultiReader(strings.NewReader(inline(q.statement)), body)
	return nil
}

// inline is the data that stands in the statement's text, as the format is to see it.
func inline(st statement.Statement) string {
	if st.Format == "Values" {
		if !st.Inline {
			return ""
		}
		return st.Data
	}
	data := strings.TrimLeft(st.Data, " \t\f")
	if !st.Inline {
		data = strings.TrimPrefix(data, ";")
	}
	if line, ok := strings.CutPrefix(strings.TrimPrefix(data, "\r"), "\n"); ok {
		return line
	}
	return data
}

func parseStatement(text string) (statement.Statement, error) {
	st, err := statement.Parse(text)
	if err != nil {
		return st, refusal(62, "SYNTAX_ERROR", "Syntax error: "+err.Error())
	}
	return st, nil
}

func isTrue(s string) bool { return s == "1" || strings.EqualFold(s, "true") }

func first(candidates ...string) string {
	for _, c := range candidates {
		if c != "" {
			return c
		}
	}
	return ""
}
