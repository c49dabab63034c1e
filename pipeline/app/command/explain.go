package command

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"muster/connectors/api"
)

func newExplain() *cobra.Command {
	a := audienceCommand{service: service{remote: true}}
	c := &cobra.Command{
		Use:   "explain AUDIENCE USER",
		Short: "Say why a user is in an audience, or not",
		Long: `Say why a user is in an audience, or not, by live state: since when, by which version and cause, every condition with the
property's value, the argument as resolved and its truth, and the next instant at which time alone changes the verdict;
for conditions on other audiences, in turn. Properties in http.mask are judged and not shown.

` + serviceDocs,
		Example: "  muster explain trial-ending u_42\n  muster explain trial-ending u_42 --json | jq .segments",
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			return a.run(c, func(ctx context.Context, client *client) error {
				var e api.Explanation
				query := url.Values{}
				if client.environment != "" {
					query.Set("environment", client.environment)
				}
				path := "/v1/audiences/" + url.PathEscape(args[0]) + "/explain/" + url.PathEscape(args[1])
				if err := client.do(ctx, http.MethodGet, path, query, nil, &e); err != nil {
					return err
				}
				if a.asJSON {
					return printJSON(c.OutOrStdout(), e)
				}
				_, err := fmt.Fprint(c.OutOrStdout(), e.Text())
				return err
			})
		},
	}
	a.flags(c)
	c.ValidArgsFunction = func(c *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.completeAudiences(c, args, prefix)
	}
	return c
}
