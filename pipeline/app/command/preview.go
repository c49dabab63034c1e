package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/connectors/api"
	"muster/pipeline/app"
)

func newPreview() *cobra.Command {
	a := audienceCommand{service: service{remote: true}}
	var file string
	var size int
	c := &cobra.Command{
		Use:   "preview -f audience.json",
		Short: "Say who would be in an audience, enter and leave, and change nothing",
		Long: `Judge every user by a definition in a file, from live state at one position of the log: how many would be in, the first of
them with their properties, and who would enter and leave against the version in force. Conditions on other audiences read
their present members. Properties in http.mask are judged and not shown.

` + serviceDocs,
		Example: "  muster preview -f audiences/trial-ending/audience.json\n  muster preview -f draft.yaml --limit 100 --json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if file == "" {
				return usagef("name the definition with --file")
			}
			if size < 1 || size > 100 {
				return usagef("--limit is 1 to 100")
			}
			definition, err := app.ReadDefinitionFile(file, "")
			if err != nil {
				return err
			}
			return a.run(c, func(ctx context.Context, client *client) error {
				found, err := client.preview(ctx, keyed(&definition), size, previewProgress(c.ErrOrStderr()))
				if err != nil {
					return err
				}
				if a.asJSON {
					return printJSON(c.OutOrStdout(), found)
				}
				return printPreview(c.OutOrStdout(), found)
			})
		},
	}
	a.flags(c)
	c.ValidArgsFunction = cobra.NoFileCompletions
	c.Flags().StringVarP(&file, "file", "f", "", "the definition, JSON or YAML")
	_ = c.MarkFlagFilename("file", "json", "yaml", "yml")
	c.Flags().IntVarP(&size, "limit", "n", 10, "users shown of each kind")
	return c
}

// keyed is the definition with its key in it, by which the service finds the version in force. It comes first, so that the
// service sees everything else as it was written.
func keyed(f *app.DefinitionFile) []byte {
	var own map[string]json.RawMessage
	if f.Key == "" || json.Unmarshal(f.Document, &own) != nil || own["key"] != nil || len(own) == 0 {
		return f.Document
	}
	_, rest, _ := bytes.Cut(f.Document, []byte("{"))
	return fmt.Appendf(nil, `{"key":%q,%s`, f.Key, rest)
}

// preview asks for a preview and follows it.
func (c *client) preview(ctx context.Context, document []byte, size int, progress func(*api.PreviewProgress)) (*api.Preview, error) {
	query := url.Values{"page_size": {strconv.Itoa(size)}}
	if c.environment != "" {
		query.Set("environment", c.environment)
	}
	body, err := json.Marshal(map[string]json.RawMessage{"audience": document})
	if err != nil {
		return nil, fmt.Errorf("the definition is no JSON: %w", err)
	}
	header := http.Header{"Content-Type": {"application/json"}}
	response, err := c.send(ctx, http.MethodPost, "/v1/audiences/preview/stream", query, header, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	for lines := json.NewDecoder(response.Body); ; {
		var line api.PreviewLine
		switch err := lines.Decode(&line); {
		case err != nil:
			return nil, fmt.Errorf("the answer broke off: %w", err)
		case line.Error != nil:
			return nil, &refusal{answer: answer(*line.Error)}
		case line.Result != nil:
			return line.Result, nil
		case line.Progress != nil:
			progress(line.Progress)
		}
	}
}

// previewProgress shows the counts as they grow, on a terminal.
func previewProgress(out io.Writer) func(*api.PreviewProgress) {
	if !isTerminal(out) {
		return func(*api.PreviewProgress) {}
	}
	return func(p *api.PreviewProgress) {
		const percent = 100
		fmt.Fprintf(out, "\r\x1b[K%3.0f%%  %d users, %d would be in\r", percent*p.Fraction, p.Users, p.Count)
	}
}

func printPreview(out io.Writer, p *api.Preview) error {
	fmt.Fprintf(out, "%d would be in", value(p.Count))
	if p.Live != nil {
		fmt.Fprintf(out, "; against version %d, %d would enter and %d would leave", *p.Live, value(p.Enter), value(p.Leave))
	}
	fmt.Fprintf(out, "\nat position %s, %s, in %d ms\n", p.Position, p.At.Format("2006-01-02 15:04:05 UTC"), p.TookMS)
	for _, w := range p.Warnings {
		fmt.Fprintf(out, "warning: %s\n", strings.TrimPrefix(w.Field+": "+w.Message, ": "))
	}
	for _, note := range p.Notes {
		fmt.Fprintf(out, "note: %s\n", note)
	}
	var faults []error
	faults = append(faults, printUsers(out, "Members", p.Entries))
	if p.Live != nil {
		faults = append(faults, printUsers(out, "Would enter", p.Entering), printUsers(out, "Would leave", p.Leaving))
	}
	return errors.Join(faults...)
}

func value(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

func printUsers(out io.Writer, title string, users []api.PreviewUser) error {
	if len(users) == 0 {
		return nil
	}
	rows := [][]string{}
	for _, u := range users {
		const wide = 160
		text := []rune(string(u.Properties))
		if len(text) > wide {
			text = append(text[:wide], '.', '.', '.')
		}
		rows = append(rows, []string{"  " + u.ID, string(text)})
	}
	fmt.Fprintf(out, "\n%s\n", title)
	return table(out, rows)
}
