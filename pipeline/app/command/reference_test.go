package command

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var update = flag.Bool("update", false, "rewrite REFERENCE.md")

const referenceFile = "REFERENCE.md"

// TestReferenceIsCurrent makes REFERENCE.md from the commands and compares.
func TestReferenceIsCurrent(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(referenceHead)
	root := newRoot()
	root.InitDefaultCompletionCmd()
	for _, c := range commands(root) {
		describe(&b, c)
	}
	if *update {
		if err := os.WriteFile(referenceFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("%s is not what the code says; run: go test ./pipeline/app/command -run Reference -update", referenceFile)
	}
}

const referenceHead = `# Command line reference

Made from the code by ` + "`go test ./pipeline/app/command -run Reference -update`" + `; a test keeps it current.

Results go to stdout, everything else to stderr. ` + "`--json`" + ` prints the result as JSON. Exit codes: 0 all is well, 1 it failed, 2 it
was called wrongly. ` + "`muster completion bash`" + ` (or zsh, fish) prints the shell's completions:

    source <(muster completion bash)
    muster completion zsh > "${fpath[1]}/_muster"
    muster completion fish > ~/.config/fish/completions/muster.fish
`

// commands lists what can be run, in the order of the help.
func commands(c *cobra.Command) []*cobra.Command {
	var list []*cobra.Command
	for _, child := range c.Commands() {
		if child.IsAvailableCommand() && child.Name() != "help" {
			if !child.HasSubCommands() && child.Runnable() && child.Name() != "powershell" {
				list = append(list, child)
			}
			list = append(list, commands(child)...)
		}
	}
	return list
}

func describe(b *strings.Builder, c *cobra.Command) {
	long := c.Long
	if long == "" {
		long = c.Short + "."
	}
	fmt.Fprintf(b, "\n## %s\n\n    %s\n\n%s\n", c.CommandPath(), c.UseLine(), preformatted(long))
	if c.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", strings.Trim(unindent(c.Example), "\n"))
	}
	rows := 0
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		if rows++; rows == 1 {
			b.WriteString("\n| flag | |\n|---|---|\n")
		}
		fmt.Fprintf(b, "| %s | %s |\n", flagName(f), strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(flagText(f)))
	})
}

func flagName(f *pflag.Flag) string {
	name := "`--" + f.Name
	if f.Shorthand != "" {
		name = "`-" + f.Shorthand + "`, " + name
	}
	switch kind := f.Value.Type(); kind {
	case "bool":
	case "int", "int64", "uint32", "uint64", "float64":
		name += " N"
	default:
		name += " " + kind
	}
	return name + "`"
}

func flagText(f *pflag.Flag) string {
	_, usage := pflag.UnquoteUsage(f)
	switch f.DefValue {
	case "", "false", "0", "[]", "0s":
		return usage
	}
	return usage + " (default `" + f.DefValue + "`)"
}

// preformatted keeps indented examples within a help text as code.
func preformatted(text string) string {
	var b strings.Builder
	indented := false
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if code := strings.HasPrefix(line, "  "); code != indented {
			indented = code
			b.WriteString("\n")
		}
		if indented {
			line = "  " + line
		}
		b.WriteString(line + "\n")
	}
	return strings.TrimRight(strings.ReplaceAll(b.String(), "\n\n\n", "\n\n"), "\n")
}

func unindent(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}

// TestEveryCommandHelps holds every command to having an example and, where it prints a result, --json.
func TestEveryCommandHelps(t *testing.T) {
	t.Parallel()
	noResult := map[string]bool{"muster run": true}
	for _, c := range commands(newRoot()) {
		if c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		if c.Flags().Lookup("json") == nil && !noResult[c.CommandPath()] {
			t.Errorf("%s has no --json", c.CommandPath())
		}
	}
}
