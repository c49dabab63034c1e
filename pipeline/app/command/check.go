package command

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"muster/pipeline/app"
)

func newCheck() *cobra.Command {
	var path string
	var asJSON bool
	c := &cobra.Command{
		Use:   "check -c muster.yaml",
		Short: "Check every prerequisite and name the command that mends what is missing",
		Long: `Check every prerequisite of a worker: Postgres (wal_level, slot and publication, privileges, replica identity, free
slots), Kafka (topic, partitions), ClickHouse (schema), the state directory and the definitions. Nothing is changed.
Exit code 1 when something fails; warnings do not fail.`,
		Example: "  muster check -c muster.yaml\n  muster check -c muster.yaml --json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := configured(path)
			if err != nil {
				return err
			}
			findings := app.Check(c.Context(), cfg)
			if asJSON {
				err = json.NewEncoder(c.OutOrStdout()).Encode(findings)
			} else {
				err = printFindings(c.OutOrStdout(), findings)
			}
			if err != nil {
				return err
			}
			for _, f := range findings {
				if f.Status == "fail" {
					return errReported
				}
			}
			return nil
		},
	}
	configFlag(c, &path)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// printFindings prints a table, with what mends a finding beneath it.
func printFindings(out io.Writer, findings []app.Finding) error {
	width := 0
	for _, f := range findings {
		width = max(width, len(f.Part)+1+len(f.Name))
	}
	failed, warned := 0, 0
	for _, f := range findings {
		switch f.Status {
		case "fail":
			failed++
		case "warn":
			warned++
		}
		indent := "\n" + strings.Repeat(" ", 6+width+2)
		if _, err := fmt.Fprintf(out, "%-5s %-*s  %s\n", f.Status, width, f.Part+" "+f.Name, strings.ReplaceAll(f.Detail, "\n", indent)); err != nil {
			return err
		}
		if f.Repair != "" {
			if _, err := fmt.Fprintf(out, "      %*s  mend: %s\n", width, "", strings.ReplaceAll(f.Repair, "\n", indent+"      ")); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(out, "\n%d checked, %d failed, %d warned\n", len(findings), failed, warned)
	return err
}
