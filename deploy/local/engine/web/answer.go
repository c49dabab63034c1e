package web

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"muster/deploy/local/engine/chdb"
)

// answer is a response of which it is known whether its body has begun.
type answer struct {
	http.ResponseWriter
	began bool
}

// write sends some of the body, and the header before the first of it.
func (a *answer) write(b []byte) error {
	a.began = true
	_, err := a.Write(b)
	return err
}

// describe says which format the result is in.
func (a *answer) describe(format string) {
	a.Header().Set("X-ClickHouse-Format", format)
	a.Header().Set("Content-Type", contentType(format))
}

// summary says what the statement has read and written.
func (a *answer) summary(r chdb.Result) {
	numbers := map[string]string{ // as text, since JavaScript's numbers are too short
		"read_rows": strconv.FormatUint(r.RowsRead, 10), "read_bytes": strconv.FormatUint(r.BytesRead, 10),
		"written_rows": strconv.FormatUint(r.Written, 10),
	}
	if text, err := json.Marshal(numbers); err == nil {
		a.Header().Set("X-ClickHouse-Summary", string(text))
	}
}

// fail answers with an exception. When rows have been sent already its text follows them and the connection breaks off,
// since the status has promised that all went well.
func (a *answer) fail(err error, version string) {
	e := chdb.AsError(err)
	text := "Code: " + strconv.Itoa(e.Code) + ". DB::Exception: " + strings.TrimSuffix(e.Text, ".") + ". (" + e.Name + ") (version " + version + ")\n"
	if a.began {
		_, _ = a.Write([]byte("\n" + text)) // the client may have left
		panic(http.ErrAbortHandler)
	}
	a.Header().Del("X-ClickHouse-Format")
	a.Header().Set("X-ClickHouse-Exception-Code", strconv.Itoa(e.Code))
	a.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	a.WriteHeader(status(e.Code))
	_, _ = a.Write([]byte(text))
}

// statuses are those of exceptions that are the client's fault; all others are 500.
var statuses = map[int]int{
	6: 400, 25: 400, 26: 400, 27: 400, 36: 400, 38: 400, 41: 400, 53: 400, 62: 400, 69: 400, 72: 400, 117: 400, 168: 400, 432: 400, 456: 400, 457: 400,
	46: 404, 47: 404, 50: 404, 56: 404, 60: 404, 63: 404, 73: 404, 81: 404, 115: 404, 336: 404,
	48: 501, 164: 403, 202: 503, 159: 408, 241: 413,
}

func status(code int) int {
	if s, ok := statuses[code]; ok {
		return s
	}
	return http.StatusInternalServerError
}
