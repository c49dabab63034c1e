package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/connectors/api"
	"muster/evaluator"
	"muster/pipeline/app"
)

// across carries commits from one deployment to another.
func (p *promotion) across(c *cobra.Command, keys []string) error {
	if p.config != "" || p.url != "" || p.profile != "" {
		return usagef("--from URL --to URL name both deployments; leave out --config, --url and --profile")
	}
	if !strings.Contains(p.from, "://") || !strings.Contains(p.to, "://") {
		return usagef("give both deployments, --from http://host:port --to http://host:port")
	}
	source := service{url: p.from, key: p.key, environment: p.environment}
	from, err := source.open(c)
	if err != nil {
		return err
	}
	target := service{url: p.to, key: first(p.toKey, os.Getenv("MUSTER_TO_API_KEY"), from.key)}
	to, err := target.open(c)
	if err != nil {
		return err
	}
	ctx := c.Context()
	if err := p.chooseTarget(ctx, from, to); err != nil {
		return err
	}
	carriage := carriage{from: from, to: to, force: p.force}
	if err := carriage.load(ctx, keys); err != nil {
		return err
	}
	for _, key := range carriage.order() {
		if err := carriage.carry(ctx, key); err != nil {
			return fmt.Errorf("promote %s: %w", key, err)
		}
	}
	return carriage.print(c, p.asJSON)
}

// chooseTarget settles on the environments.
func (p *promotion) chooseTarget(ctx context.Context, from, to *client) error {
	if _, err := from.in(ctx); err != nil {
		return err
	}
	slugs, err := to.environments(ctx)
	if err != nil {
		return err
	}
	to.environment = p.toEnvironment
	if to.environment == "" && slices.Contains(slugs, from.environment) {
		to.environment = from.environment
	}
	_, err = to.in(ctx) // the first, when it has none of that name
	return err
}

// carriage is commits on their way between deployments.
type carriage struct {
	from, to *client
	force    bool
	versions map[string]api.VersionOf
	keys     []string
	done     []api.Commit
	same     []string
}

// load reads the latest version of each of the keys, or of all audiences.
func (g *carriage) load(ctx context.Context, keys []string) error {
	audiences, err := g.from.chosen(ctx, keys, false)
	if err != nil {
		return err
	}
	g.versions = make(map[string]api.VersionOf, len(audiences))
	for i := range audiences {
		a := &audiences[i]
		if a.Readonly == nil || a.Readonly.Version == 0 {
			return fmt.Errorf("audience %q is not committed in %s of %s", a.Key, g.from.environment, g.from.origin)
		}
		was, err := g.from.version(ctx, a.Key, a.Readonly.Version)
		if err != nil {
			return err
		}
		g.versions[a.Key] = was
		g.keys = append(g.keys, a.Key)
	}
	return nil
}

// order puts every audience behind those it refers to.
func (g *carriage) order() []string {
	files := make([]app.DefinitionFile, len(g.keys))
	definitions := make([]*evaluator.Definition, len(g.keys))
	for i, key := range g.keys {
		files[i] = app.DefinitionFile{Key: key}
		definitions[i] = new(evaluator.Definition)
		if text, err := definitionOf(g.versions[key].Audience); err == nil {
			if d, err := evaluator.Decode(text, key); err == nil {
				definitions[i] = d
			}
		}
	}
	var keys []string
	for _, f := range ordered(files, definitions) {
		keys = append(keys, f.Key)
	}
	return keys
}

// carry commits one version in the target: content, author and message as they are.
func (g *carriage) carry(ctx context.Context, key string) error {
	was := g.versions[key]
	there, err := g.to.audience(ctx, key, false)
	switch {
	case isStatus(err, http.StatusNotFound):
	case err != nil:
		return err
	case there.SHA == was.Audience.SHA:
		g.same = append(g.same, key)
		return nil
	case !g.force:
		if err := g.known(ctx, there); err != nil {
			return err
		}
	}
	document, err := definitionOf(was.Audience)
	if err != nil {
		return err
	}
	author := *g.to
	author.author = first((&mail.Address{Name: was.Commit.Author.Name, Address: was.Commit.Author.Email}).String())
	if was.Commit.Author.Email == "" {
		author.author = was.Commit.Author.Name
	}
	var answer api.OneAudience
	more := map[string]string{"commit": "true", "commit_message": was.Commit.Message, "force": "true"} // known has looked
	if err := author.putDefinition(ctx, app.DefinitionFile{Key: key, Document: document}, "", more, &answer); err != nil {
		return err
	}
	if answer.Audience.SHA != was.Audience.SHA {
		return fmt.Errorf("%s made %s of %s: the two are of different versions of Muster", g.to.origin, answer.Audience.SHA, was.Audience.SHA)
	}
	commits, err := g.to.log(ctx, []string{key}, 1)
	g.done = append(g.done, commits...)
	return err
}

// known refuses to overwrite what the source never had.
func (g *carriage) known(ctx context.Context, there api.Audience) error {
	const farBack = 10_000
	commits, err := g.from.log(ctx, []string{there.Key}, farBack)
	if err != nil {
		return err
	}
	for _, c := range commits {
		if c.SHA == there.SHA {
			return nil
		}
	}
	return errors.New("the target has a version that the source never had; bring it over, or use --force")
}

func (g *carriage) print(c *cobra.Command, asJSON bool) error {
	if asJSON {
		return printJSON(c.OutOrStdout(), append([]api.Commit{}, g.done...))
	}
	for _, commit := range g.done {
		fmt.Fprintf(c.OutOrStdout(), "%s is in %s of %s, version %d\n", commit.Resource.Identifier, commit.Environment, g.to.origin, commit.Version)
	}
	_, err := fmt.Fprintf(c.ErrOrStderr(), "%s carried, %d there already\n", plural(len(g.done), "commit"), len(g.same))
	return err
}
