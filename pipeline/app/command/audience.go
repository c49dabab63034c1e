package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"muster/connectors/api"
	"muster/evaluator"
	"muster/pipeline/app"
)

// audienceCommand is what the commands on audiences share.
type audienceCommand struct {
	service
	dir    string
	all    bool
	asJSON bool
}

func newAudience() *cobra.Command {
	c := &cobra.Command{
		Use:     "audience",
		Aliases: []string{"audiences"},
		Short:   "Definitions of audiences: as files, drafts, commits, and in each environment",
		Long: `Definitions of audiences, as files in audiences/<key>/audience.json (or .yaml) and in the service.

A change begins as a draft (push), takes effect when it is committed (commit), and is carried to the next environment
as it is (promote). Every version stays (log, diff) and can be committed again (revert).

` + serviceDocs + `
With -c muster.yaml the commands go straight to the worker's database.`,
		Example: `  muster audience new trial-ending
  muster audience validate --all
  muster audience push trial-ending --commit -m "users in their last week"
  muster audience promote --all --to production`,
	}
	c.AddCommand(newAudienceList(), newAudienceGet(), newAudienceNew(), newAudienceValidate(), newAudienceDiff(), newAudiencePush(),
		newAudiencePull(), newAudienceCommit(), newAudienceLog(), newAudienceRevert(), newAudiencePromote(), newAudienceArchive())
	return c
}

// flags adds what all of them have.
func (a *audienceCommand) flags(c *cobra.Command) {
	a.service.flags(c)
	c.Flags().BoolVar(&a.asJSON, "json", false, "print JSON")
	c.ValidArgsFunction = a.completeAudiences
}

// filesFlags adds what commands on files have.
func (a *audienceCommand) filesFlags(c *cobra.Command) {
	a.dirFlag(c)
	c.Flags().BoolVar(&a.all, "all", false, "every audience")
	c.ValidArgsFunction = a.completeFolders
}

func (a *audienceCommand) dirFlag(c *cobra.Command) {
	c.Flags().StringVar(&a.dir, "dir", "audiences", "folder of the definitions: <key>/audience.json or .yaml")
	_ = c.MarkFlagDirname("dir")
}

func (a *audienceCommand) completeFolders(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	entries, err := os.ReadDir(a.dir)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var keys []string
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(args, e.Name()) {
			keys = append(keys, e.Name())
		}
	}
	return keys, cobra.ShellCompDirectiveNoFileComp
}

// run opens the service for the work and closes it after.
func (a *audienceCommand) run(c *cobra.Command, work func(context.Context, *client) error) error {
	client, err := a.open(c)
	if err != nil {
		return err
	}
	return errors.Join(work(c.Context(), client), client.close())
}

// chosen checks that keys or --all were given, and not both.
func (a *audienceCommand) chosen(keys []string) error {
	switch {
	case a.all && len(keys) > 0:
		return usagef("--all means every audience; leave out the keys")
	case !a.all && len(keys) == 0:
		return usagef("name audiences, or give --all")
	}
	for _, key := range keys {
		if !evaluator.IsKey(key) {
			return usagef("%q is no key of an audience", key)
		}
	}
	return nil
}

// files reads the definitions of the given keys, or all.
func (a *audienceCommand) files(keys []string) ([]app.DefinitionFile, error) {
	if err := a.chosen(keys); err != nil {
		return nil, err
	}
	if a.all {
		return app.ReadDirectory(a.dir)
	}
	var files []app.DefinitionFile
	var faults []error
	for _, key := range keys {
		f, err := app.ReadDefinition(filepath.Join(a.dir, key), key)
		if err != nil {
			faults = append(faults, err)
		}
		files = append(files, f)
	}
	return files, errors.Join(faults...)
}

// definitions reads every definition of the environment from the service, drafts in front.
func (c *client) definitions(ctx context.Context) ([]*evaluator.Definition, error) {
	query, err := c.in(ctx)
	if err != nil {
		return nil, err
	}
	var definitions []*evaluator.Definition
	err = all(ctx, c, "/v1/audiences", query, func(a *json.RawMessage) bool {
		if d, err := evaluator.Decode(*a, ""); err == nil {
			definitions = append(definitions, d)
		}
		return true
	})
	return definitions, err
}

// audience reads one audience; drafts says whether a draft goes before the latest version.
func (c *client) audience(ctx context.Context, key string, drafts bool) (api.Audience, error) {
	query, err := c.in(ctx)
	if err != nil {
		return api.Audience{}, err
	}
	if !drafts {
		query.Set("hide_uncommitted_changes", "true")
	}
	var a api.Audience
	err = c.do(ctx, http.MethodGet, "/v1/audiences/"+key, query, nil, &a)
	return a, err
}

// printJSON prints a value as JSON, indented.
func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table prints rows in columns.
func table(out io.Writer, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// plural is a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
