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

func newAudienceValidate() *cobra.Command {
	var a audienceCommand
	var file string
	var offline bool
	c := &cobra.Command{
		Use:   "validate [KEY...]",
		Short: "Check definition files, and say every fault at once",
		Long: `Check definition files against the language and against one another: as they would stand beside what the environment
has. Changes nothing. With --offline what other audiences they refer to must be among the files.`,
		Example: "  muster audience validate --all\n  muster audience validate trial-ending --json\n  muster audience validate -f audience.json --offline",
		RunE: func(c *cobra.Command, keys []string) error {
			files, err := a.filesOr(keys, file)
			if err != nil {
				return err
			}
			check := func(beside []*evaluator.Definition) error {
				definitions, err := app.DecodeFiles(files, beside)
				return a.reportFaults(c, files, definitions, err)
			}
			if offline {
				return check(nil)
			}
			return a.run(c, func(ctx context.Context, client *client) error {
				beside, err := client.definitions(ctx)
				if err != nil {
					return err
				}
				if err := check(beside); err != nil {
					return err
				}
				return client.checkTypes(ctx, files)
			})
		},
	}
	a.flags(c)
	a.filesFlags(c)
	c.Flags().StringVarP(&file, "file", "f", "", "one definition file, of any name")
	c.Flags().BoolVar(&offline, "offline", false, "ask nobody")
	return c
}

// filesOr reads the file, or without one the definitions of the keys.
func (a *audienceCommand) filesOr(keys []string, file string) ([]app.DefinitionFile, error) {
	if file == "" {
		return a.files(keys)
	}
	if a.all || len(keys) > 1 {
		return nil, usagef("--file is one definition; leave out --all and other keys")
	}
	key := ""
	if len(keys) == 1 {
		key = keys[0]
	}
	f, err := app.ReadDefinitionFile(file, key)
	return []app.DefinitionFile{f}, err
}

// validation is what validate prints as JSON.
type validation struct {
	Valid    bool            `json:"valid"`
	Checked  int             `json:"checked"`
	Faults   []app.FileFault `json:"faults"`
	Warnings []app.FileFault `json:"warnings"`
}

// reportFaults prints what was found and returns an error when something was.
func (a *audienceCommand) reportFaults(c *cobra.Command, files []app.DefinitionFile, definitions []*evaluator.Definition, err error) error {
	var faults app.FileFaults
	if err != nil && !errors.As(err, &faults) {
		return err
	}
	v := validation{Valid: err == nil, Checked: len(files), Faults: append([]app.FileFault{}, faults...), Warnings: []app.FileFault{}}
	for i, d := range definitions {
		for _, w := range d.Warnings {
			v.Warnings = append(v.Warnings, app.FileFault{File: files[i].Path, Audience: d.Key, Path: w.Path, Message: w.Message})
		}
	}
	if a.asJSON {
		if err := printJSON(c.OutOrStdout(), v); err != nil {
			return err
		}
		return reported(v.Valid)
	}
	for _, w := range v.Warnings {
		fmt.Fprintf(c.ErrOrStderr(), "warning: %s: %s: %s\n", w.File, w.Path, w.Message)
	}
	if !v.Valid {
		fmt.Fprintf(c.ErrOrStderr(), "%s\n\n%s in %s\n", faults, plural(len(faults), "fault"), plural(len(files), "definition"))
		return errReported
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "%s checked, no faults\n", plural(len(files), "definition"))
	return err
}

func reported(ok bool) error {
	if ok {
		return nil
	}
	return errReported
}

// checkTypes lets the service say what only it knows: that a key was another kind of audience once.
func (c *client) checkTypes(ctx context.Context, files []app.DefinitionFile) error {
	for _, f := range files {
		err := c.putDefinition(ctx, f, "/validate", nil, nil)
		var refused *refusal
		if !errors.As(err, &refused) || refused.Status != http.StatusUnprocessableEntity {
			if err != nil {
				return err
			}
			continue
		}
		for _, fault := range refused.Errors {
			if fault.Field == "type" {
				return fmt.Errorf("%s: type: %s", f.Path, fault.Message)
			}
		}
	}
	return nil
}

// putDefinition sends a definition to an endpoint of its audience.
func (c *client) putDefinition(ctx context.Context, f app.DefinitionFile, endpoint string, more map[string]string, into *api.OneAudience) error {
	query, err := c.in(ctx)
	if err != nil {
		return err
	}
	for name, value := range more {
		query.Set(name, value)
	}
	var answer any
	if into != nil {
		answer = into
	}
	return c.do(ctx, http.MethodPut, "/v1/audiences/"+f.Key+endpoint, query, api.AudienceBody{Audience: f.Document}, answer)
}
