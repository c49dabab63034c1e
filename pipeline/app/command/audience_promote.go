package command

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/connectors/api"
)

func newAudiencePromote() *cobra.Command {
	var p promotion
	c := &cobra.Command{
		Use:   "promote [COMMIT | KEY...]",
		Short: "Carry commits to the next environment, or to another deployment",
		Long: `Carry commits to the next environment as they are: same content (sha), author and message. A commit is named by its
id, or by an audience, whose latest it then is; --all carries the latest of every audience in one transaction.

With --from URL --to URL they are carried from one deployment of Muster to another. The key of the first is --key or
MUSTER_API_KEY, that of the second --to-key or MUSTER_TO_API_KEY, and else the same.

What the target has and the source never had is not overwritten unless --force. Archives are not carried; archive ends an
audience in all environments of a deployment.`,
		Example: `  muster audience promote trial-ending
  muster audience promote --all --to production
  muster audience promote --all --from https://staging.example.org --to https://muster.example.org`,
		RunE: func(c *cobra.Command, args []string) error {
			if p.all == (len(args) > 0) {
				return usagef("name commits or audiences, or give --all")
			}
			if strings.Contains(p.to, "://") || p.from != "" {
				return p.across(c, args)
			}
			return p.run(c, func(ctx context.Context, client *client) error {
				if p.all {
					return p.everything(ctx, c, client)
				}
				return p.some(ctx, c, client, args)
			})
		},
	}
	p.flags(c)
	f := c.Flags()
	f.BoolVar(&p.all, "all", false, "every audience")
	f.BoolVar(&p.force, "force", false, "overwrite what was made in the target")
	f.StringVar(&p.to, "to", "", "environment to carry to (default: the one after --environment), or origin of another deployment")
	f.StringVar(&p.from, "from", "", "origin of the deployment to carry from")
	f.StringVar(&p.toKey, "to-key", "", "key of the deployment to carry to (better: MUSTER_TO_API_KEY)")
	f.StringVar(&p.toEnvironment, "to-environment", "", "environment of the deployment to carry to (default: the one of the same name, or its first)")
	_ = c.RegisterFlagCompletionFunc("to", p.completeEnvironments)
	return c
}

// promotion is what promote was told.
type promotion struct {
	audienceCommand
	to, from, toKey, toEnvironment string
	force                          bool
}

// everything carries the latest commit of every audience.
func (p *promotion) everything(ctx context.Context, c *cobra.Command, client *client) error {
	to := p.to
	if to == "" {
		var err error
		if to, err = client.next(ctx); err != nil {
			return err
		}
	}
	query := url.Values{"to_environment": {to}}
	if p.force {
		query.Set("force", "true")
	}
	var result api.Result
	if err := client.do(ctx, http.MethodPut, "/v1/commits/promote", query, nil, &result); err != nil {
		return err
	}
	return printResult(c, result, p.asJSON, "promoted to "+to+":", to+" has everything already")
}

// next is the environment after the client's.
func (c *client) next(ctx context.Context) (string, error) {
	if _, err := c.in(ctx); err != nil {
		return "", err
	}
	slugs, err := c.environments(ctx)
	if err != nil {
		return "", err
	}
	i := slices.Index(slugs, c.environment)
	if i < 0 || i+1 == len(slugs) {
		return "", fmt.Errorf("there is no environment after %s; there are %s", c.environment, strings.Join(slugs, ", "))
	}
	return slugs[i+1], nil
}

func (c *client) environments(ctx context.Context) ([]string, error) {
	var slugs []string
	err := all(ctx, c, "/v1/environments", url.Values{}, func(e *api.Environment) bool {
		slugs = append(slugs, e.Slug)
		return true
	})
	return slugs, err
}

// some carries the commits that are named, in the order given.
func (p *promotion) some(ctx context.Context, c *cobra.Command, client *client, names []string) error {
	if p.to != "" {
		next, err := client.next(ctx)
		if err != nil {
			return err
		}
		if p.to != next {
			return usagef("%s follows %s, not %s; promote step by step", next, client.environment, p.to)
		}
	}
	carried := []api.Commit{}
	for _, name := range names {
		id, err := client.commitNamed(ctx, name)
		if err != nil {
			return err
		}
		query := url.Values{}
		if p.force {
			query.Set("force", "true")
		}
		var answer api.OneCommit
		if err := client.do(ctx, http.MethodPut, "/v1/commits/"+id+"/promote", query, nil, &answer); err != nil {
			return fmt.Errorf("promote %s: %w", name, err)
		}
		carried = append(carried, answer.Commit)
	}
	if p.asJSON {
		return printJSON(c.OutOrStdout(), carried)
	}
	for _, commit := range carried {
		fmt.Fprintf(c.OutOrStdout(), "%s is in %s, version %d\n", commit.Resource.Identifier, commit.Environment, commit.Version)
	}
	return nil
}

// commitNamed is the id of a commit that is named by it, or by an audience. A key may look like an id; then it is one only
// if there is such an audience.
func (c *client) commitNamed(ctx context.Context, name string) (string, error) {
	commits, err := c.log(ctx, []string{name}, 1)
	if err == nil {
		return commits[0].ID, nil
	}
	if _, isID := strconv.ParseUint(name, 10, 63); isID == nil {
		return name, nil
	}
	return "", err
}
