package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/connectors/api"
)

func newAudienceLog() *cobra.Command {
	var a audienceCommand
	var limit int
	c := &cobra.Command{
		Use:     "log [KEY]",
		Short:   "List commits, newest first",
		Example: "  muster audience log trial-ending\n  muster audience log --environment production --limit 10",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if limit < 1 {
				return usagef("--limit is at least 1")
			}
			return a.run(c, func(ctx context.Context, client *client) error {
				commits, err := client.log(ctx, args, limit)
				if err != nil {
					return err
				}
				if a.asJSON {
					return printJSON(c.OutOrStdout(), commits)
				}
				rows := [][]string{{"COMMIT", "AUDIENCE", "VERSION", "WHEN", "AUTHOR", "SHA", "MESSAGE"}}
				for _, commit := range commits {
					rows = append(rows, logLine(commit))
				}
				return table(c.OutOrStdout(), rows)
			})
		},
	}
	a.flags(c)
	c.Flags().IntVarP(&limit, "limit", "n", 50, "commits at most")
	return c
}

func logLine(c api.Commit) []string {
	message, _, _ := strings.Cut(c.Message, "\n")
	switch {
	case c.Archived:
		message = strings.TrimSpace("(archived) " + message)
	case c.PromotedFrom != "":
		message = strings.TrimSpace("(from " + c.PromotedFrom + ") " + message)
	}
	return []string{c.ID, c.Resource.Identifier, strconv.FormatUint(uint64(c.Version), 10), ago(c.CreatedAt),
		first(c.Author.Name, c.Author.Email, "-"), fmt.Sprintf("%.12s", c.SHA), message}
}

// log reads the commits of an audience, or of all when no key is given, newest first.
func (c *client) log(ctx context.Context, key []string, limit int) ([]api.Commit, error) {
	query, err := c.in(ctx)
	if err != nil {
		return nil, err
	}
	if len(key) == 1 {
		query.Set("resource_type", "audience")
		query.Set("resource_id", key[0])
	}
	commits := []api.Commit{}
	err = all(ctx, c, "/v1/commits", query, func(commit *api.Commit) bool {
		commits = append(commits, *commit)
		return len(commits) < limit
	})
	if err == nil && len(key) == 1 && len(commits) == 0 {
		err = fmt.Errorf("there is no commit of audience %q in %s", key[0], c.environment)
	}
	return commits, err
}

func newAudienceRevert() *cobra.Command {
	var a audienceCommand
	var version uint32
	var message string
	c := &cobra.Command{
		Use:   "revert KEY",
		Short: "Commit an earlier version again",
		Long: `Commit an earlier version again, as a new one: the version before the latest, or the one that is named. An audience
that was archived comes back.`,
		Example: "  muster audience revert trial-ending\n  muster audience revert trial-ending --version 2 -m \"2 was right\"",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.run(c, func(ctx context.Context, client *client) error {
				to, err := client.earlier(ctx, args[0], version)
				if err != nil {
					return err
				}
				query, err := client.in(ctx)
				if err != nil {
					return err
				}
				query.Set("version", strconv.FormatUint(uint64(to), 10))
				query.Set("commit_message", first(message, fmt.Sprintf("revert to version %d", to)))
				var answer api.OneAudience
				if err := client.do(ctx, http.MethodPut, "/v1/audiences/"+args[0]+"/revert", query, nil, &answer); err != nil {
					return err
				}
				if a.asJSON {
					return printJSON(c.OutOrStdout(), answer)
				}
				_, err = fmt.Fprintf(c.OutOrStdout(), "%s is as in version %d again, as version %s\n", args[0], to, versionOf(answer.Audience.Readonly))
				return err
			})
		},
	}
	a.flags(c)
	a.authorFlag(c)
	c.Flags().Uint32Var(&version, "version", 0, "the version to commit again (default: the last that differs from the latest)")
	c.Flags().StringVarP(&message, "message", "m", "", "why, for the log")
	return c
}

// earlier is the version to go back to: the one given, or the last that differs from the latest.
func (c *client) earlier(ctx context.Context, key string, given uint32) (uint32, error) {
	if given != 0 {
		return given, nil
	}
	const farBack = 1_000
	commits, err := c.log(ctx, []string{key}, farBack)
	if err != nil {
		return 0, err
	}
	for _, commit := range commits[1:] {
		if !commit.Archived && (commit.SHA != commits[0].SHA || commits[0].Archived) {
			return commit.Version, nil
		}
	}
	return 0, errors.New("there is no earlier version that differs; name one with --version")
}

func newAudienceArchive() *cobra.Command {
	var a audienceCommand
	var message string
	c := &cobra.Command{
		Use:   "archive KEY...",
		Short: "End audiences, in every environment",
		Long: `End audiences, in every environment at once: all members exit (cause definition), drafts are thrown away. Their history
stays, and revert brings them back. Refused while another audience refers to one.`,
		Example: "  muster audience archive trial-ending -m \"trials are over\"",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, keys []string) error {
			return a.run(c, func(ctx context.Context, client *client) error {
				query, err := client.in(ctx)
				if err != nil {
					return err
				}
				query.Set("commit_message", message)
				for i, key := range keys {
					if err := client.do(ctx, http.MethodDelete, "/v1/audiences/"+key, query, nil, nil); err != nil {
						if i > 0 {
							err = fmt.Errorf("%w (%s archived before)", err, strings.Join(keys[:i], ", "))
						}
						return err
					}
				}
				if a.asJSON {
					return printJSON(c.OutOrStdout(), map[string]any{"result": "success", "archived": keys})
				}
				_, err = fmt.Fprintf(c.OutOrStdout(), "archived %s\n", strings.Join(keys, ", "))
				return err
			})
		},
	}
	a.flags(c)
	a.authorFlag(c)
	c.Flags().StringVarP(&message, "message", "m", "", "why, for the log")
	return c
}
