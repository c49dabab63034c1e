package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"muster/evaluator"
	"muster/pipeline/app"
)

func newAudienceDiff() *cobra.Command {
	var a audienceCommand
	var from, to uint32
	var file string
	c := &cobra.Command{
		Use:   "diff KEY",
		Short: "Show what changes between two versions, and how many users enter and leave",
		Long: `Show what changes from what is committed to the definition file (or to the draft, where there is no file), or between two
versions. Where live state can be asked, it says how many users would enter and leave now.`,
		Example: "  muster audience diff trial-ending\n  muster audience diff trial-ending --from 2 --to 3",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.run(c, func(ctx context.Context, client *client) error {
				d := comparison{client: client, key: args[0], dir: a.dir, file: file}
				if err := d.load(ctx, from, to); err != nil {
					return err
				}
				impact, err := d.impact(ctx)
				if err != nil {
					fmt.Fprintf(c.ErrOrStderr(), "how many users enter and leave is not known: %v\n", err)
				}
				if a.asJSON {
					return d.printJSON(c.OutOrStdout(), impact)
				}
				return d.print(c.OutOrStdout(), impact)
			})
		},
	}
	a.flags(c)
	a.dirFlag(c)
	c.Flags().Uint32Var(&from, "from", 0, "version to compare from (default: the latest)")
	c.Flags().Uint32Var(&to, "to", 0, "version to compare to (default: the file, else the draft)")
	c.Flags().StringVarP(&file, "file", "f", "", "definition file to compare to")
	return c
}

// comparison is two definitions of one audience.
type comparison struct {
	client         *client
	key, dir, file string
	before, after  *evaluator.Definition // before is nil when nothing is committed
	beforeName     string
	afterName      string
	fromLive       bool
}

func (d *comparison) load(ctx context.Context, from, to uint32) error {
	d.fromLive = from == 0
	was, err := d.client.at(ctx, d.key, from, false)
	switch {
	case isStatus(err, http.StatusNotFound) && from == 0:
		d.beforeName = "nothing"
	case err != nil:
		return err
	default:
		d.beforeName = fmt.Sprintf("version %d in %s", was.Readonly.Version, d.client.environment)
		text, err := definitionOf(was)
		if err != nil {
			return err
		}
		if d.before, err = evaluator.Decode(text, d.key); err != nil {
			return err
		}
	}
	return d.loadAfter(ctx, to)
}

func (d *comparison) loadAfter(ctx context.Context, to uint32) error {
	if to == 0 {
		f, err := d.readFile()
		if err == nil {
			d.afterName = f.Path
			d.after, err = evaluator.Decode(f.Document, d.key)
			if err != nil {
				return fmt.Errorf("%s:\n%w", f.Path, err)
			}
			return nil
		}
		if d.file != "" || !errors.Is(err, app.ErrNoDefinition) {
			return err
		}
	}
	shown, err := d.client.at(ctx, d.key, to, true)
	if err != nil {
		return err
	}
	d.afterName = fmt.Sprintf("version %d in %s", shown.Readonly.Version, d.client.environment)
	if shown.Readonly.Draft {
		d.afterName = "the draft in " + d.client.environment
	}
	text, err := definitionOf(shown)
	if err != nil {
		return err
	}
	d.after, err = evaluator.Decode(text, d.key)
	return err
}

func (d *comparison) readFile() (app.DefinitionFile, error) {
	if d.file != "" {
		return app.ReadDefinitionFile(d.file, d.key)
	}
	return app.ReadDefinition(filepath.Join(d.dir, d.key), d.key)
}

// impact asks how many users the change would move; nil when it moves none, when it does not begin at what is live, or
// when nobody can say.
func (d *comparison) impact(ctx context.Context) (*effect, error) {
	if !d.fromLive || d.before != nil && d.before.SHA() == d.after.SHA() || d.after.Type == evaluator.Static {
		return nil, nil
	}
	return d.client.impact(ctx, d.after)
}

func (d *comparison) print(out io.Writer, impact *effect) error {
	before, after := []string{}, lines(d.after)
	if d.before != nil {
		before = lines(d.before)
	}
	script := diffLines(before, after)
	if len(script) == 0 {
		_, err := fmt.Fprintf(out, "%s and %s say the same\n", d.beforeName, d.afterName)
		return err
	}
	fmt.Fprintf(out, "--- %s: %s\n+++ %s: %s\n", d.key, d.beforeName, d.key, d.afterName)
	for _, line := range script {
		fmt.Fprintln(out, line)
	}
	if impact == nil {
		return nil
	}
	_, err := fmt.Fprintf(out, "\n%d would enter and %d leave; %d would be in\n", impact.Enter, impact.Leave, impact.Count)
	return err
}

func (d *comparison) printJSON(out io.Writer, impact *effect) error {
	canonical := func(of *evaluator.Definition) json.RawMessage {
		if of == nil {
			return json.RawMessage("null")
		}
		return of.Canonical()
	}
	before := []string{}
	if d.before != nil {
		before = lines(d.before)
	}
	return printJSON(out, map[string]any{
		"audience": d.key, "from": map[string]any{"name": d.beforeName, "definition": canonical(d.before)},
		"to":   map[string]any{"name": d.afterName, "definition": canonical(d.after)},
		"diff": append([]string{}, diffLines(before, lines(d.after))...), "impact": impact,
	})
}

// lines writes a definition for people, a condition a line.
func lines(d *evaluator.Definition) []string {
	list := []string{"name: " + d.Name}
	add := func(name, value string) {
		if value != "" {
			list = append(list, name+": "+value)
		}
	}
	add("description", strings.ReplaceAll(d.Description, "\n", " "))
	add("type", d.Type.String())
	if d.Settle.Enter > 0 {
		add("settle enter", d.Settle.Enter.String())
	}
	if d.Settle.Exit > 0 {
		add("settle exit", d.Settle.Exit.String())
	}
	if d.TriggerFrequency != evaluator.EveryTime {
		add("trigger_frequency", d.TriggerFrequency.String())
	}
	if d.TriggerOnBackfill {
		add("trigger_on_backfill", "true")
	}
	for _, p := range d.Include {
		add("include", p.String())
	}
	for i, segment := range d.Segments {
		head := "all of"
		if i > 0 {
			head = "or all of"
		}
		list = append(list, head)
		for j := range segment.Conditions {
			list = conditionLines(list, "  ", &segment.Conditions[j])
		}
	}
	return list
}

func conditionLines(list []string, indent string, c *evaluator.Condition) []string {
	switch c.Group {
	case evaluator.All, evaluator.Any, evaluator.Not:
		list = append(list, indent+c.Group.String()+" of")
		for i := range c.Conditions {
			list = conditionLines(list, indent+"  ", &c.Conditions[i])
		}
		return list
	}
	words := []string{c.Operator.String()}
	if c.Property != nil {
		words = []string{c.Property.String(), c.Operator.String()}
	}
	if written := c.Argument.Written(); !written.IsNull() {
		words = append(words, string(written.AppendJSON(nil)))
	}
	if c.IgnoreCase {
		words = append(words, "(ignoring case)")
	}
	return append(list, indent+strings.Join(words, " "))
}
