package command

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"muster/connectors/api"
	"muster/evaluator"
	"muster/pipeline/app"
)

func newAudiencePush() *cobra.Command {
	var a audienceCommand
	var commit, force bool
	var message string
	c := &cobra.Command{
		Use:   "push [KEY...]",
		Short: "Make drafts of definition files, and commit them with --commit",
		Long: `Make drafts of definition files. Nothing changes for anybody until they are committed: with --commit at once, all of
them in one transaction, or later by muster audience commit. Files are checked first, all of them, and nothing is
pushed when one has a fault.

A file that was pulled carries the sha of what it was made from. When somebody else has changed the audience since,
the push is refused (conflict) unless --force.`,
		Example: "  muster audience push trial-ending\n  muster audience push --all --commit -m \"prices of 2026\"",
		RunE: func(c *cobra.Command, keys []string) error {
			files, err := a.files(keys)
			if err != nil {
				return err
			}
			return a.run(c, func(ctx context.Context, client *client) error {
				beside, err := client.definitions(ctx)
				if err != nil {
					return err
				}
				definitions, err := app.DecodeFiles(files, beside)
				if err != nil {
					return a.reportFaults(c, files, nil, err)
				}
				p := push{client: client, force: force}
				if err := p.save(ctx, ordered(files, definitions)); err != nil {
					return err
				}
				if commit {
					if err := p.commit(ctx, message); err != nil {
						return err
					}
				}
				return p.print(c, a.asJSON)
			})
		},
	}
	a.flags(c)
	a.filesFlags(c)
	a.authorFlag(c)
	c.Flags().BoolVar(&commit, "commit", false, "commit what was pushed")
	c.Flags().StringVarP(&message, "message", "m", "", "why, for the log (with --commit)")
	c.Flags().BoolVar(&force, "force", false, "overwrite what somebody else did meanwhile")
	return c
}

// ordered puts every file behind those it refers to, since a draft may refer only to what is there. References make no
// circle: the files have been checked.
func ordered(files []app.DefinitionFile, definitions []*evaluator.Definition) []app.DefinitionFile {
	place := make(map[string]int, len(files))
	for i, f := range files {
		place[f.Key] = i
	}
	var list []app.DefinitionFile
	placed := make([]bool, len(files))
	var visit func(i int)
	visit = func(i int) {
		if placed[i] {
			return
		}
		placed[i] = true
		for _, ref := range definitions[i].References() {
			if to, ok := place[ref.Audience]; ok {
				visit(to)
			}
		}
		list = append(list, files[i])
	}
	for i := range files {
		visit(i)
	}
	return list
}

// push is drafts on their way, and what became of them.
type push struct {
	client *client
	force  bool
	done   []pushed
}

type pushed struct {
	Audience string           `json:"audience"`
	File     string           `json:"file,omitempty"`
	Status   string           `json:"status"` // unchanged, draft or committed
	Version  uint32           `json:"version"`
	SHA      string           `json:"sha"`
	Warnings []api.FieldError `json:"warnings,omitempty"`
}

// save makes the drafts.
func (p *push) save(ctx context.Context, files []app.DefinitionFile) error {
	more := map[string]string{}
	if p.force {
		more["force"] = "true"
	}
	for _, f := range files {
		var answer api.OneAudience
		if err := p.client.putDefinition(ctx, f, "", more, &answer); err != nil {
			return p.stopped(f.Path, err)
		}
		one := pushed{Audience: f.Key, File: f.Path, Status: "unchanged", SHA: answer.Audience.SHA, Warnings: answer.Warnings}
		if r := answer.Audience.Readonly; r != nil {
			one.Version = r.Version
			if r.Draft {
				one.Status = "draft"
			}
		}
		if err := noteSHA(f.Path, one.SHA); err != nil {
			return p.stopped(f.Path, err)
		}
		p.done = append(p.done, one)
	}
	return nil
}

// stopped says what was done before something went wrong.
func (p *push) stopped(path string, err error) error {
	if isStatus(err, http.StatusConflict) {
		err = fmt.Errorf("%w (or --force)", err)
	}
	err = fmt.Errorf("%s: %w", path, err)
	if len(p.done) > 0 {
		return fmt.Errorf("%w\n%s before it became drafts; nothing is committed", err, plural(len(p.done), "definition"))
	}
	return err
}

// commit commits what was pushed, all or nothing.
func (p *push) commit(ctx context.Context, message string) error {
	var keys []string
	for _, one := range p.done {
		if one.Status == "draft" {
			keys = append(keys, one.Audience)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	result, err := p.client.commit(ctx, keys, message, p.force)
	if err != nil {
		return err
	}
	for _, made := range result.Committed {
		for i := range p.done {
			if p.done[i].Audience == made.Audience {
				p.done[i].Status, p.done[i].Version = "committed", made.Version
			}
		}
	}
	return nil
}

// commit commits the drafts of the given keys, or all when there are none.
func (c *client) commit(ctx context.Context, keys []string, message string, force bool) (api.Result, error) {
	query, err := c.in(ctx)
	if err != nil {
		return api.Result{}, err
	}
	query["resource_id"] = keys
	query.Set("commit_message", message)
	if force {
		query.Set("force", "true")
	}
	var result api.Result
	err = c.do(ctx, http.MethodPut, "/v1/commits", query, nil, &result)
	return result, err
}

func (p *push) print(c *cobra.Command, asJSON bool) error {
	if asJSON {
		return printJSON(c.OutOrStdout(), p.done)
	}
	for _, one := range p.done {
		for _, w := range one.Warnings {
			fmt.Fprintf(c.ErrOrStderr(), "warning: %s: %s: %s\n", one.File, w.Field, w.Message)
		}
	}
	rows := [][]string{{"KEY", "RESULT", "VERSION", "SHA"}}
	for _, one := range p.done {
		version := "-" // a draft has none yet
		if one.Version > 0 {
			version = fmt.Sprint(one.Version)
		}
		rows = append(rows, []string{one.Audience, one.Status, version, fmt.Sprintf("%.12s", one.SHA)})
	}
	return table(c.OutOrStdout(), rows)
}

func newAudienceCommit() *cobra.Command {
	var a audienceCommand
	var force bool
	var message string
	c := &cobra.Command{
		Use:   "commit [KEY...]",
		Short: "Commit drafts: from here on they decide who is in",
		Long: `Commit drafts, all given ones in one transaction. From that position of the log on the new versions decide, for every
user; nobody is triggered by it unless a definition says so. The version before serves until then.

A draft that was made from an older version than the latest is refused (conflict) unless --force.`,
		Example: "  muster audience commit trial-ending -m \"users in their last week\"\n  muster audience commit --all -m \"prices of 2026\"",
		RunE: func(c *cobra.Command, keys []string) error {
			if err := a.chosen(keys); err != nil {
				return err
			}
			return a.run(c, func(ctx context.Context, client *client) error {
				result, err := client.commit(ctx, keys, message, force)
				if err != nil {
					return err
				}
				return printResult(c, result, a.asJSON, "committed", "there is no draft to commit")
			})
		},
	}
	a.flags(c)
	c.Flags().BoolVar(&a.all, "all", false, "every draft")
	a.authorFlag(c)
	c.Flags().StringVarP(&message, "message", "m", "", "why, for the log")
	c.Flags().BoolVar(&force, "force", false, "commit also drafts that were made from an older version")
	return c
}

func printResult(c *cobra.Command, result api.Result, asJSON bool, did, nothing string) error {
	if asJSON {
		return printJSON(c.OutOrStdout(), result)
	}
	if len(result.Committed) == 0 {
		_, err := fmt.Fprintln(c.OutOrStdout(), nothing)
		return err
	}
	var failed []error
	for _, made := range result.Committed {
		_, err := fmt.Fprintf(c.OutOrStdout(), "%s %s, version %d\n", did, made.Audience, made.Version)
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}
