package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"encoding/json"

	"github.com/spf13/cobra"

	"muster/connectors/api"
	"muster/evaluator"
	"muster/pipeline/app"
)

func newAudiencePull() *cobra.Command {
	var a audienceCommand
	var committed, asYAML, force bool
	c := &cobra.Command{
		Use:   "pull [KEY...]",
		Short: "Write definitions of the service into files",
		Long: `Write definitions into files: drafts where there are some, else the latest versions. A file that was changed since it
was pulled is left alone unless --force. Existing files keep their format; new ones are JSON, or YAML with --yaml.`,
		Example: "  muster audience pull --all\n  muster audience pull trial-ending --committed --yaml",
		RunE: func(c *cobra.Command, keys []string) error {
			if err := a.chosen(keys); err != nil {
				return err
			}
			return a.run(c, func(ctx context.Context, client *client) error {
				audiences, err := client.chosen(ctx, keys, !committed)
				if err != nil {
					return err
				}
				p := pull{dir: a.dir, asYAML: asYAML, force: force}
				for i := range audiences {
					if err := p.write(audiences[i]); err != nil {
						return err
					}
				}
				if len(audiences) > 0 {
					if err := writeSchema(a.dir); err != nil {
						return err
					}
				}
				return p.print(c, a.asJSON)
			})
		},
	}
	a.flags(c)
	a.dirFlag(c)
	c.Flags().BoolVar(&a.all, "all", false, "every audience")
	c.Flags().BoolVar(&committed, "committed", false, "the latest versions, also where there are drafts")
	c.Flags().BoolVar(&asYAML, "yaml", false, "write new files as YAML")
	c.Flags().BoolVar(&force, "force", false, "overwrite files that were changed")
	return c
}

// chosen reads the audiences of the given keys, or all.
func (c *client) chosen(ctx context.Context, keys []string, drafts bool) ([]api.Audience, error) {
	var audiences []api.Audience
	if len(keys) == 0 {
		query, err := c.in(ctx)
		if err != nil {
			return nil, err
		}
		if !drafts {
			query.Set("hide_uncommitted_changes", "true")
		}
		err = all(ctx, c, "/v1/audiences", query, func(a *api.Audience) bool {
			audiences = append(audiences, *a)
			return true
		})
		return audiences, err
	}
	for _, key := range keys {
		a, err := c.audience(ctx, key, drafts)
		if err != nil {
			return nil, err
		}
		audiences = append(audiences, a)
	}
	return audiences, nil
}

// pull writes files and notes what became of them.
type pull struct {
	dir           string
	asYAML, force bool
	done          []pulled
}

type pulled struct {
	Audience string `json:"audience"`
	File     string `json:"file"`
	Status   string `json:"status"` // written, unchanged or kept
	SHA      string `json:"sha"`
}

func (p *pull) write(a api.Audience) error {
	if !evaluator.IsKey(a.Key) { // it becomes a path
		return fmt.Errorf("the service names an audience %q, which is no key", a.Key)
	}
	path := filepath.Join(p.dir, a.Key, fileName(p.asYAML))
	there, err := app.ReadDefinition(filepath.Dir(path), a.Key)
	status := "written"
	switch {
	case err == nil:
		path = there.Path
		if !p.force && edited(there.Document, a) {
			p.done = append(p.done, pulled{a.Key, path, "kept", a.SHA})
			return nil
		}
	case !errors.Is(err, app.ErrNoDefinition) && !p.force:
		return fmt.Errorf("%w; --force overwrites it", err)
	}
	text, err := fileText(a, filepath.Ext(path) != ".json")
	if err != nil {
		return err
	}
	if was, err := os.ReadFile(path); err == nil && bytes.Equal(was, text) {
		status = "unchanged"
	} else if err := writeFile(path, text); err != nil {
		return err
	}
	p.done = append(p.done, pulled{a.Key, path, status, a.SHA})
	return nil
}

// edited reports whether a file says something else than when it was pulled, and than what would overwrite it.
func edited(document []byte, a api.Audience) bool {
	d, err := evaluator.Decode(document, a.Key)
	if err != nil {
		return true
	}
	var carried struct {
		SHA string `json:"sha"`
	}
	_ = json.Unmarshal(document, &carried) // one of another type is none
	return d.SHA() != carried.SHA && d.SHA() != a.SHA
}

func (p *pull) print(c *cobra.Command, asJSON bool) error {
	kept := 0
	for _, one := range p.done {
		if one.Status == "kept" {
			kept++
		}
	}
	if asJSON {
		if err := printJSON(c.OutOrStdout(), append([]pulled{}, p.done...)); err != nil {
			return err
		}
		return reported(kept == 0)
	}
	rows := [][]string{{"KEY", "RESULT", "FILE"}}
	for _, one := range p.done {
		rows = append(rows, []string{one.Audience, one.Status, one.File})
	}
	if err := table(c.OutOrStdout(), rows); err != nil {
		return err
	}
	if kept > 0 {
		return fmt.Errorf("%s changed since the last pull and was kept; push it, or overwrite it with --force", plural(kept, "file"))
	}
	return nil
}
