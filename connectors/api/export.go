package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"muster/evaluator"
)

func (d data) registerExport() {
	register(d.api, endpoint{method: http.MethodGet, path: "/v1/audiences/{key}/export", id: "export-members", tag: "Members", role: RoleRead,
		summary: "Export the members of an audience", description: "CSV or NDJSON, streamed, all as of one position of the log. A client that receives nothing for 20 seconds is cut off."}, d.export)
}

// exported is an answer that is streamed.
type exported struct{ Body func(huma.Context) }

func (d data) export(_ context.Context, in *struct {
	Key    string `path:"key"`
	Format string `query:"format" enum:"csv,ndjson" default:"ndjson"`
}) (*exported, error) {
	if _, known, err := d.Lists.ListMembers(in.Key, Window{Limit: 1}); err != nil || !known {
		if err == nil {
			err = d.unknown(in.Key)
		}
		return nil, err
	}
	write, contentType := exportNDJSON, "application/x-ndjson"
	if in.Format == "csv" {
		columns, err := d.columns()
		if err != nil {
			return nil, err
		}
		write, contentType = exportCSV(columns), "text/csv; charset=utf-8"
	}
	return &exported{func(ctx huma.Context) {
		ctx.SetHeader("Content-Type", contentType)
		ctx.SetHeader("Content-Disposition", `attachment; filename="`+in.Key+"."+in.Format+`"`)
		each := func(visit func(MemberRow) error) error {
			_, _, err := d.Lists.EachMember(in.Key, visit)
			return err
		}
		to := d.api.patiently(ctx)
		err := write(to, each)
		if err == nil {
			err = to.Close()
		}
		if err != nil {
			// the status is sent already: break the connection off, so that nobody takes a part for the whole
			d.api.Log.Warn("an export broke off", "audience", in.Key, "error", err)
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

func exportNDJSON(w io.Writer, each func(func(MemberRow) error) error) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return each(func(r MemberRow) error { return encoder.Encode(memberOf(&r)) })
}

// exportCSV writes a line a member. The columns are those of the users table; properties of the document share one.
func exportCSV(columns []string) func(io.Writer, func(func(MemberRow) error) error) error {
	return func(w io.Writer, each func(func(MemberRow) error) error) error {
		out := csv.NewWriter(w)
		if err := out.Write(append([]string{"user_id", "tenant", "added_at", "missing"}, columns...)); err != nil {
			return err
		}
		err := each(func(r MemberRow) error {
			record := []string{safeCell(r.User), safeCell(r.Tenant), r.Since.String(), strconv.FormatBool(r.Missing)}
			for _, name := range columns {
				record = append(record, cell(r.Row, name))
			}
			return out.Write(record)
		})
		out.Flush()
		return errors.Join(err, out.Error())
	}
}

// columns names the columns of the users table, as any user has them; none while there are no users.
func (d data) columns() ([]string, error) {
	rows, err := d.Lists.ListUsers(Window{Limit: 1})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return columnsOf(rows[0].Row), nil
}

// columnsOf names the columns of a row but its id, in a fixed order.
func columnsOf(row *evaluator.Row) []string {
	if row == nil {
		return nil
	}
	names := make(map[string]bool)
	for i, c := range row.Schema().Columns {
		if i != row.Schema().Key {
			names[c.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

func cell(row *evaluator.Row, name string) string {
	if row == nil {
		return ""
	}
	i := row.Schema().Column(name)
	if i < 0 {
		return ""
	}
	v := row.Value(i)
	switch v.Kind() {
	case evaluator.KindNull:
		return ""
	case evaluator.KindString:
		return safeCell(v.Text())
	case evaluator.KindTimestamp:
		return string(row.Text(i))
	}
	return safeCell(v.String())
}

// safeCell keeps spreadsheets from taking a value for a formula: what begins like one gets an apostrophe in front, as
// OWASP's page on CSV injection advises. Numbers stay numbers.
func safeCell(s string) string {
	if s == "" || !strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return s
	}
	if _, ok := evaluator.StringValue(s).Numeric(); ok {
		return s
	}
	return "'" + s
}
