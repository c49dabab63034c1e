package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/spf13/cobra"
)

func newMemberExport() *cobra.Command {
	m := newMemberCommand()
	var format, path string
	c := &cobra.Command{
		Use:   "export AUDIENCE",
		Short: "Export the members of an audience with their users",
		Long: `Export the members of an audience, static or dynamic, with their users, all as of one position of the log: as CSV, in which
a value that a spreadsheet would take for a formula has an apostrophe in front, or as one JSON object a line.`,
		Example: "  muster member export beta > beta.csv\n  muster member export beta --format ndjson --output beta.ndjson",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if m.asJSON {
				format = "ndjson"
			}
			if format != "csv" && format != "ndjson" {
				return usagef("--format %q is neither csv nor ndjson", format)
			}
			return m.run(c, func(ctx context.Context, client *client) error {
				response, err := client.send(ctx, http.MethodGet, "/v1/audiences/"+url.PathEscape(args[0])+"/export", url.Values{"format": {format}}, nil, nil)
				if err != nil {
					return err
				}
				defer response.Body.Close()
				if path == "" {
					return copied(c.OutOrStdout(), response.Body)
				}
				file, err := os.Create(path)
				if err != nil {
					return fmt.Errorf("--output: %w", err)
				}
				return errors.Join(copied(file, response.Body), file.Close())
			})
		},
	}
	m.flags(c)
	c.Flags().StringVar(&format, "format", "csv", "csv or ndjson")
	c.Flags().StringVarP(&path, "output", "o", "", "write to this file")
	_ = c.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"csv", "ndjson"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

// copied copies an answer that may break off.
func copied(to io.Writer, from io.Reader) error {
	if _, err := io.Copy(to, from); err != nil {
		return fmt.Errorf("the export broke off, what was written is not all: %w", err)
	}
	return nil
}
