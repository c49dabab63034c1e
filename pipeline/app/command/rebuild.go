package command

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"muster/pipeline/app"
)

func newRebuild() *cobra.Command {
	var path string
	var asJSON, fromNothing bool
	c := &cobra.Command{
		Use:   "rebuild -c muster.yaml",
		Short: "Make the state anew from Postgres and publish only what differs from what was published",
		Long: `Make the worker's state anew from Postgres, and publish only how that differs from the membership last published: an
entry or exit, with the cause "rebuild" and without a trigger, for each membership that is not what it was. Sequence and
entry counts go on. It is the way out when the slot is gone, the state is lost or too old, or the database was replaced.

What was published is taken from the old state, where that can be read and no sink is ahead of it; else from ClickHouse,
completed by the events that Kafka holds beyond it; and where neither is there, only --from-nothing helps, which makes
everybody enter anew: with entry counts from 1, so that ids of events repeat. Triggers that were used stay used as long
as the old state can be read; the history in ClickHouse knows them as far as it goes back.

The worker must be stopped. Ended before its time, the rebuild goes on with the next muster run.`,
		Example: "  muster rebuild -c muster.yaml\n  muster rebuild -c muster.yaml --from-nothing",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := configured(path)
			if err != nil {
				return err
			}
			log := logger(cfg.Log, c.ErrOrStderr())
			show := rebuildProgress(c.ErrOrStderr(), log)
			report, err := app.Rebuild(c.Context(), cfg, log, build(), app.RebuildOptions{FromNothing: fromNothing, Progress: show})
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), report)
			}
			return printRebuild(c.OutOrStdout(), report)
		},
	}
	configFlag(c, &path)
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().BoolVar(&fromNothing, "from-nothing", false, "forget what was published: everybody enters anew, ids repeat, and nothing triggers")
	return c
}

// rebuildProgress shows progress in place on a terminal and as log lines, one every few seconds, elsewhere.
func rebuildProgress(out io.Writer, log *slog.Logger) func(app.RebuildProgress) {
	const every = 5 * time.Second
	began, last, step := time.Now(), time.Time{}, ""
	terminal := isTerminal(out)
	return func(p app.RebuildProgress) {
		if !terminal && p.Step == step && time.Since(last) < every {
			return
		}
		step, last = p.Step, time.Now()
		text := describeRebuild(p, time.Since(began))
		if terminal {
			fmt.Fprintf(out, "\r\x1b[K%s", text)
			if p.Step == "deliver" && p.Remaining == 0 {
				fmt.Fprintln(out)
			}
			return
		}
		log.Info("rebuild: " + text)
	}
}

func describeRebuild(p app.RebuildProgress, took time.Duration) string {
	switch p.Step {
	case "snapshot":
		rate := float64(p.Users) / max(took.Seconds(), 1e-3)
		if p.Total > p.Users && rate > 0 {
			left := time.Duration(float64(p.Total-p.Users) / rate * float64(time.Second)).Round(time.Second)
			return fmt.Sprintf("reading users: %d of about %d, %.0f/s, about %s left", p.Users, p.Total, rate, left)
		}
		return fmt.Sprintf("reading users: %d, %.0f/s", p.Users, rate)
	case "deliver":
		return fmt.Sprintf("publishing: %d events left", p.Remaining)
	}
	return "taking stock of what was published"
}

func printRebuild(out io.Writer, r *app.RebuildReport) error {
	base := map[string]string{
		"state": "the old state", "history": "ClickHouse and Kafka", "nothing": "nothing",
	}[r.Baseline]
	_, err := fmt.Fprintf(out, "rebuilt from %d users at %s in %s, against %s\n%d entered, %d exited, last sequence %d\n",
		r.Users, r.At, time.Duration(r.TookMS)*time.Millisecond, base, r.Entered, r.Exited, r.Sequence)
	if r.Pending > 0 {
		_, err = fmt.Fprintf(out, "%d events wait for a sink that does not answer; the next run delivers them\n", r.Pending)
	}
	for _, note := range r.Notes {
		_, err = fmt.Fprintf(out, "note: %s\n", note)
	}
	return err
}
