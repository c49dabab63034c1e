package command

import (
	"strings"

	"github.com/spf13/cobra"
)

// strict makes every command say what it takes when it is given something else. A group of commands, which only shows its
// help, otherwise takes any word for a wish to see it, and a script would believe that something was done.
func strict(c *cobra.Command) {
	for _, child := range c.Commands() {
		strict(child)
	}
	switch {
	case c.HasSubCommands():
		const typo = 2 // letters
		c.SuggestionsMinimumDistance = typo
		c.Args = func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			if near := c.SuggestionsFor(args[0]); len(near) > 0 {
				return usagef("there is no command %q; is it %s?", args[0], strings.Join(near, " or "))
			}
			var names []string
			for _, child := range c.Commands() {
				if child.IsAvailableCommand() && child.Name() != "help" {
					names = append(names, child.Name())
				}
			}
			return usagef("there is no command %q; %s has %s", args[0], c.CommandPath(), strings.Join(names, ", "))
		}
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	case c.Args != nil:
		takes := c.Args
		c.Args = func(c *cobra.Command, args []string) error {
			if takes(c, args) == nil {
				return nil
			}
			return usagef("%s given; it is written: %s", plural(len(args), "argument"), c.UseLine())
		}
	}
}
