package command

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"muster/connectors/api"
	"muster/evaluator"
	"muster/pipeline/app"
)

func newAudienceNew() *cobra.Command {
	var a audienceCommand
	var kind, name string
	var asYAML bool
	c := &cobra.Command{
		Use:   "new KEY",
		Short: "Write the file of a new audience",
		Long: `Write the file of a new audience, with an example of a condition, and beside the definitions the JSON Schema by which
editors complete and check them.`,
		Example: "  muster audience new trial-ending\n  muster audience new beta-testers --type static --yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			key := args[0]
			if !evaluator.IsKey(key) {
				return usagef("%q is no key: a to z, 0 to 9, _ and -, at most %d of them, beginning with a letter or a digit", key, evaluator.MaxKey)
			}
			if kind != "dynamic" && kind != "static" {
				return usagef("--type is dynamic or static, not %q", kind)
			}
			path, err := newFile(a.dir, key, kind, name, asYAML)
			if err != nil {
				return err
			}
			if a.asJSON {
				return printJSON(c.OutOrStdout(), map[string]string{"file": path})
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "wrote %s\n", path)
			return err
		},
	}
	a.dirFlag(c)
	c.Flags().BoolVar(&a.asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&kind, "type", "dynamic", "dynamic (conditions decide) or static (members are recorded one by one)")
	c.Flags().StringVar(&name, "name", "", "name for people (default: the key)")
	c.Flags().BoolVar(&asYAML, "yaml", false, "write YAML")
	_ = c.RegisterFlagCompletionFunc("type", cobra.FixedCompletions([]string{"dynamic", "static"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

const exampleSegments = `[{"conditions": [{"property": "recipient.plan", "operator": "equal_to", "argument": "trial"},
	{"property": "recipient.created_at", "operator": "is_timestamp_before", "argument": "7 days ago"}]}]`

func newFile(dir, key, kind, name string, asYAML bool) (string, error) {
	if f, err := app.ReadDefinition(filepath.Join(dir, key), key); err == nil {
		return "", fmt.Errorf("%s is there already", f.Path)
	} else if _, missing := os.Stat(filepath.Join(dir, key)); missing == nil && !errors.Is(err, app.ErrNoDefinition) {
		return "", err
	}
	shown := api.Audience{Key: key, Name: first(name, key), Type: kind}
	if kind == "dynamic" {
		shown.Segments = []byte(exampleSegments)
	}
	text, err := fileText(shown, asYAML)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, key, fileName(asYAML))
	return path, errors.Join(writeFile(path, text), writeSchema(dir))
}

func fileName(asYAML bool) string {
	if asYAML {
		return "audience.yaml"
	}
	return "audience.json"
}
