package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"muster/evaluator"
	"muster/pipeline/event"
)

// defaultMaxImport is the size of a CSV file that is taken, in bytes.
const defaultMaxImport = 10_000_000

func (d data) registerImport() {
	const overhead = 1 << 20 // of the multipart form around the file
	register(d.api, endpoint{method: http.MethodPost, path: "/v1/audiences/{key}/import", id: "import-members", tag: "Members", role: RoleWrite,
		streamed: true, limit: d.MaxImport + overhead, summary: "Import members from a CSV file",
		description: "multipart/form-data: `file`, and `mapping`, a JSON object from columns of the file to fields: `{\"Email\": \"email\", \"ID\": \"id\", \"Org\": \"tenant_id\"}`; columns that it does not name are left out. " +
			"Without a mapping the header is guessed. The users are written first; an empty cell leaves a property as it is. Rows that cannot be taken are skipped and reported with their line, the others are taken all in one transaction.",
	}, d.importCSV)
}

// importInput is a request whose body the handler reads as it comes.
type importInput struct {
	Key         string `path:"key"`
	DryRun      bool   `query:"dry_run" doc:"Report how the file is read, and do nothing."`
	Create      bool   `query:"create_audience" doc:"Make the audience, static and named as its key, when there is none."`
	Report      string `query:"report" enum:"json,csv" default:"json" doc:"csv: only the rows that were not taken."`
	ContentType string `header:"Content-Type"`

	request huma.Context
}

// Resolve implements huma.Resolver.
func (in *importInput) Resolve(ctx huma.Context) []error {
	in.request = ctx
	return nil
}

type importOutput struct {
	ContentType string `header:"Content-Type"`
	Body        any
}

func (d data) importCSV(ctx context.Context, in *importInput) (*importOutput, error) {
	if !evaluator.IsKey(in.Key) {
		return nil, d.unknown(in.Key)
	}
	text, mapping, err := readForm(in.ContentType, in.request.BodyReader(), d.MaxImport)
	if err != nil {
		return nil, err
	}
	file, err := readImport(text, mapping)
	if err != nil {
		return nil, invalid("file", "%v", err)
	}
	if file.report.DryRun = in.DryRun; !in.DryRun {
		if err := d.take(ctx, in, file); err != nil {
			return nil, err
		}
	}
	if in.Report == "csv" {
		return &importOutput{"text/csv; charset=utf-8", file.report.CSV()}, nil
	}
	return &importOutput{"application/json", file.report}, nil
}

// take records the members of a file.
func (d data) take(ctx context.Context, in *importInput, file *importFile) error {
	if len(file.members) == 0 {
		return nil
	}
	added, faults, token, err := d.Imports.Import(ctx, in.Key, file.members, in.Create)
	var refused event.DataFaults
	if errors.As(err, &refused) {
		return invalid(fmt.Sprintf("file.line[%d]", file.lines[refused[0].Index]), "%s", joinReason(refused[0].Field, refused[0].Message))
	}
	if err != nil {
		return err
	}
	bad := make(map[int]bool)
	for _, f := range faults {
		if !bad[f.Index] {
			bad[f.Index] = true
			file.skip(file.lines[f.Index], file.members[f.Index].User.ID, joinReason(f.Field, f.Message))
		}
	}
	file.report.Added, file.report.Unchanged = added, len(file.members)-len(bad)-added
	slices.SortStableFunc(file.report.Skips, func(a, b ImportSkip) int { return a.Line - b.Line })
	d.api.wrote(ctx, token)
	return nil
}

func joinReason(field, message string) string {
	if field == "" {
		return message
	}
	return field + ": " + message
}

// readForm reads the parts of a multipart form; the file up to limit bytes.
func readForm(contentType string, body io.Reader, limit int64) (file []byte, mapping map[string]string, err error) {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" || parameters["boundary"] == "" {
		return nil, nil, &Error{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type", Message: "send multipart/form-data with a part named file"}
	}
	form := multipart.NewReader(body, parameters["boundary"])
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, bodyFault(err)
		}
		switch part.FormName() {
		case "file":
			if file, err = io.ReadAll(io.LimitReader(part, limit+1)); err != nil {
				return nil, nil, bodyFault(err)
			}
			if int64(len(file)) > limit {
				return nil, nil, bodyFault(&http.MaxBytesError{Limit: limit})
			}
		case "mapping":
			const enough = 1 << 16
			if err := json.NewDecoder(io.LimitReader(part, enough)).Decode(&mapping); err != nil {
				return nil, nil, invalid("mapping", "it is no JSON object of column names to fields: %v", err)
			}
		}
	}
	if file == nil {
		return nil, nil, invalid("file", "the form has no part of that name")
	}
	return file, mapping, nil
}
