package command

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"muster/pipeline/app"
)

// version is set when a release is built.
var version = "devel"

// build says which program this is.
func build() app.Build {
	b := app.Build{Version: version}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				b.Commit = s.Value
			}
		}
	}
	return b
}

func newVersion() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Args:    cobra.NoArgs,
		Example: "  muster version --json",
		RunE: func(c *cobra.Command, _ []string) error {
			b := build()
			if asJSON {
				return json.NewEncoder(c.OutOrStdout()).Encode(map[string]string{"version": b.Version, "commit": b.Commit, "go": runtime.Version()})
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "muster %s %s %s\n", b.Version, b.Commit, runtime.Version())
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
