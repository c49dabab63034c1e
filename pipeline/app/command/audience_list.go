package command

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"muster/connectors/api"
)

func newAudienceList() *cobra.Command {
	var a audienceCommand
	var committed bool
	c := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the audiences of an environment",
		Example: "  muster audience list\n  muster audience list --environment production --json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.run(c, func(ctx context.Context, client *client) error {
				query, err := client.in(ctx)
				if err != nil {
					return err
				}
				if committed {
					query.Set("hide_uncommitted_changes", "true")
				}
				list := []api.Audience{}
				err = all(ctx, client, "/v1/audiences", query, func(a *api.Audience) bool {
					list = append(list, *a)
					return true
				})
				if err != nil {
					return err
				}
				if a.asJSON {
					return printJSON(c.OutOrStdout(), list)
				}
				rows := [][]string{{"KEY", "TYPE", "VERSION", "STATE", "UPDATED", "NAME"}}
				for i := range list {
					rows = append(rows, []string{list[i].Key, list[i].Type, versionOf(list[i].Readonly), stateOf(list[i].Readonly), ago(list[i].UpdatedAt), list[i].Name})
				}
				if err := table(c.OutOrStdout(), rows); err != nil {
					return err
				}
				_, err = fmt.Fprintf(c.ErrOrStderr(), "\n%s in %s\n", plural(len(list), "audience"), client.environment)
				return err
			})
		},
	}
	a.flags(c)
	c.ValidArgsFunction = cobra.NoFileCompletions
	c.Flags().BoolVar(&committed, "committed", false, "what is committed, also where there is a draft")
	return c
}

func versionOf(r *api.Readonly) string {
	if r == nil || r.Version == 0 {
		return "-"
	}
	return strconv.FormatUint(uint64(r.Version), 10)
}

func stateOf(r *api.Readonly) string {
	if r != nil && r.Draft {
		return "draft"
	}
	return "committed"
}

// ago is a time as people say it.
func ago(t time.Time) string {
	d := time.Since(t)
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", d/time.Hour)
	}
	return t.Local().Format(time.DateOnly)
}

func newAudienceGet() *cobra.Command {
	var a audienceCommand
	var committed, asYAML bool
	var version uint32
	c := &cobra.Command{
		Use:   "get KEY",
		Short: "Print a definition, as it would be in a file",
		Long: `Print a definition as it would be in a file: the draft if there is one, else the latest version, or an earlier one.
--json prints all that the API says of it.`,
		Example: "  muster audience get trial-ending\n  muster audience get trial-ending --version 2 --yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.run(c, func(ctx context.Context, client *client) error {
				shown, err := client.at(ctx, args[0], version, !committed)
				if err != nil {
					return err
				}
				if a.asJSON {
					return printJSON(c.OutOrStdout(), shown)
				}
				text, err := fileText(shown, asYAML)
				if err != nil {
					return err
				}
				_, err = c.OutOrStdout().Write(text)
				return err
			})
		},
	}
	a.flags(c)
	c.Flags().BoolVar(&committed, "committed", false, "the latest version, also when there is a draft")
	c.Flags().Uint32Var(&version, "version", 0, "an earlier version")
	c.Flags().BoolVar(&asYAML, "yaml", false, "print YAML")
	return c
}

// at reads an audience as it is, or as it was in a version.
func (c *client) at(ctx context.Context, key string, version uint32, drafts bool) (api.Audience, error) {
	if version == 0 {
		return c.audience(ctx, key, drafts)
	}
	was, err := c.version(ctx, key, version)
	return was.Audience, err
}

func (c *client) version(ctx context.Context, key string, version uint32) (was api.VersionOf, err error) {
	query, err := c.in(ctx)
	if err != nil {
		return was, err
	}
	err = c.do(ctx, http.MethodGet, fmt.Sprintf("/v1/audiences/%s/versions/%d", key, version), query, nil, &was)
	return was, err
}

// definitionOf is an audience as a definition: without what only the service says of it.
func definitionOf(a api.Audience) (json.RawMessage, error) {
	return json.Marshal(struct {
		Key               string          `json:"key"`
		Name              string          `json:"name"`
		Description       *string         `json:"description,omitempty"`
		Type              string          `json:"type"`
		Segments          json.RawMessage `json:"segments,omitempty"`
		Settle            json.RawMessage `json:"settle,omitempty"`
		TriggerFrequency  string          `json:"trigger_frequency,omitempty"`
		TriggerOnBackfill bool            `json:"trigger_on_backfill,omitempty"`
		Include           []string        `json:"include,omitempty"`
		SHA               string          `json:"sha,omitempty"`
	}{a.Key, a.Name, a.Description, a.Type, a.Segments, a.Settle, a.TriggerFrequency, a.TriggerOnBackfill, a.Include, a.SHA})
}
