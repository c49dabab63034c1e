package command

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/connectors/api"
)

func newMemberImport() *cobra.Command {
	m := newMemberCommand()
	var audience, mapping, report string
	var create, dryRun bool
	c := &cobra.Command{
		Use:   "import FILE.csv",
		Short: "Import members of a static audience from a CSV file",
		Long: `Import members of a static audience from a CSV file, with - from standard input. The first line names the columns; --map says
which field each is: id, tenant_id, or a property of the user, which is written first. Columns that it does not name are left
out; without --map the header is guessed. Rows that cannot be taken are skipped and reported with their line, the others are
taken all at once or, if the command fails, not at all. The audience is that of --audience, or the name of the file.

Exits 1 when rows were skipped.`,
		Example: `  muster member import beta.csv --map "Email=email,ID=id,Org=tenant_id"
  muster member import export.csv --audience beta --dry-run
  muster member import beta.csv --report skipped.csv --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if audience == "" {
				audience = strings.TrimSuffix(filepath.Base(args[0]), filepath.Ext(args[0]))
			}
			if audience == "-" || audience == "" {
				return usagef("standard input has no name; name the audience with --audience")
			}
			fields, err := parseMapping(mapping)
			if err != nil {
				return err
			}
			file, err := readInput(c, args[0])
			if err != nil {
				return err
			}
			query := url.Values{}
			if create {
				query.Set("create_audience", "true")
			}
			if dryRun {
				query.Set("dry_run", "true")
			}
			return m.run(c, func(ctx context.Context, client *client) error {
				r, err := client.importMembers(ctx, c.ErrOrStderr(), audience, query, fields, file)
				if err != nil {
					return err
				}
				return m.tell(c, audience, report, r)
			})
		},
	}
	m.flags(c)
	c.ValidArgsFunction = nil // files
	f := c.Flags()
	f.StringVarP(&audience, "audience", "a", "", "the audience (default: the file's name without .csv)")
	f.StringVar(&mapping, "map", "", `what the columns are: "Email=email,ID=id,Org=tenant_id"; quote a name with commas as CSV does`)
	f.StringVar(&report, "report", "", "write the rows that were skipped to this CSV file")
	f.BoolVar(&create, "create", false, "make the audience, static, when there is none")
	f.BoolVar(&dryRun, "dry-run", false, "report how the file is read, and change nothing")
	_ = c.RegisterFlagCompletionFunc("audience", m.completeAudiences)
	return c
}

// parseMapping reads Column=field pairs with commas between them.
func parseMapping(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	pairs, err := csv.NewReader(strings.NewReader(text)).Read()
	if err != nil {
		return nil, usagef("--map: %v", err)
	}
	fields := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		i := strings.LastIndex(pair, "=")
		if i < 0 {
			return nil, usagef("--map: %q is not Column=field", pair)
		}
		column, field := strings.TrimSpace(pair[:i]), strings.TrimSpace(pair[i+1:])
		if _, twice := fields[column]; twice || column == "" {
			return nil, usagef("--map: %q names no column, or one that was named before", pair)
		}
		fields[column] = field
	}
	return fields, nil
}

func readInput(c *cobra.Command, path string) ([]byte, error) {
	if path == "-" {
		text, err := io.ReadAll(c.InOrStdin())
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return text, nil
	}
	return os.ReadFile(path)
}

// importMembers sends a file and returns the report. It tells how far the sending is, and that the rest takes its time.
func (c *client) importMembers(ctx context.Context, progress io.Writer, audience string, query url.Values, fields map[string]string, file []byte) (r api.ImportReport, err error) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	if fields != nil {
		text, err := json.Marshal(fields)
		if err != nil {
			return r, err
		}
		if err := w.WriteField("mapping", string(text)); err != nil {
			return r, err
		}
	}
	part, err := w.CreateFormFile("file", "members.csv")
	if err != nil {
		return r, err
	}
	if _, err := part.Write(file); err != nil {
		return r, err
	}
	if err := w.Close(); err != nil {
		return r, err
	}
	body := &told{from: &form, total: form.Len(), out: progress, every: time.Second}
	response, err := c.send(ctx, http.MethodPost, "/v1/audiences/"+url.PathEscape(audience)+"/import", query, http.Header{"Content-Type": {w.FormDataContentType()}}, body)
	if err != nil {
		return r, err
	}
	defer response.Body.Close()
	return r, decode(response, &r)
}

// told is a body that tells how much of it was sent, once a second and at the end.
type told struct {
	from  io.Reader
	out   io.Writer
	total int
	sent  int
	every time.Duration
	last  time.Time
}

// Read implements io.Reader.
func (t *told) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	t.sent += n
	if t.last.IsZero() {
		t.last = time.Now()
	}
	switch {
	case n == 0:
	case t.sent == t.total:
		fmt.Fprintf(t.out, "sent %s; the rows are being written\n", size(t.sent))
	case time.Since(t.last) >= t.every:
		t.last = time.Now()
		fmt.Fprintf(t.out, "sent %s of %s\n", size(t.sent), size(t.total))
	}
	return n, err
}

// size is a number of bytes as people say it.
func size(n int) string {
	switch {
	case n < 1e3:
		return plural(n, "byte")
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// tell prints the report and writes the skipped rows to a file, if one was asked for.
func (m *memberCommand) tell(c *cobra.Command, audience, path string, r api.ImportReport) error {
	if path != "" {
		if err := writeSkips(path, r.Skips); err != nil {
			return err
		}
	}
	if m.asJSON {
		if err := printJSON(c.OutOrStdout(), r); err != nil {
			return err
		}
	} else if err := printReport(c.OutOrStdout(), audience, r); err != nil {
		return err
	}
	if r.Skipped > 0 {
		return errReported
	}
	return nil
}

// shownSkips bounds the skipped rows that people are shown.
const shownSkips = 20

func printReport(out io.Writer, audience string, r api.ImportReport) error {
	var taken []string
	for _, column := range r.Mapping {
		if column.Field != "" {
			taken = append(taken, column.Column+" as "+column.Field)
		}
	}
	fmt.Fprintf(out, "columns: %s\n", strings.Join(taken, ", "))
	if r.DryRun {
		fmt.Fprintf(out, "%s: %d can be sent, %d would be skipped; nothing was changed\n", plural(r.Rows, "row"), r.Rows-r.Skipped, r.Skipped)
	} else {
		fmt.Fprintf(out, "%s into %s: %d added, %d unchanged, %d skipped\n", plural(r.Rows, "row"), audience, r.Added, r.Unchanged, r.Skipped)
	}
	if len(r.Skips) == 0 {
		return nil
	}
	rows := [][]string{{"LINE", "ID", "REASON"}}
	for _, s := range r.Skips[:min(len(r.Skips), shownSkips)] {
		rows = append(rows, []string{strconv.Itoa(s.Line), first(s.ID, "-"), s.Reason})
	}
	if err := table(out, rows); err != nil {
		return err
	}
	if more := r.Skipped - shownSkips; more > 0 {
		fmt.Fprintf(out, "and %d more; --report FILE.csv or --json names them\n", more)
	}
	return nil
}

// writeSkips writes the skipped rows as CSV.
func writeSkips(path string, skips []api.ImportSkip) error {
	report := api.ImportReport{Skips: skips}
	if err := os.WriteFile(path, report.CSV(), 0o644); err != nil {
		return fmt.Errorf("--report: %w", err)
	}
	return nil
}
